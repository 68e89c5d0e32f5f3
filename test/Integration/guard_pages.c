/*===- guard_pages.c - Pages that cannot be touched
-------------------------===*\
|*
|* Puts a page that cannot be touched behind each large block of memory, so
|* that a program that reads or writes past one ends by a signal. To be
|* preloaded.
|*
\*===----------------------------------------------------------------------===*/

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

enum { PAGE = 4096, LEAST = 64, MOST = 20000 };

/* Blocks with a guard; a kernel has 65,530 maps. */
static struct {
  void *block;
  char *map;
  size_t bytes, size;
} guarded[MOST];
static int used, isLocked;

extern void *__libc_malloc(size_t);
extern void *__libc_memalign(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void __libc_free(void *);

static void lock(void) {
  while (__atomic_exchange_n(&isLocked, 1, __ATOMIC_ACQUIRE))
    ;
}
static void unlock(void) { __atomic_store_n(&isLocked, 0, __ATOMIC_RELEASE); }

static void *guard(size_t alignment, size_t size) {
  if (alignment < 16)
    alignment = 16;
  if (size < LEAST || size > ((size_t)1 << 40) || alignment > PAGE)
    return NULL;
  lock();
  void *block = NULL;
  if (used < MOST) {
    size_t held = (size + alignment - 1) / alignment * alignment;
    size_t bytes = (held + PAGE - 1) / PAGE * PAGE + PAGE;
    char *map = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map != MAP_FAILED) {
      mprotect(map + bytes - PAGE, PAGE, PROT_NONE);
      block = map + bytes - PAGE - held;
      memset(map, 0x5f, bytes - PAGE); /* what nobody wrote is no zero */
      guarded[used].block = block;
      guarded[used].map = map;
      guarded[used].size = size;
      guarded[used++].bytes = bytes;
    }
  }
  unlock();
  return block;
}

/* The size of a guarded block, which is given back if `ends`; else 0. */
static size_t find(void *block, int ends) {
  if (!block)
    return 0;
  size_t size = 0;
  lock();
  for (int i = used - 1; i >= 0; --i)
    if (guarded[i].block == block) {
      size = guarded[i].size;
      if (ends) {
        munmap(guarded[i].map, guarded[i].bytes);
        guarded[i] = guarded[--used];
      }
      break;
    }
  unlock();
  return size;
}

void *malloc(size_t size) {
  void *block = guard(16, size);
  return block ? block : __libc_malloc(size);
}
void *calloc(size_t count, size_t size) {
  size_t total;
  if (__builtin_mul_overflow(count, size, &total))
    return NULL;
  void *block = malloc(total);
  return block ? memset(block, 0, total) : NULL;
}
void *memalign(size_t alignment, size_t size) {
  void *block = guard(alignment, size);
  return block ? block : __libc_memalign(alignment, size);
}
void *aligned_alloc(size_t alignment, size_t size) {
  return memalign(alignment, size);
}
int posix_memalign(void **block, size_t alignment, size_t size) {
  *block = memalign(alignment, size);
  return *block ? 0 : ENOMEM;
}
void free(void *block) {
  if (!find(block, 1))
    __libc_free(block);
}
void *realloc(void *block, size_t size) {
  size_t old = find(block, 0);
  if (!old)
    return __libc_realloc(block, size);
  void *other = malloc(size);
  if (other) {
    memcpy(other, block, old < size ? old : size);
    free(block);
  }
  return other;
}

//===- Arena.cpp - The memory of one context --------------------*- C++ -*-===//
//
// A mapping is its own header, blocks that follow each other without gaps, and
// a block of no size that ends it. Headers take 64 bytes so that what follows
// them is aligned.
//
//===----------------------------------------------------------------------===//

#include "Arena.h"

#include <sys/mman.h>

using namespace qopt::runtime;

struct alignas(64) Arena::Block {
  /// Bytes of header and data; zero in the block that ends a mapping.
  uint64_t size;
  Block *previous;
  Block *nextFree;
  Block *previousFree;
  bool isFree;

  Block *next() {
    return reinterpret_cast<Block *>(reinterpret_cast<char *>(this) + size);
  }
};

struct alignas(64) Arena::Mapping {
  Mapping *next;
  uint64_t size;

  Block *first() { return reinterpret_cast<Block *>(this + 1); }
};

static constexpr uint64_t kHeaderSize = 64;
static constexpr uint64_t kSlack = 64;

void Arena::insertFree(Block *block) {
  block->isFree = true;
  block->previousFree = nullptr;
  block->nextFree = freeBlocks;
  if (freeBlocks)
    freeBlocks->previousFree = block;
  freeBlocks = block;
}

void Arena::removeFree(Block *block) {
  block->isFree = false;
  if (block->previousFree)
    block->previousFree->nextFree = block->nextFree;
  else
    freeBlocks = block->nextFree;
  if (block->nextFree)
    block->nextFree->previousFree = block->previousFree;
}

bool Arena::addMapping(uint64_t bytes) {
  uint64_t size = bytes + sizeof(Mapping) + kHeaderSize;
  if (size < nextMappingSize)
    size = nextMappingSize;
  size = (size + 4095) / 4096 * 4096;
  void *data = mmap(nullptr, size, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (data == MAP_FAILED)
    return false;
  madvise(data, size, MADV_HUGEPAGE);
  Mapping *mapping = static_cast<Mapping *>(data);
  mapping->next = mappings;
  mapping->size = size;
  mappings = mapping;
  mappedSize += size;

  Block *block = mapping->first();
  block->size = size - sizeof(Mapping) - kHeaderSize;
  block->previous = nullptr;
  Block *last = block->next();
  last->size = 0;
  last->previous = block;
  last->isFree = false;
  insertFree(block);
  return true;
}

void *Arena::allocate(int64_t bytes) {
  // More than half of the address space cannot be asked for.
  if (bytes < 0 || bytes > INT64_MAX / 2)
    return nullptr;
  uint64_t size = kHeaderSize + (bytes + kSlack + 63) / 64 * 64;
  Block *best = nullptr;
  for (int attempt = 0; attempt < 2 && !best; ++attempt) {
    if (attempt == 1 && !addMapping(size))
      break;
    for (Block *block = freeBlocks; block; block = block->nextFree)
      if (block->size >= size && (!best || block->size < best->size))
        best = block;
  }
  if (best) {
    removeFree(best);
    if (best->size - size >= 2 * kHeaderSize) {
      Block *rest =
          reinterpret_cast<Block *>(reinterpret_cast<char *>(best) + size);
      rest->size = best->size - size;
      rest->previous = best;
      best->next()->previous = rest;
      best->size = size;
      insertFree(rest);
    }
  }
  return best ? best + 1 : nullptr;
}

void Arena::free(void *data) {
  if (!data)
    return;
  Block *block = static_cast<Block *>(data) - 1;
  Block *next = block->next();
  if (next->isFree) {
    removeFree(next);
    block->size += next->size;
    block->next()->previous = block;
  }
  if (Block *previous = block->previous; previous && previous->isFree) {
    removeFree(previous);
    previous->size += block->size;
    previous->next()->previous = previous;
    block = previous;
  }
  insertFree(block);
}

void Arena::reset() {
  if (!mappings)
    return;
  if (mappings->next) {
    uint64_t total = mappedSize;
    release();
    nextMappingSize = total;
    return;
  }
  freeBlocks = nullptr;
  Block *block = mappings->first();
  block->size = mappings->size - sizeof(Mapping) - kHeaderSize;
  block->next()->previous = block;
  insertFree(block);
}

void Arena::release() {
  while (mappings) {
    Mapping *mapping = mappings;
    mappings = mapping->next;
    munmap(mapping, mapping->size);
  }
  freeBlocks = nullptr;
  mappedSize = 0;
}

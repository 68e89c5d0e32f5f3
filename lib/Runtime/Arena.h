//===- Arena.h - The memory of one context ----------------------*- C++ -*-===//
//
// Best fit with coalescing over few large mappings. A run needs much the same
// blocks as the run before, so memory stays until the context ends; different
// shapes reuse the same bytes because free neighbours merge.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_RUNTIME_ARENA_H
#define QOPT_LIB_RUNTIME_ARENA_H

#include <stddef.h>
#include <stdint.h>

namespace qopt::runtime {

class Arena {
public:
  /// 64-byte aligned memory with 64 spare bytes behind it, not cleared, or
  /// null. Only the thread that runs the program asks: what kernels need is
  /// allocated in front of their launches.
  void *allocate(int64_t bytes);
  void free(void *data);

  /// Takes all memory back from its users. Several mappings become one of
  /// their total size when it is next needed.
  void reset();

  /// Gives all memory back to the system.
  void release();

  /// Bytes that are mapped.
  uint64_t getMappedSize() const { return mappedSize; }

private:
  struct Block;
  struct Mapping;

  bool addMapping(uint64_t bytes);
  void insertFree(Block *block);
  void removeFree(Block *block);

  Mapping *mappings = nullptr;
  Block *freeBlocks = nullptr;
  uint64_t mappedSize = 0;
  uint64_t nextMappingSize = 4 << 20;
};

} // namespace qopt::runtime

#endif // QOPT_LIB_RUNTIME_ARENA_H

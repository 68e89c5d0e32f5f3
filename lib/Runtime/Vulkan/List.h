//===- List.h - A growing array of plain values -----------------*- C++ -*-===//
//
// Models have no C++ library. Nothing is constructed, moved or destroyed: the
// elements are copied as bytes.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_RUNTIME_VULKAN_LIST_H
#define QOPT_LIB_RUNTIME_VULKAN_LIST_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <type_traits>

namespace qopt::runtime::vulkan {

template <class T> struct List {
  static_assert(std::is_trivially_copyable_v<T>, "copied as bytes");

  T *data;
  int64_t size, capacity;

  /// A place at the end, filled with zeros; null without memory.
  T *add() {
    if (size == capacity) {
      int64_t wanted = capacity ? 2 * capacity : 16;
      T *grown = static_cast<T *>(calloc(wanted, sizeof(T)));
      if (!grown)
        return nullptr;
      if (size != 0)
        memcpy(static_cast<void *>(grown), data, size * sizeof(T));
      free(data);
      data = grown;
      capacity = wanted;
    }
    T *place = data + size++;
    memset(static_cast<void *>(place), 0, sizeof(T));
    return place;
  }
  void release() {
    free(data);
    data = nullptr;
    size = capacity = 0;
  }

  T *begin() { return data; }
  T *end() { return data + size; }
  T &operator[](int64_t index) { return data[index]; }
};

} // namespace qopt::runtime::vulkan

#endif // QOPT_LIB_RUNTIME_VULKAN_LIST_H

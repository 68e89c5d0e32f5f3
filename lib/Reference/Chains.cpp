//===- Chains.cpp - Sums of products in one order -------------------------===//
//
// Tiles of 4 rows by 16 columns stay in registers over all of k. Where the
// CPU has no fma instruction the same loops call the library's, which rounds
// as the instruction does.
//
//===----------------------------------------------------------------------===//

#include "Chains.h"

#include <algorithm>
#include <vector>

using namespace qopt::reference;

static constexpr int64_t kTileRows = 4, kTileColumns = 16;

#define QOPT_ALWAYS_INLINE inline __attribute__((always_inline))

static QOPT_ALWAYS_INLINE float step(float a, float b, float c) {
  return __builtin_fmaf(a, b, c);
}
static QOPT_ALWAYS_INLINE int32_t step(int32_t a, int32_t b, int32_t c) {
  return int32_t(uint32_t(a) * uint32_t(b) + uint32_t(c));
}

/// A whole tile. `panel` holds 16 columns of b, row after row.
template <class T, int64_t rows>
static QOPT_ALWAYS_INLINE void addTile(int64_t depth, Matrix<const T> a,
                                       const T *panel, T *c, int64_t cStride,
                                       int64_t columns) {
  T sums[rows][kTileColumns] = {};
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < columns; ++j)
      sums[i][j] = c[i * cStride + j];
  for (int64_t k = 0; k < depth; ++k)
    for (int64_t i = 0; i < rows; ++i)
      for (int64_t j = 0; j < kTileColumns; ++j)
        sums[i][j] = step(a.row(i)[k], panel[k * kTileColumns + j], sums[i][j]);
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < columns; ++j)
      c[i * cStride + j] = sums[i][j];
}

template <class T>
static QOPT_ALWAYS_INLINE void addPanel(int64_t rows, int64_t columns,
                                        int64_t depth, Matrix<const T> a,
                                        const T *panel, Matrix<T> c) {
  int64_t i = 0;
  for (; i + kTileRows <= rows; i += kTileRows)
    addTile<T, kTileRows>(depth, {a.row(i), a.rowStride}, panel, c.row(i),
                          c.rowStride, columns);
  for (; i < rows; ++i)
    addTile<T, 1>(depth, {a.row(i), a.rowStride}, panel, c.row(i), c.rowStride,
                  columns);
}

static QOPT_ALWAYS_INLINE void multiplyAddEach(int64_t count, const float *a,
                                               const float *b, const float *c,
                                               float *__restrict result) {
  for (int64_t i = 0; i < count; ++i)
    result[i] = step(a[i], b[i], c[i]);
}

static void multiplyAddPortable(int64_t count, const float *a, const float *b,
                                const float *c, float *result) {
  multiplyAddEach(count, a, b, c, result);
}

static void addPanelPortable(int64_t rows, int64_t columns, int64_t depth,
                             Matrix<const float> a, const float *panel,
                             Matrix<float> c) {
  addPanel<float>(rows, columns, depth, a, panel, c);
}

static void addPanelPortable(int64_t rows, int64_t columns, int64_t depth,
                             Matrix<const int32_t> a, const int32_t *panel,
                             Matrix<int32_t> c) {
  addPanel<int32_t>(rows, columns, depth, a, panel, c);
}

#if defined(__x86_64__)
#define QOPT_HAS_FAST_LOOPS 1
__attribute__((target("avx2,fma"))) static void
addPanelFast(int64_t rows, int64_t columns, int64_t depth,
             Matrix<const float> a, const float *panel, Matrix<float> c) {
  addPanel<float>(rows, columns, depth, a, panel, c);
}

__attribute__((target("avx2,fma"))) static void
addPanelFast(int64_t rows, int64_t columns, int64_t depth,
             Matrix<const int32_t> a, const int32_t *panel, Matrix<int32_t> c) {
  addPanel<int32_t>(rows, columns, depth, a, panel, c);
}

__attribute__((target("avx2,fma"))) static void
multiplyAddFast(int64_t count, const float *a, const float *b, const float *c,
                float *result) {
  multiplyAddEach(count, a, b, c, result);
}

static bool hasFma() {
  static const bool has =
      __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  return has;
}
#endif

template <class T>
static void addAllPanels(int64_t rows, int64_t columns, int64_t depth,
                         Matrix<const T> a, Matrix<const T> b, Matrix<T> c) {
  std::vector<T> panel(depth * kTileColumns);
  for (int64_t j = 0; j < columns; j += kTileColumns) {
    int64_t width = std::min(kTileColumns, columns - j);
    for (int64_t k = 0; k < depth; ++k)
      std::copy_n(b.row(k) + j, width, panel.data() + k * kTileColumns);
    Matrix<T> target{c.data + j, c.rowStride};
#ifdef QOPT_HAS_FAST_LOOPS
    if (hasFma()) {
      addPanelFast(rows, width, depth, a, panel.data(), target);
      continue;
    }
#endif
    addPanelPortable(rows, width, depth, a, panel.data(), target);
  }
}

void qopt::reference::addProducts(int64_t rows, int64_t columns, int64_t depth,
                                  Matrix<const float> a, Matrix<const float> b,
                                  Matrix<float> c) {
  addAllPanels<float>(rows, columns, depth, a, b, c);
}

void qopt::reference::addProducts(int64_t rows, int64_t columns, int64_t depth,
                                  Matrix<const int32_t> a,
                                  Matrix<const int32_t> b, Matrix<int32_t> c) {
  addAllPanels<int32_t>(rows, columns, depth, a, b, c);
}

void qopt::reference::multiplyAdd(int64_t count, const float *a, const float *b,
                                  const float *c, float *result) {
#ifdef QOPT_HAS_FAST_LOOPS
  if (hasFma())
    return multiplyAddFast(count, a, b, c, result);
#endif
  multiplyAddPortable(count, a, b, c, result);
}

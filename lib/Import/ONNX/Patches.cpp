//===- Patches.cpp - Windows as a further axis ----------------------------===//
//
// One gather for each spatial axis, from the last one on, so that the numbers
// of the axes in front stay.
//
//===----------------------------------------------------------------------===//

#include "Patches.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::importer;

static Value pad(Composer &c, Value x, ArrayRef<int64_t> pads, Value value) {
  if (llvm::all_of(pads, [](int64_t by) { return by == 0; }))
    return x;
  return c.make<PadOp>({x, value}, c.getNode().attr("pads", pads));
}

Value qopt::importer::padSpatial(Composer &c, Value x,
                                 const WindowAttributes &window, Value value) {
  size_t spatial = window.kernel.size();
  ArrayRef<int64_t> all(window.pads);
  SmallVector<int64_t> pads{0, 0};
  llvm::append_range(pads, all.take_front(spatial));
  pads.append({0, 0});
  llvm::append_range(pads, all.drop_front(spatial));
  return pad(c, x, pads, value);
}

/// The number of windows along an axis of the padded size, as a list of one.
static Value countWindows(Composer &c, Value size, int64_t extent,
                          int64_t stride, int64_t behind, bool ceilMode) {
  Value room = c.sub(size, double(extent));
  if (!ceilMode)
    return c.add(c.div(room, double(stride)), 1.0);
  Value count =
      c.add(c.div(c.add(room, double(stride - 1)), double(stride)), 1.0);
  Value start = c.mul(c.sub(count, 1.0), double(stride));
  Value isOutside =
      c.test<GreaterOrEqualOp>(start, c.sub(size, double(behind)));
  return c.where(isOutside, c.sub(count, 1.0), count);
}

Value qopt::importer::extractPatches(Composer &c, Value x,
                                     const WindowAttributes &window,
                                     bool ceilMode, Value value) {
  if (!x)
    return {};
  int64_t spatial = window.kernel.size();
  SmallVector<Value> places;
  for (int64_t i = 0; i < spatial; ++i) {
    int64_t stride = window.strides[i], dilation = window.dilations[i];
    int64_t extent = (window.kernel[i] - 1) * dilation + 1;
    Value count = countWindows(c, c.dimOf(x, i + 2), extent, stride,
                               window.pads[i + spatial], ceilMode);
    SmallVector<int64_t> offsets;
    for (int64_t k = 0; k < window.kernel[i]; ++k)
      offsets.push_back(k * dilation);
    Value starts = c.mul(c.range(c.integers(0), count), double(stride));
    places.push_back(c.add(c.unsqueeze(starts, 1), c.integers(offsets)));
  }
  if (ceilMode) {
    SmallVector<int64_t> pads(2 * (spatial + 2), 0);
    for (int64_t i = 0; i < spatial; ++i)
      pads[spatial + 4 + i] = window.strides[i] - 1;
    x = pad(c, x, pads, value);
  }
  for (int64_t i = spatial; i-- > 0;)
    x = c.gather(x, places[i], i + 2);
  SmallVector<int64_t> order{0, 1};
  int64_t size = 1;
  for (int64_t i = 0; i < spatial; ++i) {
    order.push_back(2 + 2 * i);
    size *= window.kernel[i];
  }
  for (int64_t i = 0; i < spatial; ++i)
    order.push_back(3 + 2 * i);
  x = c.transpose(x, order);
  if (!x)
    return {};
  return c.reshape(
      x, c.concat({c.shapeOf(x, 0, spatial + 2), c.integers(size)}, 0));
}

//===- Axes.h - Axes counted from the front or the back ---------*- C++ -*-===//
//
// ONNX and some of our attributes count negative axes from the end.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_IR_AXES_H
#define DIALECTS_QOPT_IR_AXES_H

#include <cstdint>

namespace qopt {

/// The axis counted from the front; `axis` lies in [-rank, rank].
inline int64_t countFromFront(int64_t axis, int64_t rank) {
  return axis < 0 ? axis + rank : axis;
}

} // namespace qopt

#endif // DIALECTS_QOPT_IR_AXES_H

//===- OnnxProto.h - The generated classes of the ONNX schema ---*- C++ -*-===//
//
// The only way to include them: their symbols are hidden, as in the library
// that defines them.
//
//===----------------------------------------------------------------------===//

#ifndef LIB_IMPORT_ONNX_ONNXPROTO_H
#define LIB_IMPORT_ONNX_ONNXPROTO_H

#pragma GCC visibility push(hidden)
#include "onnx-ml.pb.h"
#pragma GCC visibility pop

#endif // LIB_IMPORT_ONNX_ONNXPROTO_H

//===- OnnxProto.h - The generated classes of the ONNX schema ---*- C++ -*-===//
//
// The only way to include them: their symbols are hidden, as in the library
// that defines them. Protobuf's own are not, so its headers come first.
//
//===----------------------------------------------------------------------===//

#ifndef LIB_ONNX_ONNXPROTO_H
#define LIB_ONNX_ONNXPROTO_H

#include <google/protobuf/arena.h>
#include <google/protobuf/extension_set.h>
#include <google/protobuf/generated_enum_reflection.h>
#include <google/protobuf/generated_message_reflection.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/message.h>
#include <google/protobuf/metadata_lite.h>
#include <google/protobuf/repeated_field.h>
#include <google/protobuf/unknown_field_set.h>

#pragma GCC visibility push(hidden)
#include "onnx-ml.pb.h"
#pragma GCC visibility pop

#endif // LIB_ONNX_ONNXPROTO_H

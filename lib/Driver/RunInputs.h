//===- RunInputs.h - Where the inputs of runs come from ---------*- C++ -*-===//
//
// Files, folders of files, and `--input` for single ones.
//
//===----------------------------------------------------------------------===//

#ifndef LIB_DRIVER_RUNINPUTS_H
#define LIB_DRIVER_RUNINPUTS_H

#include "qopt/Execution/ModelRunner.h"

namespace qopt {

/// The .npz files of `folder`, in the order of their names.
llvm::Expected<std::vector<std::string>> listSamples(llvm::StringRef folder);

/// `input` as `--input` takes it, without its value: `x=?x3xf32`, where `?`
/// stands for any size.
std::string formatInput(const ModelValue &input);

/// True if `input` can have these dims and this type, or the bit patterns of
/// it.
bool canTake(const ModelValue &input, llvm::ArrayRef<int64_t> dims,
             ElementType type);

/// The input that `spec` describes: `NAME=@FILE.npy` reads an array,
/// `NAME=2x3xf32=0.5` is filled with a value, and `NAME=2x3xf32` is random and
/// depends on `seed` and the name only. NAME is one of `inputs`.
llvm::Expected<NamedTensor> makeInput(llvm::StringRef spec,
                                      llvm::ArrayRef<ModelValue> inputs,
                                      uint64_t seed);

} // namespace qopt

#endif // LIB_DRIVER_RUNINPUTS_H

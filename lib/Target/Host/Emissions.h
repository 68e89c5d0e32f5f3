//===- Emissions.h - Functions of launches that are alike -------*- C++ -*-===//
//
// Layers repeat: the functions of a launch are written once. Launches are alike
// when they run one kernel and as much is known of their dims, lists and
// constants; what is passed on at run time does not count.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_TARGET_HOST_EMISSIONS_H
#define QOPT_LIB_TARGET_HOST_EMISSIONS_H

#include "HostProgram.h"
#include "llvm/ADT/StringMap.h"
#include <map>

namespace qopt::host {

/// True for a capture that is part of the function.
bool isConstantCapture(mlir::Value capture);

struct HostProgram::Emitted {
public:
  /// The function number `index`, if it has this name and takes such captures;
  /// else null.
  mlir::LLVM::LLVMFuncOp find(size_t index, llvm::StringRef name,
                              mlir::ValueRange captures) const;
  void add(size_t index, llvm::StringRef name, mlir::ValueRange captures,
           mlir::LLVM::LLVMFuncOp function);

private:
  struct Function {
    mlir::LLVM::LLVMFuncOp function;
    std::string name;
    /// The type of each capture, or the number that it is.
    llvm::SmallVector<const void *> captures;
  };
  std::vector<Function> functions;
};

class HostProgram::Emissions {
public:
  /// The functions of launches like `launch` of `kernel`. `numbersOf` gives the
  /// dims of an operand and, of a list, the elements that are at hand.
  Emitted &
  find(kernel::LaunchOp launch, mlir::Operation *kernel,
       llvm::function_ref<llvm::SmallVector<mlir::Value>(unsigned)> numbersOf);

  /// A symbol for the function that `kernel` calls `name`.
  std::string makeName(llvm::StringRef kernel, llvm::StringRef name);

private:
  /// How many functions have a symbol, but for numbers.
  llvm::StringMap<int64_t> counts;
  std::map<std::vector<int64_t>, Emitted> emitted;
};

} // namespace qopt::host

#endif

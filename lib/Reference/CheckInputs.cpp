//===- CheckInputs.cpp - Inputs of a run against its arguments ------------===//
//
// The first fault that is found is the one that is told.
//
//===----------------------------------------------------------------------===//

#include "qopt/Reference/Interpreter.h"
#include "qopt/Support/CodedError.h"
#include "llvm/ADT/StringMap.h"

using namespace mlir;
using namespace qopt;
using llvm::Error;

/// How messages call argument `index`.
static std::string getInputName(func::FuncOp function, unsigned index) {
  if (auto name = function.getArgAttrOfType<StringAttr>(index, kNameAttrName))
    return ("input '" + name.getValue() + "'").str();
  return "input " + std::to_string(index);
}

static Error checkInput(func::FuncOp function, unsigned index,
                        const HostTensor &tensor) {
  std::string name = getInputName(function, index);
  auto type = dyn_cast<RankedTensorType>(function.getArgument(index).getType());
  if (!type)
    return makeError(ExitCode::Unsupported, name + " is not a ranked tensor");
  auto elementType = getHostElementType(type.getElementType());
  if (elementType != tensor.getType())
    return makeError(
        ExitCode::BadData,
        name + " has elements of " +
            (elementType ? getName(*elementType) : "unknown type") +
            ", but found " + getName(tensor.getType()));
  if (type.getRank() != tensor.getRank())
    return makeError(ExitCode::BadData,
                     name + " has rank " + Twine(type.getRank()) +
                         ", but found " + Twine(tensor.getRank()));
  for (auto [i, dim] : llvm::enumerate(type.getShape()))
    if (!ShapedType::isDynamic(dim) && dim != tensor.getDims()[i])
      return makeError(ExitCode::BadData,
                       "dim " + Twine(i) + " of " + name + " is " + Twine(dim) +
                           ", but found " + Twine(tensor.getDims()[i]));
  return Error::success();
}

/// Checks that dims with one symbol are equal in all inputs.
static Error checkSymbols(func::FuncOp function, ArrayRef<HostTensor> inputs) {
  struct Seen {
    int64_t size;
    unsigned input;
  };
  llvm::StringMap<Seen> symbols;
  for (auto [i, input] : llvm::enumerate(inputs)) {
    auto names = function.getArgAttrOfType<ArrayAttr>(i, kDimsAttrName);
    if (!names)
      continue;
    for (auto [attr, size] : llvm::zip(names, input.getDims())) {
      auto symbol = dyn_cast<StringAttr>(attr);
      if (!symbol || symbol.empty())
        continue;
      Seen seen =
          symbols.try_emplace(symbol, Seen{size, static_cast<unsigned>(i)})
              .first->second;
      if (seen.size != size)
        return makeError(ExitCode::BadData,
                         "dim '" + symbol.getValue() + "' is " +
                             Twine(seen.size) + " in " +
                             getInputName(function, seen.input) + ", but " +
                             Twine(size) + " in " + getInputName(function, i));
    }
  }
  return Error::success();
}

Error qopt::checkInputs(func::FuncOp function, ArrayRef<HostTensor> inputs) {
  if (inputs.size() != function.getNumArguments())
    return makeError(ExitCode::BadData,
                     "expects " + Twine(function.getNumArguments()) +
                         " inputs, but found " + Twine(inputs.size()));
  for (auto [i, input] : llvm::enumerate(inputs))
    if (Error error = checkInput(function, i, input))
      return error;
  return checkSymbols(function, inputs);
}

//===- HostValue.h - What a value of a program is in a run ------*- C++ -*-===//
//
// A tensor, or the tensors of a sequence. An optional is a list as well: of the
// value that it holds, or of none.
//
//===----------------------------------------------------------------------===//

#ifndef LIB_REFERENCE_HOSTVALUE_H
#define LIB_REFERENCE_HOSTVALUE_H

#include "mlir/IR/Operation.h"
#include "qopt/Support/HostTensor.h"
#include <vector>

namespace qopt::reference {

class HostValue {
public:
  using List = std::vector<HostValue>;

  HostValue() = default;
  HostValue(HostTensor tensor) : tensor(std::move(tensor)) {}
  HostValue(List elements)
      : elements(std::make_shared<const List>(std::move(elements))) {}

  const HostTensor &getTensor() const {
    assert(!elements && "a list is no tensor");
    return tensor;
  }
  const List &getElements() const {
    assert(elements && "a tensor is no list");
    return *elements;
  }

private:
  HostTensor tensor;
  /// Null for a tensor.
  std::shared_ptr<const List> elements;
};

/// Evaluates an op of qopt with a sequence or optional among its operands and
/// results, of which it has one.
llvm::Expected<HostValue>
evaluateSequenceOp(mlir::Operation *op, llvm::ArrayRef<HostValue> operands);

} // namespace qopt::reference

#endif // LIB_REFERENCE_HOSTVALUE_H

//===- Composer.h - Operators written as several ops ------------*- C++ -*-===//
//
// Shorthands to write a formula down. A null operand, and a failed node, give
// null: the failure is known then, so that nothing on the way needs a check.
//
//===----------------------------------------------------------------------===//

#ifndef LIB_IMPORT_ONNX_COMPOSER_H
#define LIB_IMPORT_ONNX_COMPOSER_H

#include "NodeImporter.h"

namespace qopt::importer {

class Composer {
public:
  explicit Composer(NodeImporter &node) : node(node) {}

  //===--------------------------------------------------------------------===//
  // Constants
  //===--------------------------------------------------------------------===//

  /// A number of a type of floats or integers, rounded to it.
  mlir::Value number(double value, mlir::Type type);
  /// One that fits beside `like`.
  mlir::Value number(double value, mlir::Value like);
  /// A list of int64.
  mlir::Value integers(llvm::ArrayRef<int64_t> values);

  //===--------------------------------------------------------------------===//
  // Elements
  //===--------------------------------------------------------------------===//

  /// An op whose result has the element type of its first operand.
  template <typename OpTy>
  mlir::Value make(mlir::ArrayRef<mlir::Value> operands,
                   llvm::ArrayRef<mlir::NamedAttribute> attributes = {}) {
    if (!areKnown(operands))
      return {};
    return node.make<OpTy>(getElementType(operands.front()), operands,
                           attributes);
  }
  template <typename OpTy> mlir::Value of(mlir::Value x) {
    return make<OpTy>({x});
  }
  template <typename OpTy> mlir::Value of(mlir::Value x, mlir::Value y) {
    return make<OpTy>({x, y});
  }
  template <typename OpTy> mlir::Value of(mlir::Value x, double y) {
    return make<OpTy>({x, number(y, x)});
  }
  mlir::Value add(mlir::Value x, mlir::Value y);
  mlir::Value add(mlir::Value x, double y) { return add(x, number(y, x)); }
  mlir::Value sub(mlir::Value x, mlir::Value y);
  mlir::Value sub(mlir::Value x, double y) { return sub(x, number(y, x)); }
  mlir::Value sub(double x, mlir::Value y) { return sub(number(x, y), y); }
  mlir::Value mul(mlir::Value x, mlir::Value y);
  mlir::Value mul(mlir::Value x, double y) { return mul(x, number(y, x)); }
  mlir::Value div(mlir::Value x, mlir::Value y);
  mlir::Value div(mlir::Value x, double y) { return div(x, number(y, x)); }
  mlir::Value div(double x, mlir::Value y) { return div(number(x, y), y); }
  /// A comparison.
  template <typename OpTy> mlir::Value test(mlir::Value x, mlir::Value y) {
    if (!areKnown({x, y}))
      return {};
    return node.make<OpTy>(node.getBuilder().getI1Type(), {x, y});
  }
  template <typename OpTy> mlir::Value test(mlir::Value x, double y) {
    return test<OpTy>(x, number(y, x));
  }
  mlir::Value negate(mlir::Value condition);
  mlir::Value where(mlir::Value condition, mlir::Value x, mlir::Value y);
  mlir::Value where(mlir::Value condition, double x, mlir::Value y) {
    return where(condition, number(x, y), y);
  }
  mlir::Value where(mlir::Value condition, mlir::Value x, double y) {
    return where(condition, x, number(y, x));
  }
  /// Nothing where `x` has the type.
  mlir::Value cast(mlir::Value x, mlir::Type type);

  //===--------------------------------------------------------------------===//
  // Dims
  //===--------------------------------------------------------------------===//

  /// The dims [start, end) as a list.
  mlir::Value shapeOf(mlir::Value x, int64_t start, int64_t end);
  mlir::Value shapeOf(mlir::Value x);
  /// One dim as a list of one.
  mlir::Value dimOf(mlir::Value x, int64_t axis);
  /// The product of a list, as a list of one.
  mlir::Value productOf(mlir::Value list);
  /// To dims where 0 is one of `x` and -1 the rest.
  mlir::Value reshape(mlir::Value x, llvm::ArrayRef<int64_t> dims);
  /// To dims that are all sizes, 0 among them.
  mlir::Value reshape(mlir::Value x, mlir::Value dims);
  mlir::Value squeeze(mlir::Value x, llvm::ArrayRef<int64_t> axes);
  mlir::Value unsqueeze(mlir::Value x, llvm::ArrayRef<int64_t> axes);
  mlir::Value expand(mlir::Value x, mlir::Value dims);

  //===--------------------------------------------------------------------===//
  // Movement
  //===--------------------------------------------------------------------===//

  mlir::Value transpose(mlir::Value x, llvm::ArrayRef<int64_t> perm);
  mlir::Value swapAxes(mlir::Value x, int64_t a, int64_t b);
  mlir::Value concat(mlir::ArrayRef<mlir::Value> values, int64_t axis);
  /// Parts of these sizes; null values on failure.
  llvm::SmallVector<mlir::Value> split(mlir::Value x, int64_t axis,
                                       llvm::ArrayRef<int64_t> sizes);
  /// Elements [start, end) of an axis; ends as large as an i64 are the end.
  mlir::Value slice(mlir::Value x, int64_t axis, mlir::Value start,
                    mlir::Value end);
  mlir::Value slice(mlir::Value x, int64_t axis, int64_t start, int64_t end);
  mlir::Value gather(mlir::Value x, mlir::Value indices, int64_t axis);
  /// The elements from the end of the axis on.
  mlir::Value reverse(mlir::Value x, int64_t axis);
  /// start, start + delta ... below `limit`, of lists of one i64.
  mlir::Value range(mlir::Value start, mlir::Value limit);
  /// 0 ... dim - 1, as a list.
  mlir::Value positionsOf(mlir::Value x, int64_t axis);

  //===--------------------------------------------------------------------===//
  // Sums
  //===--------------------------------------------------------------------===//

  mlir::Value reduce(ReduceKind kind, mlir::Value x,
                     llvm::ArrayRef<int64_t> axes, bool keepDims = true);
  mlir::Value softmax(mlir::Value x, int64_t axis);
  mlir::Value matmul(mlir::Value x, mlir::Value y);

  NodeImporter &getNode() { return node; }

private:
  bool areKnown(mlir::ArrayRef<mlir::Value> values) const;

  NodeImporter &node;
};

} // namespace qopt::importer

#endif // LIB_IMPORT_ONNX_COMPOSER_H

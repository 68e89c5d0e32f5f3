//===- RecurrentImporter.h - What LSTM, GRU and RNN share -------*- C++ -*-===//
//
// The product of all steps' inputs and W is one matmul in front of the loop;
// each iteration adds that of the state and R. So both products have a weight
// that a preset knows, and the sums are, in this order,
//
//   (x W + (Wb + Rb)) + h R + p c
//
//===----------------------------------------------------------------------===//

#ifndef LIB_IMPORT_ONNX_RECURRENTIMPORTER_H
#define LIB_IMPORT_ONNX_RECURRENTIMPORTER_H

#include "Composer.h"
#include "ControlFlow.h"
#include "RecurrentActivations.h"

namespace qopt::importer {

/// How many gates and states a cell has, and its functions where a node names
/// none.
struct RecurrentKind {
  int64_t numGates, numStates;
  llvm::ArrayRef<llvm::StringRef> functions;
};

/// What a cell computes with, in one direction.
struct Direction {
  /// The parts of R that the state is multiplied with, each [hidden, columns].
  llvm::SmallVector<mlir::Value> r;
  /// Null where there are none.
  mlir::Value inputBias, stateBias, peepholes;
  llvm::ArrayRef<RecurrentActivation> functions;
};

class RecurrentImporter {
public:
  RecurrentImporter(NodeImporter &node, RecurrentKind kind)
      : node(node), kind(kind), x(node.getInput(0)), math(node) {}
  virtual ~RecurrentImporter() = default;

  mlir::LogicalResult run();

protected:
  /// From the products of one step's input to the next states. Null values
  /// where the node has failed.
  virtual llvm::SmallVector<mlir::Value>
  step(const Direction &direction, mlir::Value x,
       llvm::ArrayRef<mlir::Value> states) = 0;
  /// The biases of both products as `step` takes them.
  virtual void mergeBiases(Direction &direction, mlir::Value wb,
                           mlir::Value rb) {
    direction.inputBias = math.add(wb, rb);
  }
  virtual mlir::LogicalResult readAttributes() { return mlir::success(); }
  /// How the gates stand together in products of the state.
  virtual llvm::SmallVector<int64_t> getProductSizes() const {
    return {kind.numGates * hidden};
  }

  /// The last dim of a state, where the node does not say it.
  virtual int64_t findHidden();
  /// Checks W and R.
  virtual mlir::LogicalResult checkWeights();
  /// The products of all inputs and W.
  virtual mlir::Value multiplyInputs(int64_t direction);
  /// What `step` multiplies states with.
  virtual void readStateWeights(int64_t index, Direction &direction);

  /// Checks the dims of an operand, of which a negative one may be any.
  mlir::LogicalResult checkDims(size_t index, llvm::StringRef name,
                                llvm::ArrayRef<int64_t> dims);
  /// What an operand has for a direction, which is its first axis.
  mlir::Value pick(mlir::Value all, int64_t direction);
  /// `x` within the limits of the node, if it has any.
  mlir::Value clip(mlir::Value x);
  mlir::Value apply(const Direction &direction, int64_t function,
                    mlir::Value x) {
    return importer::apply(node, direction.functions[function], x);
  }
  llvm::SmallVector<mlir::Value> splitGates(mlir::Value x) {
    return math.split(x, 1, llvm::SmallVector<int64_t>(kind.numGates, hidden));
  }

  NodeImporter &node;
  RecurrentKind kind;
  mlir::Value x;
  Composer math;
  mlir::Type element = getElementType(x);
  int64_t hidden = 0, numDirections = 0;

private:
  mlir::LogicalResult readNode();
  mlir::LogicalResult checkOperand(size_t index, llvm::StringRef name,
                                   llvm::ArrayRef<int64_t> dims);
  mlir::LogicalResult checkOperands();
  mlir::LogicalResult readLengths();
  mlir::Value makeState(size_t index, int64_t direction);
  mlir::Value makeZeros(llvm::ArrayRef<mlir::Value> dims,
                        llvm::ArrayRef<int64_t> shape);
  mlir::Value makeNoOutputs();
  mlir::LogicalResult runDirection(int64_t index, bool isReverse);
  mlir::LogicalResult runStep(const Direction &direction, mlir::Value counter,
                              mlir::Value xt, mlir::ValueRange states,
                              Values &next, mlir::Value &row);
  mlir::Value reverseSequences(mlir::Value x);
  mlir::Value stack(llvm::ArrayRef<mlir::Value> values, int64_t axis);

  bool isBatchFirst = false;
  std::string directionName;
  float limit = 0;
  llvm::SmallVector<RecurrentActivation> functions;
  /// Of each sequence, [batch, 1]; null where all are whole.
  mlir::Value lengths, lengthList;
  /// Of all directions: what each step gives, and the last states.
  llvm::SmallVector<mlir::Value> outputs;
  llvm::SmallVector<llvm::SmallVector<mlir::Value>> lastStates;
};

/// Gates i, o, f and c; peepholes i, o and f.
class LstmImporter : public RecurrentImporter {
public:
  explicit LstmImporter(NodeImporter &node);

protected:
  /// The product of a state and R.
  virtual mlir::Value multiplyState(const Direction &direction,
                                    mlir::Value state);

private:
  mlir::LogicalResult readAttributes() override;
  llvm::SmallVector<mlir::Value>
  step(const Direction &direction, mlir::Value x,
       llvm::ArrayRef<mlir::Value> states) override;

  bool couplesGates = false;
};

} // namespace qopt::importer

#endif // LIB_IMPORT_ONNX_RECURRENTIMPORTER_H

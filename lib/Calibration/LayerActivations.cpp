//===- LayerActivations.cpp - What weights are multiplied with ------------===//
//
// Products that read one activation share what is known of it. Samples are
// added one after the other, so neither threads nor the runner decide a sum's
// order, nor which rows are kept.
//
//===----------------------------------------------------------------------===//

#include "qopt/Calibration/LayerActivations.h"
#include "dialects/QOpt/Quantization/FixedCacheSizes.h"
#include "dialects/QOpt/Quantization/WeightExpressions.h"
#include "mlir/IR/AsmState.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/ScopeExit.h"
#include <cmath>
#include <random>

using namespace mlir;
using namespace qopt;

namespace {
class MomentObserver {
public:
  MomentObserver(int64_t size, RowWeight weight)
      : weight(weight), sum(Matrix::Zero(size, size)) {}

  void add(const HostTensor &tensor) {
    int64_t size = sum.rows();
    llvm::ArrayRef<float> values = tensor.as<float>();
    int64_t rows = size ? static_cast<int64_t>(values.size()) / size : 0;
    Matrix scaled =
        Eigen::Map<const Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic,
                                       Eigen::RowMajor>>(values.data(), rows,
                                                         size)
            .cast<double>();
    for (int64_t row = 0; row < rows; ++row)
      // One such value would own every sum.
      if (!scaled.row(row).allFinite())
        scaled.row(row).setZero();
      else if (weight == RowWeight::InverseSquare)
        divideByNorm(scaled, row);
    sum.selfadjointView<Eigen::Upper>().rankUpdate(scaled.transpose());
  }

  DenseResourceElementsAttr finish(MLIRContext *context) {
    int64_t size = sum.rows();
    for (int64_t i = 0; i < size; ++i)
      for (int64_t j = 0; j < i; ++j)
        sum(i, j) = sum(j, i);
    auto type = RankedTensorType::get({size, size}, Float64Type::get(context));
    llvm::ArrayRef<double> values(sum.data(), sum.size());
    return DenseF64ResourceElementsAttr::get(
        type, "moments",
        HeapAsmResourceBlob::allocateAndCopyInferAlign(values));
  }

private:
  using Matrix =
      Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

  static void divideByNorm(Matrix &rows, int64_t row) {
    double squares = 0;
    for (int64_t i = 0; i < rows.cols(); ++i)
      squares += rows(row, i) * rows(row, i);
    if (squares > 0)
      rows.row(row) /= std::sqrt(squares);
  }

  RowWeight weight;
  Matrix sum;
};

/// Keeps rows of a stream, each with the same chance, in bounded memory.
class RowReservoir {
public:
  RowReservoir(int64_t size, int64_t capacity)
      : size(size), capacity(capacity) {}

  void add(const HostTensor &tensor) {
    llvm::ArrayRef<float> values = tensor.as<float>();
    for (; size && !values.empty(); values = values.drop_front(size))
      if (llvm::ArrayRef<float> row = values.take_front(size);
          llvm::all_of(row, [](float value) { return std::isfinite(value); }))
        addRow(row);
  }

  DenseResourceElementsAttr finish(MLIRContext *context) const {
    int64_t kept = size ? static_cast<int64_t>(rows.size()) / size : 0;
    auto type = RankedTensorType::get({kept, size}, Float32Type::get(context));
    return DenseF32ResourceElementsAttr::get(
        type, "rows",
        HeapAsmResourceBlob::allocateAndCopyInferAlign(
            llvm::ArrayRef<float>(rows)));
  }

private:
  void addRow(llvm::ArrayRef<float> row) {
    ++seen;
    if (static_cast<int64_t>(rows.size()) < capacity * size) {
      rows.insert(rows.end(), row.begin(), row.end());
      return;
    }
    uint64_t place = random() % seen;
    if (place < static_cast<uint64_t>(capacity))
      llvm::copy(row, rows.begin() + place * size);
  }

  int64_t size, capacity;
  uint64_t seen = 0;
  std::mt19937_64 random;
  std::vector<float> rows;
};

/// What is collected of one activation.
struct ActivationObserver {
  std::optional<MomentObserver> moments;
  std::optional<RowReservoir> rows;
};
} // namespace

std::vector<ProductGroup> qopt::findProductGroups(ModuleOp module) {
  llvm::MapVector<Value, ProductGroup> groups;
  module.lookupSymbol<func::FuncOp>("main").walk([&](Operation *op) {
    auto request = op->getAttrOfType<RequestAttr>(kRequestAttrName);
    auto view = getWeightedContraction(op);
    if (!request || request.getParams() == Params::Float ||
        !request.getWeight() || !view || view->isConvolution)
      return;
    Value activation = view->lhs.tensor;
    groups[activation].activation = activation;
    groups[activation].products.push_back(op);
  });
  std::vector<ProductGroup> found;
  for (auto &[activation, group] : groups)
    found.push_back(std::move(group));
  return found;
}

/// Of the weight, as the dims of the activation may be open.
static int64_t countProducts(Operation *user) {
  return *getWeightedContraction(user)->countProducts();
}

llvm::Error qopt::collectActivations(ModuleOp module,
                                     llvm::ArrayRef<ProductGroup> groups,
                                     const CalibrationData &data,
                                     const RoundingNeeds &needs,
                                     ProgramRunner &runner, SampleCut *cut) {
  useFixedCacheSizes();
  if (groups.empty() || !needs.any())
    return llvm::Error::success();
  std::vector<ActivationObserver> observers(groups.size());
  SmallVector<ObserveOp> ops;
  for (auto [id, group] : llvm::enumerate(groups)) {
    OpBuilder builder(module.getContext());
    builder.setInsertionPointAfterValue(group.activation);
    ops.push_back(ObserveOp::create(builder, group.activation.getLoc(),
                                    group.activation, id));
    int64_t size = countProducts(group.products.front());
    if (needs.moments)
      observers[id].moments.emplace(size, needs.rowWeight);
    if (needs.rows)
      observers[id].rows.emplace(size, needs.rows);
  }
  llvm::Error error = llvm::Error::success();
  {
    llvm::scope_exit eraseObservers([&] {
      for (ObserveOp op : ops)
        op.erase();
    });
    auto observe = [&](size_t, int64_t id, const HostTensor &tensor) {
      if (observers[id].moments)
        observers[id].moments->add(tensor);
      if (observers[id].rows)
        observers[id].rows->add(tensor);
    };
    error = cut ? cut->runSamples(module, data, runner, observe)
                : runSamples(module, data, runner, observe);
  }
  if (error)
    return error;
  MLIRContext *context = module.getContext();
  for (auto [group, observer] : llvm::zip_equal(groups, observers)) {
    Attribute moments, rows;
    if (observer.moments)
      moments = observer.moments->finish(context);
    if (observer.rows)
      rows = observer.rows->finish(context);
    for (Operation *product : group.products) {
      if (moments)
        product->setAttr(kMomentsAttrName, moments);
      if (rows)
        product->setAttr(kRowsAttrName, rows);
    }
  }
  return llvm::Error::success();
}

//===- Moments.cpp - Second moments of activations ------------------------===//
//
// Products that read one activation share its moments. Samples are added one
// after the other, so neither threads nor the runner decide a sum's order.
//
//===----------------------------------------------------------------------===//

#include "qopt/Calibration/Moments.h"
#include "dialects/QOpt/Quantization/FixedCacheSizes.h"
#include "dialects/QOpt/Quantization/WeightExpressions.h"
#include "mlir/IR/AsmState.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/ScopeExit.h"
#include <cmath>

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

using ProductsOfActivation = llvm::MapVector<Value, SmallVector<Operation *>>;
} // namespace

static ProductsOfActivation findProducts(func::FuncOp function) {
  ProductsOfActivation products;
  function.walk([&](Operation *op) {
    auto request = op->getAttrOfType<RequestAttr>(kRequestAttrName);
    auto view = getWeightedContraction(op);
    if (request && request.getParams() != Params::Float &&
        request.getWeight() && view && !view->isConvolution)
      products[view->lhs.tensor].push_back(op);
  });
  return products;
}

/// Of the weight, as the dims of the activation may be open.
static int64_t countProducts(Operation *user) {
  return *getWeightedContraction(user)->countProducts();
}

llvm::Error qopt::collectMoments(ModuleOp module, const CalibrationData &data,
                                 RowWeight weight, ProgramRunner &runner) {
  useFixedCacheSizes();
  auto function = module.lookupSymbol<func::FuncOp>("main");
  ProductsOfActivation products = findProducts(function);
  if (products.empty())
    return llvm::Error::success();
  std::vector<MomentObserver> observers;
  SmallVector<ObserveOp> ops;
  for (auto &[value, users] : products) {
    OpBuilder builder(value.getContext());
    builder.setInsertionPointAfterValue(value);
    ops.push_back(
        ObserveOp::create(builder, value.getLoc(), value, observers.size()));
    observers.emplace_back(countProducts(users.front()), weight);
  }
  llvm::Error error = llvm::Error::success();
  {
    llvm::scope_exit eraseObservers([&] {
      for (ObserveOp op : ops)
        op.erase();
    });
    error = runSamples(module, data, runner,
                       [&](size_t, int64_t id, const HostTensor &tensor) {
                         observers[id].add(tensor);
                       });
  }
  if (error)
    return error;
  for (auto [users, observer] :
       llvm::zip_equal(llvm::make_second_range(products), observers)) {
    DenseResourceElementsAttr moments = observer.finish(module.getContext());
    for (Operation *user : users)
      user->setAttr(kMomentsAttrName, moments);
  }
  return llvm::Error::success();
}

//===- Gptq.cpp - Rounding that makes up for its own errors ---------------===//
//
// All in f64 and in an order that is the same on every machine: Eigen's cuts
// are made for fixed cache sizes, and errors are passed on by loops of our own.
// A product that no sample reached is rounded to nearest.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/Quantization/Gptq.h"
#include "dialects/QOpt/Quantization/FixedCacheSizes.h"
#include "qopt/Support/CodedError.h"
#include "llvm/ADT/STLExtras.h"
#include <Eigen/Cholesky>
#include <numeric>

using namespace qopt;

using Matrix =
    Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using MatrixView = Eigen::Map<const Matrix>;

static std::vector<int64_t> orderOf(const MatrixView &hessian,
                                    bool ordersByMoment) {
  std::vector<int64_t> order(hessian.rows());
  std::iota(order.begin(), order.end(), 0);
  if (ordersByMoment)
    std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
      return hessian(a, a) > hessian(b, b);
    });
  return order;
}

/// The upper triangular U with U^T U = H^-1, H damped and in processing order.
static llvm::Expected<Matrix> factorize(const MatrixView &hessian,
                                        llvm::ArrayRef<int64_t> order,
                                        double damping) {
  int64_t size = hessian.rows();
  Matrix damped(size, size);
  for (int64_t i = 0; i < size; ++i)
    for (int64_t j = 0; j < size; ++j)
      damped(i, j) = hessian(order[i], order[j]);
  double mean = damped.trace() / static_cast<double>(size);
  for (int64_t i = 0; i < size; ++i) {
    if (damped(i, i) == 0)
      damped(i, i) = 1;
    damped(i, i) += damping * mean;
  }
  Eigen::LLT<Matrix> direct(damped);
  if (direct.info() != Eigen::Success)
    return makeError(ExitCode::BadData,
                     "second moments are not positive definite; more damping "
                     "makes them so");
  Eigen::LLT<Matrix> inverse(direct.solve(Matrix::Identity(size, size)));
  if (inverse.info() != Eigen::Success)
    return makeError(ExitCode::BadData,
                     "second moments cannot be inverted; more damping helps");
  return Matrix(inverse.matrixU());
}

llvm::Expected<std::vector<double>> qopt::gptq(const GptqProblem &problem,
                                               const GptqOptions &options,
                                               RoundWeight round) {
  useFixedCacheSizes();
  int64_t outputs = problem.outputs, products = problem.products;
  MatrixView hessian(problem.hessian.data(), products, products);
  std::vector<int64_t> order = orderOf(hessian, options.ordersByMoment);
  auto factor = factorize(hessian, order, options.damping);
  if (!factor)
    return factor.takeError();
  const Matrix &u = *factor;

  // Columns in processing order, each with its outputs side by side.
  Eigen::MatrixXd weight(outputs, products), errors(outputs, products);
  for (int64_t j = 0; j < products; ++j)
    for (int64_t n = 0; n < outputs; ++n)
      weight(n, j) = problem.weight[n * products + order[j]];

  std::vector<double> rounded(problem.weight.size());
  for (int64_t first = 0; first < products; first += options.batch) {
    int64_t last = std::min(first + options.batch, products);
    for (int64_t j = first; j < last; ++j) {
      for (int64_t n = 0; n < outputs; ++n) {
        double value = round(n, order[j], weight(n, j));
        rounded[n * products + order[j]] = value;
        errors(n, j) = (weight(n, j) - value) / u(j, j);
      }
      for (int64_t later = j + 1; later < last; ++later)
        weight.col(later) -= errors.col(j) * u(j, later);
    }
    for (int64_t later = last; later < products; ++later)
      for (int64_t j = first; j < last; ++j)
        weight.col(later) -= errors.col(j) * u(j, later);
  }
  return rounded;
}

double qopt::proxyLoss(const GptqProblem &problem,
                       llvm::ArrayRef<double> rounded) {
  useFixedCacheSizes();
  MatrixView hessian(problem.hessian.data(), problem.products,
                     problem.products);
  Matrix difference =
      MatrixView(problem.weight.data(), problem.outputs, problem.products) -
      MatrixView(rounded.data(), problem.outputs, problem.products);
  Matrix product = difference * hessian;
  double sum = 0;
  for (int64_t i = 0; i < product.size(); ++i)
    sum += product.data()[i] * difference.data()[i];
  return sum;
}

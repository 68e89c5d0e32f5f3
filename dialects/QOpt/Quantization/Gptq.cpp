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
#include <limits>
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

/// The upper triangular U with U^T U = H^-1, H damped and in processing order;
/// nothing where damped moments are not positive definite.
static std::optional<Matrix> factorize(const MatrixView &hessian,
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
    return std::nullopt;
  Eigen::LLT<Matrix> inverse(direct.solve(Matrix::Identity(size, size)));
  if (inverse.info() != Eigen::Success)
    return std::nullopt;
  return Matrix(inverse.matrixU());
}

llvm::Expected<GptqFactor> qopt::factorMoments(llvm::ArrayRef<double> moments,
                                               int64_t products,
                                               const GptqOptions &options) {
  useFixedCacheSizes();
  MatrixView hessian(moments.data(), products, products);
  GptqFactor factor{orderOf(hessian, options.ordersByMoment), {}};
  // Ten times the damping, as often as it takes.
  for (double damping = options.damping;;
       damping = std::min(10 * damping, 1.0)) {
    if (auto upper = factorize(hessian, factor.order, damping)) {
      factor.upper.assign(upper->data(), upper->data() + upper->size());
      return factor;
    }
    if (damping >= 1)
      return makeError(ExitCode::BadData,
                       "second moments are not positive definite");
  }
}

namespace {
/// The weights, columns in processing order, each with its outputs side by
/// side.
class Columns {
public:
  Columns(const GptqProblem &problem, const GptqFactor &factor,
          RoundWeight round)
      : weight(problem.outputs, problem.products),
        errors(problem.outputs, problem.products), order(factor.order),
        u(factor.upper.data(), problem.products, problem.products),
        round(round), rounded(problem.weight.size()) {
    for (int64_t j = 0; j < problem.products; ++j)
      for (int64_t n = 0; n < problem.outputs; ++n)
        weight(n, j) = problem.weight[n * problem.products + order[j]];
  }

  /// Rounds columns one after the other, and passes their errors on to those
  /// up to `last`.
  void roundColumns(int64_t first, int64_t end, int64_t last) {
    for (int64_t j = first; j < end; ++j) {
      for (int64_t n = 0; n < weight.rows(); ++n) {
        double value = round(n, order[j], weight(n, j));
        rounded[n * weight.cols() + order[j]] = value;
        errors(n, j) = (weight(n, j) - value) / u(j, j);
      }
      passOn(j, j + 1, j + 1, last);
    }
  }

  /// Passes the errors of columns [first, end) on to those of [next, last).
  void passOn(int64_t first, int64_t end, int64_t next, int64_t last) {
    for (int64_t later = next; later < last; ++later)
      for (int64_t j = first; j < end; ++j)
        weight.col(later) -= errors.col(j) * u(j, later);
  }

  /// Gives the block of columns [first, end) of each output the scale that
  /// leaves the least error in it.
  void chooseScales(const ScaleChoices &choices, int64_t first, int64_t end) {
    int64_t outputs = weight.rows(), size = end - first;
    Matrix values = weight.middleCols(first, size);
    auto take = [&](int64_t output, int64_t which) {
      choices.take(output, first,
                   llvm::ArrayRef(values.data() + output * size, size), which);
    };
    std::vector<int64_t> best(outputs, 0);
    std::vector<double> least(outputs, std::numeric_limits<double>::infinity());
    for (int64_t which = 0; which < choices.count; ++which) {
      for (int64_t n = 0; n < outputs; ++n)
        take(n, which);
      roundColumns(first, end, end);
      weight.middleCols(first, size) = values;
      for (int64_t n = 0; n < outputs; ++n) {
        double error = errors.row(n).segment(first, size).squaredNorm();
        if (error >= least[n])
          continue;
        least[n] = error;
        best[n] = which;
      }
    }
    for (int64_t n = 0; n < outputs; ++n)
      take(n, best[n]);
  }

  std::vector<double> takeRounded() { return std::move(rounded); }

private:
  Eigen::MatrixXd weight, errors;
  llvm::ArrayRef<int64_t> order;
  MatrixView u;
  RoundWeight round;
  std::vector<double> rounded;
};
} // namespace

std::vector<double> qopt::gptq(const GptqProblem &problem,
                               const GptqFactor &factor,
                               const GptqOptions &options, RoundWeight round,
                               const ScaleChoices *choices) {
  int64_t products = problem.products;
  assert((!choices || llvm::is_sorted(factor.order)) &&
         "blocks are rounded in their own order");
  Columns columns(problem, factor, round);
  int64_t block = choices ? choices->block : options.batch;
  int64_t batch = llvm::alignTo(options.batch, block);
  for (int64_t first = 0; first < products; first += batch) {
    int64_t last = std::min(first + batch, products);
    for (int64_t start = first; start < last; start += block) {
      int64_t end = std::min(start + block, last);
      if (choices)
        columns.chooseScales(*choices, start, end);
      columns.roundColumns(start, end, last);
    }
    columns.passOn(first, last, last, products);
  }
  return columns.takeRounded();
}

void qopt::refine(const GptqProblem &problem, int64_t rounds,
                  std::vector<double> &rounded, RoundWeight round) {
  if (rounds == 0)
    return;
  useFixedCacheSizes();
  int64_t outputs = problem.outputs, products = problem.products;
  MatrixView hessian(problem.hessian.data(), products, products);
  Eigen::Map<Matrix> values(rounded.data(), outputs, products);
  Matrix slope =
      (values - MatrixView(problem.weight.data(), outputs, products)) * hessian;
  // Outputs have nothing to do with each other.
  for (int64_t n = 0; n < outputs; ++n) {
    bool changes = true;
    for (int64_t i = 0; i < rounds && changes; ++i) {
      changes = false;
      for (int64_t k = 0; k < products; ++k) {
        if (!(hessian(k, k) > 0))
          continue;
        double before = values(n, k);
        double value = round(n, k, before - slope(n, k) / hessian(k, k));
        if (value == before)
          continue;
        values(n, k) = value;
        slope.row(n) += (value - before) * hessian.row(k);
        changes = true;
      }
    }
  }
}

double qopt::proxyLoss(const GptqProblem &problem,
                       llvm::ArrayRef<double> rounded) {
  useFixedCacheSizes();
  int64_t products = problem.products;
  Matrix difference =
      MatrixView(problem.weight.data(), problem.outputs, products) -
      MatrixView(rounded.data(), problem.outputs, products);
  // The sum of the products of the elements of D^T D and H, both symmetric:
  // half the work of D H.
  Matrix squares = Matrix::Zero(products, products);
  squares.selfadjointView<Eigen::Upper>().rankUpdate(difference.transpose());
  MatrixView hessian(problem.hessian.data(), products, products);
  double sum = 0;
  for (int64_t i = 0; i < products; ++i) {
    sum += squares(i, i) * hessian(i, i);
    for (int64_t j = i + 1; j < products; ++j)
      sum += 2 * squares(i, j) * hessian(i, j);
  }
  return sum;
}

//===- RunCompare.cpp - Results against expectations ----------------------===//
//
// A NaN where a number is expected, or the other way round, is worse than any
// distance.
//
//===----------------------------------------------------------------------===//

#include "RunCompare.h"

#include "RunElements.h"
#include "qopt/Support/CodedError.h"
#include "qopt/Support/Notes.h"
#include "qopt/Support/Npz.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"
#include <cmath>
#include <limits>

using namespace qopt;
using llvm::StringRef;

static constexpr double kDefaultFloatTolerance = 1e-5;

namespace {
/// What is allowed for elements of one type.
struct Bounds {
  double absolute, relative;
};
} // namespace

static Bounds getBounds(const Tolerance &tolerance, ElementType type) {
  double byDefault = isFloatType(type) ? kDefaultFloatTolerance : 0;
  return {tolerance.absolute.value_or(byDefault),
          tolerance.relative.value_or(byDefault)};
}

/// `1e-5`, without the zero that C writes into exponents.
static std::string formatNumber(double number) {
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format("%g", number);
  if (size_t at = text.find("e-0"); at != std::string::npos)
    text.erase(at + 2, 1);
  return text;
}

std::string qopt::describeTolerance(const Tolerance &tolerance,
                                    llvm::ArrayRef<ModelValue> outputs) {
  if (tolerance.minSqnrInDecibels)
    return "SQNR at least " + formatNumber(*tolerance.minSqnrInDecibels) +
           " dB";
  auto describe = [&](ElementType type) {
    Bounds bounds = getBounds(tolerance, type);
    return "atol " + formatNumber(bounds.absolute) + ", rtol " +
           formatNumber(bounds.relative);
  };
  auto isFloat = [](const ModelValue &output) {
    return isFloatType(output.type);
  };
  std::string floats = describe(ElementType::F32);
  std::string integers = describe(ElementType::I8);
  if (floats == integers || llvm::all_of(outputs, isFloat))
    return floats;
  if (llvm::none_of(outputs, isFloat))
    return integers;
  return "floats " + floats + "; integers " + integers;
}

/// How far `found` is beyond what is allowed; at most 0 when it is not.
static long double computeExcess(long double found, long double expected,
                                 long double absolute, long double relative) {
  if (found == expected || (std::isnan(found) && std::isnan(expected)))
    return -1;
  if (!std::isfinite(found) || !std::isfinite(expected))
    return std::numeric_limits<long double>::infinity();
  return std::fabs(found - expected) -
         (absolute + relative * std::fabs(expected));
}

static llvm::SmallVector<int64_t> computeIndex(int64_t element,
                                               llvm::ArrayRef<int64_t> dims) {
  llvm::SmallVector<int64_t> index(dims.size());
  for (size_t axis = dims.size(); axis-- > 0; element /= dims[axis])
    index[axis] = element % dims[axis];
  return index;
}

Comparison qopt::compareTensors(const HostTensor &found,
                                const HostTensor &expected,
                                const Tolerance &tolerance) {
  Bounds bounds = getBounds(tolerance, found.getType());
  Comparison comparison;
  comparison.numElements = found.getNumElements();
  long double worst = 0;
  for (int64_t i = 0; i < comparison.numElements; ++i) {
    long double x = readElement(found, i), e = readElement(expected, i);
    long double excess = computeExcess(x, e, bounds.absolute, bounds.relative);
    if (excess <= 0)
      continue;
    if (comparison.numDifferent++ > 0 && excess <= worst)
      continue;
    worst = excess;
    comparison.worstIndex = computeIndex(i, found.getDims());
    comparison.worstFound = x;
    comparison.worstExpected = e;
  }
  return comparison;
}

Distance qopt::measureDistance(const HostTensor &found,
                               const HostTensor &expected) {
  DistanceSums sums;
  for (int64_t i = 0, e = found.getNumElements(); i < e; ++i)
    sums.add(readElement(found, i), readElement(expected, i));
  return sums.get();
}

static std::string describe(const HostTensor &tensor) {
  return formatDims(tensor.getDims()) + " " + getName(tensor.getType()).str();
}

/// Why `found` is further from `expected` than `minimum`; empty if it is not.
/// An SQNR that is no number keeps no bound.
static std::string findDistance(const HostTensor &found,
                                const HostTensor &expected, double minimum) {
  Distance distance = measureDistance(found, expected);
  if (distance.isEqual() || distance.sqnrInDecibels >= minimum)
    return "";
  std::string text;
  llvm::raw_string_ostream(text)
      << "expected an SQNR of at least " << formatNumber(minimum)
      << " dB, but found " << llvm::format("%.1f", distance.sqnrInDecibels)
      << " dB";
  return text;
}

/// Why `found` is not `expected`; empty if it is.
static std::string findDifference(const HostTensor &found,
                                  const HostTensor &expected,
                                  const Tolerance &tolerance) {
  if (found.getDims() != expected.getDims() ||
      found.getType() != expected.getType())
    return "expected " + describe(expected) + ", but found " + describe(found);
  if (tolerance.minSqnrInDecibels)
    return findDistance(found, expected, *tolerance.minSqnrInDecibels);
  Comparison comparison = compareTensors(found, expected, tolerance);
  if (comparison.numDifferent == 0)
    return "";
  std::string text;
  llvm::raw_string_ostream os(text);
  os << comparison.numDifferent << " of " << comparison.numElements
     << " elements differ; the worst is [";
  llvm::interleaveComma(comparison.worstIndex, os);
  os << "]: expected "
     << llvm::format("%.9g", static_cast<double>(comparison.worstExpected))
     << ", but found "
     << llvm::format("%.9g", static_cast<double>(comparison.worstFound));
  return text;
}

llvm::Error qopt::compareResults(llvm::ArrayRef<ModelValue> outputs,
                                 llvm::ArrayRef<HostTensor> results,
                                 llvm::ArrayRef<HostTensor> expected,
                                 StringRef what, const Tolerance &tolerance) {
  std::string differences;
  for (auto [output, result, wanted] :
       llvm::zip_equal(outputs, results, expected)) {
    std::string difference = findDifference(result, wanted, tolerance);
    if (difference.empty())
      continue;
    differences +=
        (differences.empty() ? "" : "\n") +
        (what + ": output \"" + output.name + "\": " + difference).str();
  }
  if (differences.empty())
    return llvm::Error::success();
  return makeError(ExitCode::NotAccurate, differences);
}

llvm::Expected<std::vector<HostTensor>>
qopt::readExpectations(llvm::ArrayRef<ModelValue> outputs, StringRef path) {
  llvm::Expected<std::vector<NamedTensor>> arrays = readNpz(path);
  if (!arrays)
    return withNote(arrays.takeError(), ExitCode::BadData,
                    "numpy.savez(FILE, NAME=array) writes such a file");
  std::vector<HostTensor> expected;
  for (const ModelValue &output : outputs) {
    auto array = llvm::find_if(*arrays, [&](const NamedTensor &candidate) {
      return candidate.name == output.name;
    });
    if (array == arrays->end())
      return makeError(ExitCode::BadData,
                       path + ": output \"" + output.name +
                           "\" is missing\nnote: the file has one array for "
                           "each output, as --outputs writes it");
    HostTensor tensor = array->tensor;
    if (tensor.getType() == getNumpyType(output.type))
      tensor = tensor.bitcast(output.type);
    expected.push_back(std::move(tensor));
  }
  for (const NamedTensor &array : *arrays)
    if (llvm::none_of(outputs, [&](const ModelValue &output) {
          return output.name == array.name;
        }))
      return makeError(ExitCode::BadData,
                       path + ": the model has no output \"" + array.name +
                           "\"\nnote: the file has one array "
                           "for each output, as --outputs "
                           "writes it");
  return expected;
}

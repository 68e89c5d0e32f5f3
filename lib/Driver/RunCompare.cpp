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

static constexpr double defaultFloatTolerance = 1e-5;

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
  double byDefault = isFloatType(found.getType()) ? defaultFloatTolerance : 0;
  long double absolute = tolerance.absolute.value_or(byDefault);
  long double relative = tolerance.relative.value_or(byDefault);
  Comparison comparison;
  comparison.numElements = found.getNumElements();
  long double worst = 0;
  for (int64_t i = 0; i < comparison.numElements; ++i) {
    long double x = readElement(found, i), e = readElement(expected, i);
    long double excess = computeExcess(x, e, absolute, relative);
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

/// Why `found` is not `expected`; empty if it is.
static std::string findDifference(const HostTensor &found,
                                  const HostTensor &expected,
                                  const Tolerance &tolerance) {
  if (found.getDims() != expected.getDims() ||
      found.getType() != expected.getType())
    return "expected " + describe(expected) + ", but found " + describe(found);
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

llvm::Error qopt::compareWithFile(llvm::ArrayRef<ModelValue> outputs,
                                  llvm::ArrayRef<HostTensor> results,
                                  StringRef path, const Tolerance &tolerance) {
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
  return compareResults(outputs, results, expected, path, tolerance);
}

//===- Samples.cpp - Find and read calibration samples --------------------===//
//
// A sample that does not fit the model is an error that names the file, the
// array, and what was expected.
//
//===----------------------------------------------------------------------===//

#include "qopt/Calibration/Calibrate.h"
#include "qopt/Support/CodedError.h"
#include "qopt/Support/Digest.h"
#include "qopt/Support/Npz.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace mlir;
using namespace qopt;

llvm::Expected<CalibrationData> CalibrationData::find(llvm::StringRef path) {
  CalibrationData data;
  if (!llvm::sys::fs::exists(path))
    return makeError(ExitCode::NoResource,
                     "calibration data '" + path + "' does not exist");
  if (!llvm::sys::fs::is_directory(path)) {
    data.files.push_back(path.str());
    return data;
  }
  std::error_code code;
  for (llvm::sys::fs::directory_iterator it(path, code), end;
       it != end && !code; it.increment(code))
    if (llvm::sys::path::extension(it->path()) == ".npz")
      data.files.push_back(it->path());
  if (code)
    return makeError(ExitCode::NoResource, "cannot list calibration data '" +
                                               path + "': " + code.message());
  if (data.files.empty())
    return makeError(ExitCode::NoResource,
                     "calibration data '" + path + "' holds no .npz file");
  llvm::sort(data.files);
  return data;
}

/// Samples of which one is held back.
static constexpr size_t kSplit = 4;

static CalibrationData select(const CalibrationData &data, bool isHeldBack) {
  CalibrationData part;
  for (auto [i, file] : llvm::enumerate(data.files))
    if ((i % kSplit == kSplit - 1) == isHeldBack)
      part.files.push_back(file);
  return part;
}

CalibrationData CalibrationData::fitted() const {
  return select(*this, /*isHeldBack=*/false);
}

CalibrationData CalibrationData::heldBack() const {
  return select(*this, /*isHeldBack=*/true);
}

static llvm::Error checkArray(llvm::StringRef path, llvm::StringRef name,
                              const HostTensor &tensor, RankedTensorType type) {
  auto fail = [&](const llvm::Twine &what) {
    return makeError(ExitCode::BadData,
                     path + ": array '" + name + "' " + what);
  };
  auto expected = getHostElementType(type.getElementType());
  if (!expected || tensor.getType() != getNumpyType(*expected))
    return fail("expects elements of type " +
                (expected ? getName(*expected) : "unknown") + ", but found " +
                getName(tensor.getType()));
  if (tensor.getRank() != type.getRank())
    return fail("expects rank " + llvm::Twine(type.getRank()) + ", but found " +
                formatDims(tensor.getDims()));
  for (auto [axis, dim] : llvm::enumerate(type.getShape()))
    if (!ShapedType::isDynamic(dim) && dim != tensor.getDims()[axis])
      return fail("expects size " + llvm::Twine(dim) + " on axis " +
                  llvm::Twine(axis) + ", but found " +
                  formatDims(tensor.getDims()));
  return llvm::Error::success();
}

std::string qopt::nameOfInput(func::FuncOp function, unsigned index) {
  auto name = function.getArgAttrOfType<StringAttr>(index, kNameAttrName);
  return name ? name.getValue().str() : "arg" + std::to_string(index);
}

llvm::Expected<SmallVector<HostTensor>>
qopt::readSample(llvm::StringRef path, func::FuncOp function) {
  auto arrays = readNpz(path);
  if (!arrays)
    return arrays.takeError();
  SmallVector<HostTensor> inputs;
  for (unsigned i = 0; i < function.getNumArguments(); ++i) {
    std::string wanted = nameOfInput(function, i);
    auto found = llvm::find_if(*arrays, [&](const NamedTensor &array) {
      return array.name == wanted;
    });
    if (found == arrays->end()) {
      std::string names;
      for (const NamedTensor &array : *arrays)
        names += (names.empty() ? "" : ", ") + array.name;
      return makeError(ExitCode::BadData, path + ": expects an array '" +
                                              wanted + "', but found " +
                                              (names.empty() ? "none" : names));
    }
    auto type = cast<RankedTensorType>(function.getArgument(i).getType());
    if (llvm::Error error = checkArray(path, wanted, found->tensor, type))
      return std::move(error);
    inputs.push_back(
        found->tensor.bitcast(*getHostElementType(type.getElementType())));
  }
  return inputs;
}

namespace {
/// The values of one input over all samples.
class InputWatch {
public:
  /// Numbers whose range a quantizer may take: floats and images.
  static bool watches(const HostTensor &tensor) {
    return tensor.getType() == ElementType::F32 ||
           tensor.getType() == ElementType::U8;
  }

  void add(const HostTensor &tensor) {
    numElements += tensor.getNumElements();
    int64_t size = getBytesPerElement(tensor.getType());
    llvm::StringRef bytes(tensor.getBytes().data(), tensor.getBytes().size());
    if (first.empty())
      first = bytes.take_front(size).str();
    for (; isConstant && !bytes.empty(); bytes = bytes.drop_front(size))
      isConstant = bytes.starts_with(first);
  }
  bool isOneValue() const { return isConstant && numElements > 1; }

private:
  bool isConstant = true;
  int64_t numElements = 0;
  std::string first;
};
} // namespace

llvm::Error qopt::checkSamples(func::FuncOp function,
                               const CalibrationData &data,
                               Warnings &warnings) {
  std::vector<std::string> digests;
  std::vector<InputWatch> watches(function.getNumArguments());
  for (const std::string &file : data.files) {
    auto inputs = readSample(file, function);
    if (!inputs)
      return inputs.takeError();
    std::string digest;
    for (auto [i, input] : llvm::enumerate(*inputs)) {
      if (input.getNumElements() == 0)
        warnings.push_back(file + ": array '" + nameOfInput(function, i) +
                           "' is empty, so the sample may show nothing");
      if (InputWatch::watches(input))
        watches[i].add(input);
      digest += formatDigest(computeSha256(
          llvm::StringRef(input.getBytes().data(), input.getBytes().size())));
    }
    digests.push_back(std::move(digest));
  }
  if (digests.size() > 1 && llvm::all_equal(digests))
    warnings.push_back("the " + std::to_string(digests.size()) +
                       " samples are all equal; ranges are those of one");
  for (auto [i, watch] : llvm::enumerate(watches))
    if (watch.isOneValue())
      warnings.push_back("input '" + nameOfInput(function, i) +
                         "' is one and the same value in all samples; ranges "
                         "will not fit other data");
  return llvm::Error::success();
}

//===- Samples.cpp - Find and read calibration samples --------------------===//
//
// A sample that does not fit the model is an error that names the file, the
// array, and what was expected.
//
//===----------------------------------------------------------------------===//

#include "qopt/Calibration/Calibrate.h"
#include "qopt/Support/CodedError.h"
#include "qopt/Support/Npz.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include <cmath>

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
    return makeError(ExitCode::BadUse,
                     "calibration data '" + path + "' holds no .npz file");
  llvm::sort(data.files);
  return data;
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
  if (type.getElementType().isF32())
    for (auto [i, value] : llvm::enumerate(tensor.as<float>()))
      if (!std::isfinite(value))
        return fail("holds NaN or infinity at element " + llvm::Twine(i));
  return llvm::Error::success();
}

llvm::Expected<SmallVector<HostTensor>>
qopt::readSample(llvm::StringRef path, func::FuncOp function) {
  auto arrays = readNpz(path);
  if (!arrays)
    return arrays.takeError();
  SmallVector<HostTensor> inputs;
  for (unsigned i = 0; i < function.getNumArguments(); ++i) {
    auto name = function.getArgAttrOfType<StringAttr>(i, kNameAttrName);
    std::string wanted =
        name ? name.getValue().str() : ("arg" + std::to_string(i));
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

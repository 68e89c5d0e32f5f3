//===- InputShapes.cpp - Dims that a user gives to inputs -----------------===//
//
// The grammar alone; the importer holds entries against the model.
//
//===----------------------------------------------------------------------===//

#include "qopt/Import/ONNX/InputShapes.h"
#include "qopt/Support/CodedError.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include <limits>

using namespace qopt;
using llvm::StringRef;
using llvm::Twine;

static llvm::Error badEntry(StringRef entry, const Twine &what) {
  return makeError(ExitCode::BadUse, "--shapes '" + entry + "': " + what);
}

static llvm::Expected<std::optional<int64_t>> parseDim(StringRef text,
                                                       StringRef entry) {
  static constexpr int64_t kMaxDim = std::numeric_limits<int32_t>::max();
  if (text == "?")
    return std::nullopt;
  StringRef digits = text;
  digits.consume_front("-");
  if (digits.empty() || !llvm::all_of(digits, llvm::isDigit))
    return badEntry(entry, "expects a size or ?, but found '" + text + "'");
  int64_t dim;
  if (text.getAsInteger(10, dim) || dim < 1 || dim > kMaxDim)
    return badEntry(entry, "expects sizes from 1 to " + Twine(kMaxDim) +
                               ", but found " + text +
                               "\nnote: write ? for a dim that stays open");
  return dim;
}

static llvm::Expected<InputShape> parseEntry(StringRef entry) {
  auto [name, dims] = entry.rsplit(':');
  if (!entry.contains(':') || name.empty())
    return badEntry(entry, "expects NAME:DIMS as in x:1x3x224x224");
  InputShape shape{entry.str(), name.str(), {}};
  if (dims.empty())
    return shape;
  for (StringRef text : llvm::split(dims, 'x')) {
    auto dim = parseDim(text, entry);
    if (!dim)
      return dim.takeError();
    shape.dims.push_back(*dim);
  }
  return shape;
}

llvm::Expected<std::vector<InputShape>> qopt::parseShapes(StringRef text) {
  std::vector<InputShape> shapes;
  for (StringRef entry : llvm::split(text, ',')) {
    auto shape = parseEntry(entry);
    if (!shape)
      return shape.takeError();
    for (const InputShape &other : shapes)
      if (other.input == shape->input)
        return badEntry(entry, "names an input that '" + other.text +
                                   "' names before");
    shapes.push_back(std::move(*shape));
  }
  return shapes;
}

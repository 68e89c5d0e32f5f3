//===- RunInputs.cpp - Where the inputs of runs come from -----------------===//
//
// Random numbers are our own: those of the standard library differ between
// its versions.
//
//===----------------------------------------------------------------------===//

#include "RunInputs.h"

#include "RunElements.h"
#include "qopt/Support/CodedError.h"
#include "qopt/Support/Npz.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace qopt;
using llvm::StringRef;

llvm::Expected<std::vector<std::string>> qopt::listSamples(StringRef folder) {
  std::vector<std::string> files;
  std::error_code code;
  for (llvm::sys::fs::directory_iterator it(folder, code), end;
       it != end && !code; it.increment(code))
    if (llvm::sys::path::extension(it->path()) == ".npz")
      files.push_back(it->path());
  if (code)
    return makeError(ExitCode::NoResource,
                     "cannot list '" + folder + "': " + code.message());
  if (files.empty())
    return makeError(ExitCode::NoResource,
                     "the folder '" + folder + "' holds no .npz file");
  llvm::sort(files);
  return files;
}

//===----------------------------------------------------------------------===//
// Random elements
//===----------------------------------------------------------------------===//

namespace {
/// SplitMix64: well distributed from any seed on.
class RandomBits {
public:
  RandomBits(uint64_t seed, StringRef name) : state(seed) {
    for (char letter : name)
      state = next() ^ static_cast<unsigned char>(letter);
  }
  uint64_t next() {
    uint64_t bits = state += 0x9e3779b97f4a7c15;
    bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9;
    bits = (bits ^ (bits >> 27)) * 0x94d049bb133111eb;
    return bits ^ (bits >> 31);
  }

private:
  uint64_t state;
};
} // namespace

/// Floats from [-1, 1); bytes and narrower integers of any value; wider ones,
/// which are mostly indices and masks, 0 or 1.
static double makeRandomElement(ElementType type, RandomBits &random) {
  if (isFloatType(type))
    return static_cast<double>(random.next() >> 11) / (1ull << 52) - 1;
  IntegerRange range = getIntegerRange(type);
  if (getBytesPerElement(type) > 1)
    return random.next() & 1;
  auto count = static_cast<uint64_t>(range.max - range.min) + 1;
  return static_cast<double>(range.min) +
         static_cast<double>(random.next() % count);
}

//===----------------------------------------------------------------------===//
// The grammar of --input
//===----------------------------------------------------------------------===//

static llvm::Error badSpec(StringRef spec, const llvm::Twine &what) {
  return makeError(ExitCode::BadUse, "--input '" + spec + "': " + what);
}

/// Splits off the name. Names may hold any character, so the declared ones
/// decide where it ends.
static llvm::Expected<const ModelValue *>
takeName(StringRef &rest, StringRef spec, llvm::ArrayRef<ModelValue> inputs) {
  const ModelValue *longest = nullptr;
  for (const ModelValue &input : inputs)
    if (spec.starts_with(input.name + "=") &&
        (!longest || input.name.size() > longest->name.size()))
      longest = &input;
  if (longest) {
    rest = spec.drop_front(longest->name.size() + 1);
    return longest;
  }
  if (!spec.contains('='))
    return badSpec(spec, "expects NAME=@FILE.npy or NAME=2x3xf32[=VALUE]");
  std::string names =
      llvm::join(llvm::map_range(inputs,
                                 [](const ModelValue &input) {
                                   return "\"" + input.name + "\"";
                                 }),
                 ", ");
  return badSpec(spec, "the model has no such input; it has " +
                           (names.empty() ? "none" : names));
}

std::string qopt::formatInput(const ModelValue &input) {
  std::string text = input.name + "=";
  for (int64_t dim : input.dims)
    text += (dim < 0 ? "?" : std::to_string(dim)) + "x";
  return text + getName(input.type).str();
}

bool qopt::canTake(const ModelValue &input, llvm::ArrayRef<int64_t> dims,
                   ElementType type) {
  return (type == input.type || type == getNumpyType(input.type)) &&
         dims.size() == input.dims.size() &&
         llvm::all_of(llvm::zip_equal(dims, input.dims), [](auto pair) {
           auto [dim, declared] = pair;
           return declared < 0 || dim == declared;
         });
}

/// `2x3xf32`, or `f32` for a scalar, as `input` can have it.
static llvm::Expected<HostTensor> allocateShape(StringRef shape, StringRef spec,
                                                const ModelValue &input) {
  llvm::SmallVector<StringRef> parts;
  shape.split(parts, 'x');
  std::optional<ElementType> type = findElementType(parts.pop_back_val());
  if (!type)
    return badSpec(spec, "expects a shape and type as in 2x3xf32, but found '" +
                             shape + "'");
  llvm::SmallVector<int64_t> dims;
  for (StringRef part : parts) {
    int64_t dim = 0;
    if (part.getAsInteger(10, dim) || dim < 0)
      return badSpec(spec, "expects a size, but found '" + part + "'");
    dims.push_back(dim);
  }
  if (!canTake(input, dims, *type))
    return badSpec(spec, "expects " + formatInput(input) + ", but found " +
                             input.name + "=" + shape);
  llvm::Expected<HostTensor> tensor = HostTensor::allocate(*type, dims);
  if (tensor)
    return tensor;
  ExitCode code;
  std::string text = takeMessage(tensor.takeError(), code);
  return code == ExitCode::BadData ? badSpec(spec, text)
                                   : makeError(code, text);
}

static llvm::Error fill(HostTensor &tensor, StringRef value, StringRef spec) {
  double number = 0;
  if (value.getAsDouble(number))
    return badSpec(spec, "expects a number, but found '" + value + "'");
  if (!canHold(tensor.getType(), number))
    return badSpec(spec, "elements of type " + getName(tensor.getType()) +
                             " cannot be " + value);
  for (int64_t i = 0, e = tensor.getNumElements(); i < e; ++i)
    writeElement(tensor, i, number);
  return llvm::Error::success();
}

llvm::Expected<NamedTensor> qopt::makeInput(StringRef spec,
                                            llvm::ArrayRef<ModelValue> inputs,
                                            uint64_t seed) {
  StringRef rest;
  llvm::Expected<const ModelValue *> input = takeName(rest, spec, inputs);
  if (!input)
    return input.takeError();
  StringRef name = (*input)->name;
  if (rest.consume_front("@")) {
    llvm::Expected<HostTensor> tensor = readNpy(rest);
    if (!tensor)
      return tensor.takeError();
    return NamedTensor{name.str(), std::move(*tensor)};
  }
  auto [shape, value] = rest.split('=');
  llvm::Expected<HostTensor> tensor = allocateShape(shape, spec, **input);
  if (!tensor)
    return tensor.takeError();
  if (rest.contains('=')) {
    if (llvm::Error error = fill(*tensor, value, spec))
      return std::move(error);
  } else {
    RandomBits random(seed, name);
    for (int64_t i = 0, e = tensor->getNumElements(); i < e; ++i)
      writeElement(*tensor, i, makeRandomElement(tensor->getType(), random));
  }
  return NamedTensor{name.str(), std::move(*tensor)};
}

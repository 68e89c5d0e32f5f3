//===- FixShapes.cpp - Inputs of the dims that a user gives ---------------===//
//
// All entries are held against the model before an argument changes: dims of
// one name are equal, whichever entry gives their size.
//
//===----------------------------------------------------------------------===//

#include "FixShapes.h"
#include "TensorReader.h"
#include "dialects/QOpt/IR/QOptDialect.h"
#include "qopt/Import/ONNX/ImportONNX.h"
#include "qopt/Support/NearestName.h"
#include "llvm/ADT/StringMap.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::importer;

namespace {
/// Where the size of a symbol comes from.
struct FixedSymbol {
  int64_t size;
  StringRef entry;
};

class ShapeFixer {
public:
  explicit ShapeFixer(func::FuncOp function) : function(function) {}

  std::optional<Failure> read(const InputShape &shape);
  std::optional<Failure> apply();

private:
  StringRef getName(unsigned index);
  SmallVector<StringRef> getSymbols(unsigned index);
  RankedTensorType getType(unsigned index) {
    return cast<RankedTensorType>(function.getArgument(index).getType());
  }
  Failure failToFind(const InputShape &shape);
  /// The model expects what `shape` does not give to an argument.
  Failure fail(unsigned index, const InputShape &shape, const Twine &expected,
               const Twine &given, const Twine &note);
  std::optional<Failure> readDim(unsigned index, int64_t axis, int64_t size,
                                 const InputShape &shape);
  std::optional<Failure> setShape(unsigned index, ArrayRef<int64_t> dims);

  func::FuncOp function;
  llvm::StringMap<FixedSymbol> symbols;
  /// The dims without a name, by argument and axis.
  llvm::DenseMap<std::pair<unsigned, int64_t>, int64_t> sizes;
};
} // namespace

StringRef ShapeFixer::getName(unsigned index) {
  return function.getArgAttrOfType<StringAttr>(index, kNameAttrName);
}

SmallVector<StringRef> ShapeFixer::getSymbols(unsigned index) {
  auto dims = function.getArgAttrOfType<ArrayAttr>(index, kDimsAttrName);
  return llvm::map_to_vector(dims.getAsValueRange<StringAttr>(),
                             [](StringRef name) { return name; });
}

Failure ShapeFixer::failToFind(const InputShape &shape) {
  NearestName nearest(shape.input, /*isAnyNear=*/true);
  for (unsigned i = 0; i < function.getNumArguments(); ++i)
    nearest.add(getName(i));
  std::string hint = nearest.get().empty()
                         ? "the model has no inputs"
                         : "did you mean " + quote(nearest.get()) + "?";
  return {ExitCode::BadUse,
          "there is no input " + quote(shape.input) + " for --shapes '" +
              shape.text + "'; " + hint,
          ""};
}

Failure ShapeFixer::fail(unsigned index, const InputShape &shape,
                         const Twine &expected, const Twine &given,
                         const Twine &note) {
  return {ExitCode::BadUse,
          ("input " + quote(getName(index)) + ": expects " + expected +
           ", but --shapes '" + shape.text + "' gives " + given)
              .str(),
          note.str()};
}

std::optional<Failure> ShapeFixer::readDim(unsigned index, int64_t axis,
                                           int64_t size,
                                           const InputShape &shape) {
  int64_t known = getType(index).getDimSize(axis);
  if (known == size)
    return std::nullopt;
  if (!ShapedType::isDynamic(known))
    return fail(index, shape, "size " + Twine(known) + " in dim " + Twine(axis),
                Twine(size),
                "the model itself fixes this dim; give " + Twine(known) +
                    " or ?");
  StringRef symbol = getSymbols(index)[axis];
  if (symbol.empty()) {
    sizes[{index, axis}] = size;
    return std::nullopt;
  }
  FixedSymbol fixed =
      symbols.try_emplace(symbol, FixedSymbol{size, shape.text}).first->second;
  if (fixed.size == size)
    return std::nullopt;
  return fail(index, shape,
              "size " + Twine(fixed.size) + " in dim " + Twine(axis) +
                  ", as '" + fixed.entry + "' gives to " + quote(symbol),
              Twine(size),
              "dims of one name are equal; give the size once and ? elsewhere");
}

std::optional<Failure> ShapeFixer::read(const InputShape &shape) {
  auto indices = llvm::seq<unsigned>(0, function.getNumArguments());
  auto found = llvm::find_if(
      indices, [&](unsigned index) { return getName(index) == shape.input; });
  if (found == indices.end())
    return failToFind(shape);
  int64_t rank = getType(*found).getRank();
  if (rank != static_cast<int64_t>(shape.dims.size()))
    return fail(*found, shape, "rank " + Twine(rank),
                Twine(shape.dims.size()) + " dims",
                "write ? for a dim that stays open");
  for (auto [axis, size] : llvm::enumerate(shape.dims))
    if (size)
      if (auto failure = readDim(*found, axis, *size, shape))
        return failure;
  return std::nullopt;
}

std::optional<Failure> ShapeFixer::setShape(unsigned index,
                                            ArrayRef<int64_t> dims) {
  RankedTensorType type = getType(index);
  if (auto failure = checkShape(dims, type.getElementType()))
    return Failure{ExitCode::BadUse,
                   "input " + quote(getName(index)) +
                       ": --shapes gives it more elements than memory can hold",
                   ""};
  SmallVector<StringRef> names = getSymbols(index);
  for (auto [name, dim] : llvm::zip_equal(names, dims))
    if (!ShapedType::isDynamic(dim))
      name = "";
  function.getArgument(index).setType(type.clone(dims));
  function.setArgAttr(index, kDimsAttrName,
                      Builder(function.getContext()).getStrArrayAttr(names));
  return std::nullopt;
}

std::optional<Failure> ShapeFixer::apply() {
  for (unsigned index = 0; index < function.getNumArguments(); ++index) {
    SmallVector<int64_t> dims(getType(index).getShape());
    for (auto [axis, symbol] : llvm::enumerate(getSymbols(index)))
      if (auto fixed = symbols.find(symbol); fixed != symbols.end())
        dims[axis] = fixed->second.size;
      else if (auto size = sizes.find({index, axis}); size != sizes.end())
        dims[axis] = size->second;
    if (auto failure = setShape(index, dims))
      return failure;
  }
  function.setType(FunctionType::get(function.getContext(),
                                     function.front().getArgumentTypes(),
                                     function.getResultTypes()));
  return std::nullopt;
}

std::optional<Failure> qopt::importer::fixShapes(func::FuncOp function,
                                                 ArrayRef<InputShape> shapes) {
  ShapeFixer fixer(function);
  for (const InputShape &shape : shapes)
    if (auto failure = fixer.read(shape))
      return failure;
  return fixer.apply();
}

llvm::Error qopt::fixInputShapes(func::FuncOp main,
                                 ArrayRef<InputShape> shapes) {
  if (auto failure = fixShapes(main, shapes))
    return makeError(failure->code,
                     failure->what + (failure->note.empty() ? "" : "\nnote: ") +
                         failure->note);
  return llvm::Error::success();
}

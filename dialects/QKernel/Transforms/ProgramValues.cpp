//===- ProgramValues.cpp - What tensors of a program become ---------------===//
//
// Shape arithmetic is followed through the ops that exporters write instead of
// read from memory: equal dims should be one value.
//
//===----------------------------------------------------------------------===//

#include "dialects/QKernel/Transforms/ProgramValues.h"
#include "dialects/QKernel/Transforms/KernelDims.h"
#include "dialects/QOpt/IR/KnownIntegers.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::kernel;

Value ProgramValues::constant(int64_t value) {
  return arith::ConstantOp::create(b, loc, b.getIndexAttr(value));
}

//===----------------------------------------------------------------------===//
// Tensors
//===----------------------------------------------------------------------===//

void ProgramValues::bind(Value tensor, Value memory) {
  auto type = cast<RankedTensorType>(tensor.getType());
  Values dims;
  for (auto [i, dim] : llvm::enumerate(type.getShape()))
    dims.push_back(ShapedType::isDynamic(dim)
                       ? memref::DimOp::create(b, loc, memory, i).getResult()
                       : constant(dim));
  set(tensor, memory, std::move(dims));
}

Value ProgramValues::memoryOf(Value tensor) {
  Value memory = operandOf(tensor);
  if (isa<MemRefType>(memory.getType()))
    return memory;
  auto type = cast<RankedTensorType>(memory.getType());
  return ViewOp::create(b, loc, getMemoryType(type), memory, ValueRange());
}

Value ProgramValues::lookUp(Value value) {
  return isa<RankedTensorType>(value.getType()) ? memoryOf(value)
                                                : mapping.lookup(value);
}

//===----------------------------------------------------------------------===//
// Places
//===----------------------------------------------------------------------===//

SmallVector<Value> kernel::findOpenDims(MemRefType type, ArrayRef<Value> dims) {
  SmallVector<Value> open;
  for (auto [dim, size] : llvm::zip_equal(dims, type.getShape()))
    if (ShapedType::isDynamic(size))
      open.push_back(dim);
  return open;
}

MemRefType kernel::placeMemory(MemRefType type, bool isDevice) {
  Attribute space;
  if (isDevice)
    space = StringAttr::get(type.getContext(), kDeviceSpace);
  return MemRefType::get(type.getShape(), type.getElementType(),
                         MemRefLayoutAttrInterface(), space);
}

bool ProgramValues::isOnDevice(Type memory) {
  auto type = dyn_cast<MemRefType>(memory);
  return type && type.getMemorySpace();
}

Value ProgramValues::memoryIn(Value tensor, bool isDevice) {
  Value own = operandOf(tensor);
  auto type = placeMemory(
      getMemoryType(cast<RankedTensorType>(tensor.getType())), isDevice);
  auto found = dyn_cast<MemRefType>(own.getType());
  if (!found)
    return ViewOp::create(b, loc, type, own, ValueRange());
  // What a state grows in has strides of its own.
  if (found.getMemorySpace() == type.getMemorySpace())
    return own;
  Value &copy = copies[tensor];
  if (copy)
    return copy;
  copy =
      memref::AllocOp::create(b, loc, type, findOpenDims(type, dimsOf(tensor)));
  memref::CopyOp::create(b, loc, own, copy);
  copied.push_back(tensor);
  return copy;
}

void ProgramValues::freeCopy(Value tensor) {
  auto *it = llvm::find(copied, tensor);
  if (it == copied.end())
    return;
  memref::DeallocOp::create(b, loc, copies.at(tensor));
  copies.erase(tensor);
  copied.erase(it);
}

void ProgramValues::freeCopies() {
  while (!copied.empty())
    freeCopy(copied.back());
}

//===----------------------------------------------------------------------===//
// Elements
//===----------------------------------------------------------------------===//

/// Whether the memory of `tensor`, or of what it is a view of, is freed
/// somewhere: it may be by now, unless an operand of the op at hand has it.
static bool isFreed(Value tensor) {
  while (tensor) {
    if (llvm::any_of(tensor.getUsers(),
                     [](Operation *user) { return isa<FreeOp>(user); }))
      return true;
    Operation *op = tensor.getDefiningOp();
    tensor = op && isView(op) ? op->getOperand(0) : Value();
  }
  return false;
}

std::optional<ProgramValues::Values>
ProgramValues::followElements(Value tensor) {
  using Result = std::optional<Values>;
  Operation *op = tensor.getDefiningOp();
  if (!op)
    return std::nullopt;
  auto follow = [&](Value operand) {
    return elementsOf(operand, /*mayLoad=*/!isFreed(operand));
  };
  return llvm::TypeSwitch<Operation *, Result>(op)
      .Case([&](ShapeOp shape) -> Result {
        ArrayRef<Value> all = dimsOf(shape.getX());
        if (static_cast<size_t>(shape.getEnd()) > all.size())
          return std::nullopt;
        return Values(all.begin() + shape.getStart(),
                      all.begin() + shape.getEnd());
      })
      .Case([&](GatherOp gather) -> Result {
        auto indices = getAllKnownIntegers(gather.getIndices());
        auto table = follow(gather.getX());
        if (!indices || !table ||
            cast<RankedTensorType>(gather.getX().getType()).getRank() != 1)
          return std::nullopt;
        Values result;
        for (int64_t index : *indices) {
          int64_t size = table->size();
          index += index < 0 ? size : 0;
          if (index < 0 || index >= size)
            return std::nullopt;
          result.push_back((*table)[index]);
        }
        return result;
      })
      .Case([&](ConcatOp concat) -> Result {
        Values result;
        for (Value input : concat.getInputs()) {
          auto part = follow(input);
          if (!part)
            return std::nullopt;
          result.append(*part);
        }
        return result;
      })
      .Case([&](tensor::FromElementsOp join) -> Result {
        Values result;
        for (Value element : join.getElements()) {
          Value number = mapping.lookup(element);
          if (number.getType().isInteger(64))
            number =
                arith::IndexCastOp::create(b, loc, b.getIndexType(), number);
          if (!number.getType().isIndex())
            return std::nullopt;
          result.push_back(number);
        }
        return result;
      })
      .Case<SqueezeOp, UnsqueezeOp, ReshapeOp>([&](auto view) -> Result {
        if (cast<RankedTensorType>(view.getX().getType()).getRank() > 1)
          return std::nullopt;
        return follow(view.getX());
      })
      .Case([&](MapOp map) -> Result {
        Operation &inner = map.getBodyBlock().front();
        auto isInteger = [](Value value) {
          return getElementTypeOrSelf(value).isSignlessInteger();
        };
        if (!isa<CastOp>(inner) || !isInteger(inner.getOperand(0)) ||
            !isInteger(inner.getResult(0)) || map.getInputs().size() != 1)
          return std::nullopt;
        return follow(map.getInputs().front());
      })
      .Default([](Operation *) -> Result { return std::nullopt; });
}

ProgramValues::Values ProgramValues::loadElements(Value tensor) {
  auto type = cast<RankedTensorType>(tensor.getType());
  Type element = type.getElementType();
  Value memory = memoryIn(tensor, /*isDevice=*/false);
  Values result;
  for (int64_t i = 0; i < type.getNumElements(); ++i) {
    ValueRange none;
    Value at = type.getRank() ? constant(i) : Value();
    Value number =
        memref::LoadOp::create(b, loc, memory, at ? ValueRange(at) : none);
    // A narrow code lies in the low bits of a byte.
    Type bits = b.getIntegerType(element.getIntOrFloatBitWidth());
    if (bits != number.getType())
      number = arith::TruncIOp::create(b, loc, bits, number);
    if (element.isUnsignedInteger() || element.isInteger(1))
      number = arith::IndexCastUIOp::create(b, loc, b.getIndexType(), number);
    else
      number = arith::IndexCastOp::create(b, loc, b.getIndexType(), number);
    result.push_back(number);
  }
  return result;
}

std::optional<ProgramValues::Values> ProgramValues::elementsOf(Value tensor,
                                                               bool mayLoad) {
  auto type = cast<RankedTensorType>(tensor.getType());
  if (!type.hasStaticShape() || type.getRank() > 1 ||
      type.getNumElements() > kMaxKnownIntegers)
    return std::nullopt;
  if (const Values *known = findElements(tensor))
    return *known;
  std::optional<Values> result;
  if (auto known = getAllKnownIntegers(tensor)) {
    result.emplace();
    for (int64_t number : *known)
      result->push_back(constant(number));
  } else {
    result = followElements(tensor);
  }
  if (!result && !mayLoad)
    return std::nullopt;
  if (!result)
    result = loadElements(tensor);
  elements[tensor] = *result;
  return result;
}

const ProgramValues::Values *ProgramValues::findElements(Value tensor) const {
  auto it = elements.find(tensor);
  return it == elements.end() ? nullptr : &it->second;
}

//===----------------------------------------------------------------------===//
// Sizes
//===----------------------------------------------------------------------===//

/// The number of elements: a factor that is known, which is null where it is
/// too large for one, and the dims that are not.
static std::pair<std::optional<int64_t>, SmallVector<Value>>
countOf(ValueRange dims, int64_t factor) {
  std::optional<int64_t> known = factor;
  SmallVector<Value> open;
  for (Value dim : dims) {
    std::optional<int64_t> number = knownNumber(dim);
    if (!number)
      open.push_back(dim);
    else if (int64_t product;
             known && !llvm::MulOverflow(*known, *number, product))
      known = product;
    else
      known = std::nullopt;
  }
  return {known, open};
}

bool ProgramValues::checkSize(MemRefType type, ValueRange dims) {
  int64_t bytes = type.getElementTypeBitWidth() / 8;
  auto [known, open] = countOf(dims, bytes);
  if (known && open.empty())
    return false;
  std::vector<const void *> key{
      reinterpret_cast<const void *>(known.value_or(-1))};
  for (Value dim : open)
    key.push_back(dim.getAsOpaquePointer());
  if (!sizes.insert(key).second)
    return false;
  Values dynamic;
  for (auto [dim, size] : llvm::zip_equal(dims, type.getShape()))
    if (ShapedType::isDynamic(size))
      dynamic.push_back(dim);
  CheckSizeOp::create(b, loc, dynamic, TypeAttr::get(type));
  return true;
}

bool ProgramValues::haveSameCount(ValueRange a, ValueRange b) {
  return countOf(a, 1) == countOf(b, 1);
}

//===- ProgramMemory.cpp - Memory of a program ----------------------------===//
//
// Views share the memory of the tensor that owns it. Where memory begins and
// ends, ops of the program say.
//
//===----------------------------------------------------------------------===//

#include "Constants.h"
#include "HostProgram.h"
#include "Staging.h"
#include "dialects/QOpt/IR/KnownIntegers.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::host;

//===----------------------------------------------------------------------===//
// Ops on memory
//===----------------------------------------------------------------------===//

void HostProgram::setMemory(Value value, Value pointer, ValueRange openDims) {
  Memory memory{pointer, {}, Value()};
  for (int64_t dim : cast<MemRefType>(value.getType()).getShape()) {
    if (!ShapedType::isDynamic(dim)) {
      memory.dims.push_back(code().i64(dim));
      continue;
    }
    memory.dims.push_back(openDims.front());
    openDims = openDims.drop_front();
  }
  memories[value] = std::move(memory);
}

static Type elementOf(Value memory) {
  return cast<MemRefType>(memory.getType()).getElementType();
}

Value HostProgram::offsetOf(Value memory, ValueRange indices) {
  CodeBuilder v = code();
  Value offset = v.i64(0);
  for (auto [index, dim] : llvm::zip_equal(indices, memoryOf(memory).dims))
    offset = v.add(v.mul(offset, dim), scalar(index));
  return offset;
}

LogicalResult HostProgram::emitMemory(Operation *op) {
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case([&](memref::AllocOp alloc) {
        Value result = alloc.getResult();
        setMemory(result, Value(), scalarsOf(alloc.getDynamicSizes()));
        memories[result].pointer = allocateMemory(
            alloc, byteCount(memoryOf(result).dims, elementOf(result)));
        return success();
      })
      .Case([&](memref::DeallocOp end) {
        freeMemory(end.getMemref());
        return success();
      })
      .Case([&](memref::DimOp dim) {
        scalars[dim.getResult()] =
            memoryOf(dim.getSource()).dims[*dim.getConstantIndex()];
        return success();
      })
      .Case([&](memref::LoadOp load) {
        Value offset = offsetOf(load.getMemref(), load.getIndices());
        scalars[load.getResult()] =
            code().loadScalar(memoryOf(load.getMemref()).pointer, offset,
                              elementOf(load.getMemref()));
        return success();
      })
      .Case([&](memref::StoreOp store) {
        Value offset = offsetOf(store.getMemref(), store.getIndices());
        code().storeScalar(scalar(store.getValueToStore()),
                           memoryOf(store.getMemref()).pointer, offset);
        return success();
      })
      .Case([&](memref::CopyOp copy) {
        Value target = copy.getTarget();
        copyMemory(copy.getSource(), target,
                   byteCount(memoryOf(target).dims, elementOf(target)));
        return success();
      })
      .Case([&](kernel::CheckSizeOp check) {
        auto type = cast<MemRefType>(check.getMemory());
        SmallVector<Value> open = scalarsOf(check.getDims()), dims;
        const Value *next = open.begin();
        for (int64_t dim : type.getShape())
          dims.push_back(ShapedType::isDynamic(dim) ? *next++
                                                    : code().i64(dim));
        checkSize(dims, type.getElementType());
        return success();
      })
      .Case([&](kernel::OutputMemoryOp output) {
        setMemory(output.getMemory(), Value(), scalarsOf(output.getDims()));
        memories[output.getMemory()].pointer = outputMemory(output);
        return success();
      })
      .Case([&](kernel::AppendMemoryOp append) {
        appendMemory(append);
        return success();
      })
      .Case([&](kernel::ViewOp view) -> LogicalResult {
        auto pointer = viewMemory(view);
        if (failed(pointer))
          return failure();
        setMemory(view.getMemory(), *pointer, scalarsOf(view.getDims()));
        return success();
      })
      .Case([&](kernel::ListOp list) {
        memories[list.getMemory()] = memoryOf(list.getSource());
        return success();
      })
      .Case([&](kernel::ThreadCountOp threads) {
        scalars[threads.getCount()] =
            callRuntime("qopt_rt_threads", b.getI64Type(), {context});
        return success();
      });
}

Value HostProgram::allocateMemory(memref::AllocOp, Value bytes) {
  return checkedAlloc("qopt_rt_alloc", {context, bytes});
}

void HostProgram::freeMemory(Value memory) {
  callRuntime("qopt_rt_free", {}, {context, memoryOf(memory).pointer});
}

void HostProgram::copyMemory(Value from, Value to, Value bytes) {
  LLVM::MemcpyOp::create(b, location, memoryOf(to).pointer,
                         memoryOf(from).pointer, bytes, /*isVolatile=*/false);
}

FailureOr<Value> HostProgram::viewMemory(kernel::ViewOp op) {
  Value source = op.getSource();
  return isa<MemRefType>(source.getType()) ? memoryOf(source).pointer
                                           : constantPointer(source);
}

Value HostProgram::outputMemory(kernel::OutputMemoryOp op) {
  CodeBuilder v = code();
  SmallVector<Value> dims = memoryOf(op.getMemory()).dims;
  Value bytes = byteCount(dims, elementOf(op.getMemory()));
  return checkedAlloc("qopt_rt_output",
                      {context, v.i32(op.getIndex()), storeDims(dims),
                       v.i64(dims.size()), bytes});
}

void HostProgram::appendMemory(kernel::AppendMemoryOp op) {
  CodeBuilder v = code();
  setMemory(op.getMemory(), Value(), scalarsOf(op.getDims()));
  Memory &memory = memories[op.getMemory()];
  auto rank = static_cast<int64_t>(memory.dims.size());
  // A qopt_rt_place stands behind the dims.
  Value dims = storeDims(memory.dims);
  Value place = v.address(dims, v.i64(rank), b.getI64Type());
  argsSlots = std::max(argsSlots, rank + 2);
  auto axis = static_cast<int32_t>(op.getAxis());
  Value status = callRuntime(
      "qopt_rt_append", b.getI32Type(),
      {context, v.i32(op.getIndex()), v.i32(axis), dims, v.i64(rank),
       byteCount(memory.dims, elementOf(op.getMemory())), place});
  kernel::RequireOp::create(b, location, v.equal(status, v.i32(0)),
                            IntegerAttr(), StringAttr(), status);
  memory.pointer = v.loadScalar(place, v.i64(0), pointerType());
  memory.slots = v.loadScalar(place, v.i64(1), b.getI64Type());
}

//===----------------------------------------------------------------------===//
// What a launch is given
//===----------------------------------------------------------------------===//

Value HostProgram::hostValue(Value tensor) {
  auto argument = dyn_cast<BlockArgument>(tensor);
  if (argument && kernel::isKernel(current) &&
      argument.getOwner()->getParentOp() == current) {
    tensor = current->getOperand(argument.getArgNumber());
    argument = dyn_cast<BlockArgument>(tensor);
  }
  if (argument && argument.getOwner() == current->getBlock())
    return inWork->op.getInputs()[argument.getArgNumber()];
  auto result = dyn_cast<OpResult>(tensor);
  if (result && result.getOwner() == current)
    return inWork->op.getDestinations()[result.getResultNumber()];
  return tensor;
}

ConstantOp HostProgram::constantOf(Value tensor) {
  tensor = hostValue(tensor);
  if (auto pack = tensor.getDefiningOp<kernel::PackOp>())
    tensor = pack.getOperands().front();
  return tensor.getDefiningOp<ConstantOp>();
}

Value HostProgram::constantPointer(Value constant) {
  if (inWork && inWork->staging)
    return weightPointer({});
  std::vector<uint8_t> storage;
  return weightPointer(constantBytes(constant, storage));
}

Buffer &HostProgram::buffer(Value tensor) {
  Value given = hostValue(tensor);
  std::unique_ptr<Buffer> &entry = inWork->buffers[given];
  if (entry)
    return *entry;
  entry = std::make_unique<Buffer>();
  entry->type = cast<RankedTensorType>(tensor.getType());
  entry->dims = dims(tensor);
  if (isa<MemRefType>(given.getType())) {
    Memory memory = memoryOf(given);
    entry->pointer = memory.pointer;
    entry->slots = memory.slots;
  } else {
    entry->pointer = constantPointer(given);
  }
  return *entry;
}

std::optional<SmallVector<Value>> HostProgram::elements(Value tensor) {
  Value given = hostValue(tensor);
  auto type = cast<RankedTensorType>(tensor.getType());
  if (!type.hasStaticShape() || type.getRank() > 1 ||
      type.getNumElements() > kMaxKnownIntegers)
    return std::nullopt;
  if (auto list = given.getDefiningOp<kernel::ListOp>())
    return scalarsOf(list.getElements());
  CodeBuilder v = code();
  SmallVector<Value> result;
  if (isa<RankedTensorType>(given.getType()))
    if (auto known = getAllKnownIntegers(given)) {
      for (int64_t number : *known)
        result.push_back(v.i64(number));
      return result;
    }
  if (!isOnHost(given))
    return std::nullopt;
  Buffer &source = buffer(tensor);
  Type element = source.elementType();
  for (int64_t i = 0; i < type.getNumElements(); ++i) {
    Value loaded = v.widen(
        v.loadScalar(source.pointer, v.i64(i), memoryType(element)), element);
    if (!loaded.getType().isInteger(64))
      loaded = arith::ExtSIOp::create(b, location, b.getI64Type(), loaded);
    result.push_back(loaded);
  }
  return result;
}

Buffer &HostProgram::allocateInside(Value value) {
  auto type = cast<RankedTensorType>(value.getType());
  SmallVector<Value> own = dims(value);
  checkSize(own, type.getElementType());
  Value pointer = temporary(byteCount(own, type.getElementType()));
  std::unique_ptr<Buffer> &entry = inWork->buffers[value];
  entry =
      std::make_unique<Buffer>(Buffer{pointer, std::move(own), type, Value()});
  return *entry;
}

//===----------------------------------------------------------------------===//
// Bytes
//===----------------------------------------------------------------------===//

Value HostProgram::checkedAlloc(StringRef function, ValueRange operands) {
  Value pointer = callRuntime(function, pointerType(), operands);
  Value null = LLVM::ZeroOp::create(b, location, pointerType());
  Value isThere =
      LLVM::ICmpOp::create(b, location, LLVM::ICmpPredicate::ne, pointer, null);
  kernel::RequireOp::create(b, location, isThere, b.getI32IntegerAttr(4),
                            StringAttr(), /*status=*/Value());
  return pointer;
}

void HostProgram::checkSize(ValueRange dims, Type element) {
  if (inWork && inWork->staging)
    return inWork->staging->checkSize(dims, element);
  // Those of a step were checked where it was staged.
  if (inWork && inWork->op.getStep())
    return;
  CodeBuilder v = code();
  int64_t known = bytesPerElement(element);
  bool overflows = false;
  SmallVector<Value> open;
  for (Value dim : dims) {
    if (std::optional<int64_t> number = knownNumber(dim))
      overflows |= llvm::MulOverflow(known, *number, known);
    else
      open.push_back(dim);
  }
  if (overflows)
    return require(v.i1(false), 1, "a tensor is too large");
  if (open.empty())
    return;
  Type word = b.getI64Type();
  auto pairType =
      LLVM::LLVMStructType::getLiteral(b.getContext(), {word, b.getI1Type()});
  Value total = v.i64(known), isTooLarge = v.i1(false), signs = v.i64(0);
  for (Value dim : open) {
    Value pair =
        LLVM::UMulWithOverflowOp::create(b, location, pairType, total, dim);
    total = LLVM::ExtractValueOp::create(b, location, pair, 0);
    Value carry = LLVM::ExtractValueOp::create(b, location, pair, 1);
    isTooLarge = b.createOrFold<arith::OrIOp>(location, isTooLarge, carry);
    signs = b.createOrFold<arith::OrIOp>(location, signs, dim);
  }
  signs = b.createOrFold<arith::OrIOp>(location, signs, total);
  isTooLarge = b.createOrFold<arith::OrIOp>(location, isTooLarge,
                                            v.less(signs, v.i64(0)));
  Value fits = b.createOrFold<arith::XOrIOp>(location, isTooLarge, v.i1(true));
  require(fits, 1, "a tensor is too large");
}

Value HostProgram::byteCount(ValueRange dims, Type element) {
  CodeBuilder v = code();
  return v.mul(v.i64(bytesPerElement(element)), v.product(dims));
}

Value HostProgram::weightPointer(ArrayRef<uint8_t> bytes) {
  if (inWork && inWork->staging)
    return LLVM::ZeroOp::create(b, location, pointerType());
  return weightAt(weights.add(bytes));
}

Value HostProgram::weightAt(uint64_t offset) {
  CodeBuilder v = code();
  return v.address(weightsBase, v.i64(offset), b.getI8Type());
}

/// Whether `op` is another step of the launch that `other` is one of.
static bool isStepOf(kernel::LaunchOp op, kernel::LaunchOp other) {
  return other && op.getStep() && other->getBlock() == op->getBlock() &&
         op.getCallee() == other.getCallee() &&
         op.getInputs() == other.getInputs() &&
         op.getDestinations() == other.getDestinations();
}

SmallVector<Value> HostProgram::packedWeights(Value tensor, ElementForm form,
                                              Packer pack) {
  // No kernel asks for more pieces than the first and the last one.
  if (inWork->staging)
    return {weightPointer({}), weightPointer({})};
  if (!isStepOf(inWork->op, packedFor)) {
    packedFor = inWork->op;
    packed.clear();
  }
  size_t number = inWork->numPacked++;
  auto pointersTo = [&](ArrayRef<uint64_t> offsets) {
    return llvm::map_to_vector(offsets,
                               [&](uint64_t at) { return weightAt(at); });
  };
  if (number < packed.size())
    return pointersTo(packed[number]);
  ConstantOp constant = constantOf(tensor);
  std::vector<uint8_t> storage;
  ArrayRef<uint8_t> elements = form == ElementForm::Memory
                                   ? constantBytes(constant, storage)
                                   : constantIntegers(constant, storage);
  packed.push_back(
      llvm::map_to_vector(pack(elements), [&](ArrayRef<uint8_t> piece) {
        return weights.add(piece);
      }));
  return pointersTo(packed.back());
}

Value HostProgram::packedWeight(
    Value tensor,
    llvm::function_ref<std::vector<uint8_t>(ArrayRef<uint8_t>)> pack,
    ElementForm form) {
  return packedWeights(tensor, form,
                       [&](ArrayRef<uint8_t> elements) {
                         SmallVector<std::vector<uint8_t>> pieces;
                         pieces.push_back(pack(elements));
                         return pieces;
                       })
      .front();
}

//===- ProgramMemory.cpp - Buffers of a program ---------------------------===//
//
// Views share the memory of the tensor that owns it. Where memory ends, ops of
// the program say.
//
//===----------------------------------------------------------------------===//

#include "Constants.h"
#include "HostProgram.h"
#include "dialects/QKernel/IR/QKernelOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::host;

//===----------------------------------------------------------------------===//
// Ops on memory
//===----------------------------------------------------------------------===//

LogicalResult HostProgram::emitMemory(Operation *op) {
  llvm::TypeSwitch<Operation *>(op)
      .Case([&](kernel::FreeOp end) { freeBuffer(end.getTensor()); })
      .Case([&](kernel::CopyOp copy) { emitCopy(copy); })
      .Case([&](kernel::OutputOp output) { emitOutput(output); });
  return success();
}

void HostProgram::freeBuffer(Value tensor) {
  callRuntime("qopt_rt_free", {}, {context, buffer(tensor).pointer});
}

void HostProgram::emitCopy(kernel::CopyOp op) {
  Buffer &source = buffer(op.getSource());
  tensorDims[op.getResult()] = source.dims;
  Buffer &target = allocate(op.getResult());
  LLVM::MemcpyOp::create(b, location, target.pointer, source.pointer,
                         byteCount(target.dims, target.elementType()),
                         /*isVolatile=*/false);
}

void HostProgram::emitOutput(kernel::OutputOp op) {
  CodeBuilder v = code();
  Buffer &source = buffer(op.getTensor());
  Value bytes = byteCount(source.dims, source.elementType());
  int32_t index = op.getIndex();
  Value target = checkedAlloc("qopt_rt_output",
                              {context, v.i32(index), storeDims(source.dims),
                               v.i64(source.rank()), bytes});
  LLVM::MemcpyOp::create(b, location, target, source.pointer, bytes,
                         /*isVolatile=*/false);
}

void HostProgram::release() {
  for (Value pointer : temporaries)
    callRuntime("qopt_rt_free", {}, {context, pointer});
  temporaries.clear();
}

//===----------------------------------------------------------------------===//
// Buffers
//===----------------------------------------------------------------------===//

Value HostProgram::hostValue(Value tensor) {
  if (!launched)
    return tensor;
  auto argument = dyn_cast<BlockArgument>(tensor);
  if (argument && argument.getOwner() == current->getBlock())
    return launched->getOperand(argument.getArgNumber());
  auto result = dyn_cast<OpResult>(tensor);
  if (result && result.getOwner() == current)
    return launched->getResult(result.getResultNumber());
  return tensor;
}

Value HostProgram::operandOf(Value tensor) {
  auto argument = dyn_cast<BlockArgument>(tensor);
  // Loops have arguments too, which are values of the host function.
  if (argument && kernel::isKernel(current) &&
      argument.getOwner()->getParentOp() == current)
    tensor = current->getOperand(argument.getArgNumber());
  return hostValue(tensor);
}

ConstantOp HostProgram::constantOf(Value tensor) {
  tensor = operandOf(tensor);
  if (auto pack = tensor.getDefiningOp<kernel::PackOp>())
    tensor = pack.getOperands().front();
  return tensor.getDefiningOp<ConstantOp>();
}

Buffer &HostProgram::buffer(Value tensor) {
  tensor = operandOf(tensor);
  if (auto pack = tensor.getDefiningOp<kernel::PackOp>())
    tensor = pack.getOperands().front();
  std::unique_ptr<Buffer> &entry = buffers[tensor];
  if (entry)
    return *entry;
  auto constant = tensor.getDefiningOp<ConstantOp>();
  assert(constant && "a tensor that was not made yet");
  std::vector<uint8_t> storage;
  entry = std::make_unique<Buffer>();
  entry->type = cast<RankedTensorType>(tensor.getType());
  entry->pointer = weightPointer(constantBytes(constant, storage));
  entry->dims = dims(tensor);
  return *entry;
}

Value HostProgram::checkedAlloc(StringRef function, ValueRange operands) {
  Value pointer = callRuntime(function, pointerType(), operands);
  Value null = LLVM::ZeroOp::create(b, location, pointerType());
  Value isThere =
      LLVM::ICmpOp::create(b, location, LLVM::ICmpPredicate::ne, pointer, null);
  kernel::RequireOp::create(b, location, isThere, b.getI32IntegerAttr(4),
                            StringAttr(), /*status=*/Value());
  return pointer;
}

Value HostProgram::byteCount(ValueRange dims, Type element) {
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
  if (overflows) {
    require(v.i1(false), 1, "a tensor is too large");
    return v.i64(0);
  }
  if (open.empty())
    return v.i64(known);
  std::vector<void *> key{reinterpret_cast<void *>(known)};
  for (Value dim : open)
    key.push_back(dim.getAsOpaquePointer());
  Value &cached = byteCounts[key];
  if (cached)
    return cached;
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
  return cached = total;
}

Buffer &HostProgram::allocate(Value result) {
  CodeBuilder v = code();
  result = hostValue(result);
  std::unique_ptr<Buffer> &entry = buffers[result];
  entry = std::make_unique<Buffer>();
  Buffer &buffer = *entry;
  buffer.type = cast<RankedTensorType>(result.getType());
  buffer.dims = dims(result);
  Value bytes = byteCount(buffer.dims, buffer.elementType());
  std::optional<int32_t> output = kernel::getOutput(cast<OpResult>(result));
  buffer.pointer =
      output ? checkedAlloc("qopt_rt_output",
                            {context, v.i32(*output), storeDims(buffer.dims),
                             v.i64(buffer.rank()), bytes})
             : checkedAlloc("qopt_rt_alloc", {context, bytes});
  return buffer;
}

Buffer &HostProgram::allocateInside(Value value) {
  auto type = cast<RankedTensorType>(value.getType());
  SmallVector<Value> own = dims(value);
  Value pointer = temporary(byteCount(own, type.getElementType()));
  std::unique_ptr<Buffer> &entry = buffers[value];
  entry = std::make_unique<Buffer>(Buffer{pointer, std::move(own), type});
  return *entry;
}

void HostProgram::alias(Value result, Value source) {
  result = hostValue(result);
  auto view = std::make_unique<Buffer>();
  view->pointer = buffer(source).pointer;
  view->type = cast<RankedTensorType>(result.getType());
  view->dims = dims(result);
  buffers[result] = std::move(view);
}

Value HostProgram::weightPointer(ArrayRef<uint8_t> bytes) {
  CodeBuilder v = code();
  return v.address(weightsBase, v.i64(weights.add(bytes)), b.getI8Type());
}

SmallVector<Value> HostProgram::packedWeights(Value tensor, ElementForm form,
                                              Packer pack) {
  ConstantOp constant = constantOf(tensor);
  std::vector<uint8_t> storage;
  ArrayRef<uint8_t> elements = form == ElementForm::Memory
                                   ? constantBytes(constant, storage)
                                   : constantIntegers(constant, storage);
  return llvm::map_to_vector(pack(elements), [&](ArrayRef<uint8_t> piece) {
    return weightPointer(piece);
  });
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

Value HostProgram::temporary(Value bytes) {
  Value pointer = checkedAlloc("qopt_rt_alloc", {context, bytes});
  temporaries.push_back(pointer);
  return pointer;
}

Value HostProgram::scratch(Value bytesPerThread) {
  Value threads = callRuntime("qopt_rt_threads", b.getI64Type(), {context});
  return temporary(code().mul(threads, bytesPerThread));
}

//===- ProgramMemory.cpp - Buffers of a program and their lifetimes -------===//
//
// Views share the memory of the tensor that owns it, which lives until the last
// use of any of them.
//
//===----------------------------------------------------------------------===//

#include "Constants.h"
#include "CpuProgram.h"
#include "dialects/QKernel/IR/QKernelOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Transforms/RegionUtils.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::cpu;

/// Ops whose result has the operand's elements in the same order.
static bool isView(Operation *op) {
  return isa<ReshapeOp, FlattenOp, SqueezeOp, UnsqueezeOp>(op);
}

void CpuProgram::planLifetimes(Block &block) {
  llvm::MapVector<Value, Operation *> last;
  auto extend = [&](Value used, Operation *op) {
    auto it = last.find(owners.lookup(used));
    if (it != last.end())
      it->second = op;
  };
  // What a region carries is its own; the caller owns the program's inputs.
  if (!isa<func::FuncOp>(block.getParentOp()))
    for (Value argument : block.getArguments()) {
      owners[argument] = argument;
      last[argument] = block.getTerminator();
    }
  for (Operation &op : block) {
    for (Value operand : op.getOperands())
      extend(operand, &op);
    visitUsedValuesDefinedAbove(
        op.getRegions(), [&](OpOperand *use) { extend(use->get(), &op); });
    for (Value result : op.getResults()) {
      if (isView(&op)) {
        owners[result] = owners.lookup(op.getOperand(0));
        continue;
      }
      if (isa<ConstantOp, arith::ConstantOp, kernel::PackOp>(op))
        continue;
      owners[result] = result;
      last[result] = &op;
    }
  }
  for (auto [value, op] : last)
    lastUses[op].push_back(value);
}

void CpuProgram::planOutputs(Operation *end) {
  for (OpOperand &operand : end->getOpOperands()) {
    Value value = operand.get();
    Operation *maker = value.getDefiningOp();
    bool isYielded = maker && isa<scf::SCFDialect>(maker->getDialect());
    if (owners.lookup(value) == value && !isYielded)
      directOutputs.try_emplace(value, operand.getOperandNumber());
  }
  // A value that is returned twice has only one place of its own.
  for (OpOperand &operand : end->getOpOperands()) {
    auto it = directOutputs.find(operand.get());
    if (it != directOutputs.end() &&
        it->second != static_cast<int32_t>(operand.getOperandNumber()))
      it->second = -1;
  }
  SmallVector<Value> twice;
  for (auto [value, index] : directOutputs)
    if (index < 0)
      twice.push_back(value);
  for (Value value : twice)
    directOutputs.erase(value);
}

void CpuProgram::freeBuffer(Value tensor) {
  auto it = buffers.find(tensor);
  if (it != buffers.end() && !directOutputs.count(tensor))
    callRuntime("qopt_rt_free", {}, {context, it->second->pointer});
}

void CpuProgram::release(Operation *op) {
  if (op->hasTrait<OpTrait::IsTerminator>())
    return;
  for (Value pointer : temporaries)
    callRuntime("qopt_rt_free", {}, {context, pointer});
  temporaries.clear();
  for (Value value : lastUses.lookup(op))
    freeBuffer(value);
}

Value CpuProgram::operandOf(Value tensor) {
  auto argument = dyn_cast<BlockArgument>(tensor);
  if (argument && argument.getOwner()->getParentOp() == current)
    return current->getOperand(argument.getArgNumber());
  return tensor;
}

ConstantOp CpuProgram::constantOf(Value tensor) {
  tensor = operandOf(tensor);
  if (auto pack = tensor.getDefiningOp<kernel::PackOp>())
    tensor = pack.getOperands().front();
  return tensor.getDefiningOp<ConstantOp>();
}

Buffer &CpuProgram::buffer(Value tensor) {
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

Value CpuProgram::checkedAlloc(StringRef function, ValueRange operands) {
  Value pointer = callRuntime(function, pointerType(), operands);
  Value null = LLVM::ZeroOp::create(b, location, pointerType());
  Value isThere =
      LLVM::ICmpOp::create(b, location, LLVM::ICmpPredicate::ne, pointer, null);
  kernel::RequireOp::create(b, location, isThere, b.getI32IntegerAttr(4),
                            StringAttr(), /*status=*/Value());
  return pointer;
}

Value CpuProgram::byteCount(ValueRange dims, Type element) {
  VectorBuilder v = vectors();
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

Buffer &CpuProgram::allocate(Value result) {
  VectorBuilder v = vectors();
  std::unique_ptr<Buffer> &entry = buffers[result];
  entry = std::make_unique<Buffer>();
  Buffer &buffer = *entry;
  buffer.type = cast<RankedTensorType>(result.getType());
  buffer.dims = dims(result);
  Value bytes = byteCount(buffer.dims, buffer.elementType());
  auto output = directOutputs.find(result);
  buffer.pointer =
      output == directOutputs.end()
          ? checkedAlloc("qopt_rt_alloc", {context, bytes})
          : checkedAlloc("qopt_rt_output",
                         {context, v.i32(output->second),
                          storeDims(buffer.dims), v.i64(buffer.rank()), bytes});
  return buffer;
}

Buffer &CpuProgram::allocateInside(Value value) {
  auto type = cast<RankedTensorType>(value.getType());
  SmallVector<Value> own = dims(value);
  Value pointer = temporary(byteCount(own, type.getElementType()));
  std::unique_ptr<Buffer> &entry = buffers[value];
  entry = std::make_unique<Buffer>(Buffer{pointer, std::move(own), type});
  return *entry;
}

void CpuProgram::alias(Value result, Value source) {
  auto view = std::make_unique<Buffer>();
  view->pointer = buffer(source).pointer;
  view->type = cast<RankedTensorType>(result.getType());
  view->dims = dims(result);
  buffers[result] = std::move(view);
}

Value CpuProgram::weightPointer(ArrayRef<uint8_t> bytes) {
  VectorBuilder v = vectors();
  return v.address(weightsBase, v.i64(weights.add(bytes)), b.getI8Type());
}

SmallVector<Value> CpuProgram::packedWeights(Value tensor, ElementForm form,
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

Value CpuProgram::packedWeight(
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

Value CpuProgram::temporary(Value bytes) {
  Value pointer = checkedAlloc("qopt_rt_alloc", {context, bytes});
  temporaries.push_back(pointer);
  return pointer;
}

Value CpuProgram::scratch(Value bytesPerThread) {
  Value threads = callRuntime("qopt_rt_threads", b.getI64Type(), {context});
  return temporary(vectors().mul(threads, bytesPerThread));
}

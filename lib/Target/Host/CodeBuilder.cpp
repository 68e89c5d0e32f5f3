//===- CodeBuilder.cpp - Constants, memory and loops of code --------------===//
//
// Loads and stores state the alignment of an element: LLVM would assume that of
// a whole vector.
//
//===----------------------------------------------------------------------===//

#include "CodeBuilder.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::host;

//===----------------------------------------------------------------------===//
// Types
//===----------------------------------------------------------------------===//

Type host::memoryType(Type element) {
  Builder b(element.getContext());
  unsigned bits = element.getIntOrFloatBitWidth();
  if (element.isF32() || element.isF64() || element.isF16())
    return element;
  return b.getIntegerType(bits <= 8 ? 8 : bits);
}

Type host::laneType(Type element) {
  Builder b(element.getContext());
  if (element.isF32() || element.isF16() || element.isBF16())
    return b.getF32Type();
  unsigned bits = element.getIntOrFloatBitWidth();
  if (bits == 1)
    return b.getI1Type();
  if (bits <= 16)
    return b.getI32Type();
  if (element.isF64())
    return element;
  if (bits > 64)
    return {};
  if (element.isUnsignedInteger(32))
    return b.getI64Type();
  return b.getIntegerType(bits);
}

int64_t host::bytesPerElement(Type element) {
  return memoryType(element).getIntOrFloatBitWidth() / 8;
}

/// `element` with the lanes of `like`.
static Type withLanesOf(Type element, Value like) {
  if (auto type = dyn_cast<VectorType>(like.getType()))
    return VectorType::get(type.getShape(), element);
  return element;
}

//===----------------------------------------------------------------------===//
// Constants and integers
//===----------------------------------------------------------------------===//

Value CodeBuilder::i64(int64_t value) {
  return arith::ConstantOp::create(b, loc, b.getI64IntegerAttr(value));
}
Value CodeBuilder::i32(int32_t value) {
  return arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(value));
}
Value CodeBuilder::f32(float value) {
  return arith::ConstantOp::create(b, loc, b.getF32FloatAttr(value));
}
Value CodeBuilder::i1(bool value) {
  return arith::ConstantOp::create(b, loc, b.getBoolAttr(value));
}

Value CodeBuilder::constant(TypedAttr value, int64_t lanes) {
  if (lanes)
    value = DenseElementsAttr::get(VectorType::get({lanes}, value.getType()),
                                   Attribute(value));
  return arith::ConstantOp::create(b, loc, value);
}

Value CodeBuilder::ceilDiv(Value x, Value y) {
  return div(add(x, sub(y, i64(1))), y);
}
Value CodeBuilder::product(ValueRange factors) {
  Value result = i64(1);
  for (Value factor : factors)
    result = mul(result, factor);
  return result;
}

SmallVector<Value> CodeBuilder::strides(ValueRange dims) {
  SmallVector<Value> result(dims.size());
  Value stride = i64(1);
  for (size_t i = dims.size(); i-- > 0;) {
    result[i] = stride;
    if (i > 0)
      stride = mul(stride, dims[i]);
  }
  return result;
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

unsigned host::alignmentOf(Type type) {
  if (isa<LLVM::LLVMPointerType>(type))
    return 8;
  return std::max(1u, getElementTypeOrSelf(type).getIntOrFloatBitWidth() / 8);
}

Value CodeBuilder::address(Value pointer, Value offset, Type type) {
  if (auto op = offset.getDefiningOp<arith::ConstantOp>())
    if (cast<IntegerAttr>(op.getValue()).getValue().isZero())
      return pointer;
  return LLVM::GEPOp::create(b, loc, pointer.getType(), type, pointer,
                             ArrayRef<LLVM::GEPArg>{offset});
}

Value CodeBuilder::loadScalar(Value pointer, Value offset, Type type) {
  return LLVM::LoadOp::create(b, loc, type, address(pointer, offset, type),
                              alignmentOf(type), /*isVolatile=*/false,
                              /*isNonTemporal=*/false, isInvariant);
}

void CodeBuilder::storeScalar(Value value, Value pointer, Value offset) {
  Type type = value.getType();
  LLVM::StoreOp::create(b, loc, value, address(pointer, offset, type),
                        alignmentOf(type));
}

//===----------------------------------------------------------------------===//
// Between memory and values
//===----------------------------------------------------------------------===//

Value CodeBuilder::widen(Value loaded, Type element) {
  Type lane = withLanesOf(laneType(element), loaded);
  Type wide = withLanesOf(b.getI32Type(), loaded);
  auto amount = [&](int32_t bits) {
    auto type = dyn_cast<VectorType>(loaded.getType());
    return constant(b.getI32IntegerAttr(bits), type ? type.getDimSize(0) : 0);
  };
  if (loaded.getType() == lane)
    return loaded;
  if (element.isF16())
    return arith::ExtFOp::create(b, loc, lane, loaded);
  if (element.isBF16()) {
    Value bits = arith::ExtUIOp::create(b, loc, wide, loaded);
    bits = arith::ShLIOp::create(b, loc, bits, amount(16));
    return arith::BitcastOp::create(b, loc, lane, bits);
  }
  if (element.isInteger(1)) {
    Value zero =
        arith::ConstantOp::create(b, loc, b.getZeroAttr(loaded.getType()));
    return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, loaded,
                                 zero);
  }
  if (element.isUnsignedInteger(32))
    return arith::ExtUIOp::create(b, loc, lane, loaded);
  unsigned bits = element.getIntOrFloatBitWidth();
  bool isSigned = isa<IntegerType>(element) && !element.isUnsignedInteger();
  Value result = isSigned ? Value(arith::ExtSIOp::create(b, loc, wide, loaded))
                          : Value(arith::ExtUIOp::create(b, loc, wide, loaded));
  if (bits < 8 && isSigned) {
    result = arith::ShLIOp::create(b, loc, result, amount(32 - bits));
    result = arith::ShRSIOp::create(b, loc, result, amount(32 - bits));
  } else if (bits < 8) {
    result = arith::AndIOp::create(b, loc, result, amount((1 << bits) - 1));
  }
  return result;
}

/// The upper half of a float32, rounded to nearest even; NaN stays a quiet NaN.
static Value roundToBF16(CodeBuilder &v, Value value) {
  OpBuilder &b = v.b;
  Location loc = v.loc;
  Type wide = withLanesOf(b.getI32Type(), value);
  auto type = dyn_cast<VectorType>(value.getType());
  auto constant = [&](int32_t c) {
    return v.constant(b.getI32IntegerAttr(c), type ? type.getDimSize(0) : 0);
  };
  Value bits = arith::BitcastOp::create(b, loc, wide, value);
  Value high = arith::ShRUIOp::create(b, loc, bits, constant(16));
  Value odd = arith::AndIOp::create(b, loc, high, constant(1));
  Value rounded = arith::AddIOp::create(b, loc, bits, constant(0x7FFF));
  rounded = arith::AddIOp::create(b, loc, rounded, odd);
  rounded = arith::ShRUIOp::create(b, loc, rounded, constant(16));
  Value quiet = arith::OrIOp::create(b, loc, high, constant(0x40));
  Value isNaN =
      arith::CmpFOp::create(b, loc, arith::CmpFPredicate::UNO, value, value);
  return arith::SelectOp::create(b, loc, isNaN, quiet, rounded);
}

Value CodeBuilder::narrow(Value value, Type element) {
  Type memory = withLanesOf(memoryType(element), value);
  if (value.getType() == memory)
    return value;
  if (element.isF16())
    return arith::TruncFOp::create(b, loc, memory, value);
  if (element.isBF16())
    value = roundToBF16(*this, value);
  else if (element.isInteger(1))
    return arith::ExtUIOp::create(b, loc, memory, value);
  unsigned bits = element.getIntOrFloatBitWidth();
  if (bits < 8) {
    auto type = dyn_cast<VectorType>(value.getType());
    Value low = constant(b.getI32IntegerAttr((1 << bits) - 1),
                         type ? type.getDimSize(0) : 0);
    value = arith::AndIOp::create(b, loc, value, low);
  }
  return arith::TruncIOp::create(b, loc, memory, value);
}

//===----------------------------------------------------------------------===//
// Control
//===----------------------------------------------------------------------===//

void CodeBuilder::loop(Value low, Value high, int64_t step,
                       llvm::function_ref<void(Value)> body) {
  loop(low, high, step, {}, [&](Value index, ValueRange) {
    body(index);
    return SmallVector<Value>();
  });
}

/// True of a loop that carries as many vectors as a tile has sums: these are to
/// stay in registers.
static bool holdsTile(ValueRange inits) {
  return llvm::count_if(inits.getTypes(), llvm::IsaPred<VectorType>) >= 4;
}

SmallVector<Value> CodeBuilder::loop(
    Value low, Value high, int64_t step, ValueRange inits,
    llvm::function_ref<SmallVector<Value>(Value, ValueRange)> body) {
  auto loop = scf::ForOp::create(b, loc, low, high, i64(step), inits);
  // Its steps are written out; ConvertKernelsToLLVM knows it by that.
  if (holdsTile(inits)) {
    auto unroll = LLVM::LoopUnrollAttr::get(b.getContext(), b.getBoolAttr(true),
                                            {}, {}, {}, {}, {}, {});
    loop->setAttr("llvm.loop_annotation",
                  LLVM::LoopAnnotationAttr::get(b.getContext(), {}, {}, {},
                                                unroll, {}, {}, {}, {}, {}, {},
                                                {}, {}, {}, {}, {}));
  }
  OpBuilder::InsertionGuard guard(b);
  Block *block = loop.getBody();
  if (inits.empty())
    b.setInsertionPoint(block->getTerminator());
  else
    b.setInsertionPointToEnd(block);
  SmallVector<Value> results =
      body(loop.getInductionVar(), loop.getRegionIterArgs());
  if (!inits.empty())
    scf::YieldOp::create(b, loc, results);
  return SmallVector<Value>(loop.getResults());
}

void CodeBuilder::ifThen(Value condition, llvm::function_ref<void()> then) {
  auto op = scf::IfOp::create(b, loc, condition, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(op.thenBlock()->getTerminator());
  then();
}

void CodeBuilder::ifElse(Value condition, llvm::function_ref<void()> then,
                         llvm::function_ref<void()> otherwise) {
  auto op = scf::IfOp::create(b, loc, condition, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(op.thenBlock()->getTerminator());
  then();
  b.setInsertionPoint(op.elseBlock()->getTerminator());
  otherwise();
}

Value CodeBuilder::stack(int64_t bytes) {
  auto function =
      b.getInsertionBlock()->getParentOp()->getParentOfType<LLVM::LLVMFuncOp>();
  if (auto own =
          dyn_cast<LLVM::LLVMFuncOp>(b.getInsertionBlock()->getParentOp()))
    function = own;
  OpBuilder entry = OpBuilder::atBlockBegin(&function.getBody().front());
  Value size =
      arith::ConstantOp::create(entry, loc, b.getI64IntegerAttr(bytes));
  return LLVM::AllocaOp::create(entry, loc,
                                LLVM::LLVMPointerType::get(b.getContext()),
                                b.getI8Type(), size, /*alignment=*/64);
}

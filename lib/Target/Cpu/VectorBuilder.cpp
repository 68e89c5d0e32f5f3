//===- VectorBuilder.cpp - Loads and stores of vectors --------------------===//
//
// Loads and stores state the alignment of an element, as those of scalars do.
//
//===----------------------------------------------------------------------===//

#include "VectorBuilder.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::cpu;

//===----------------------------------------------------------------------===//
// Vectors
//===----------------------------------------------------------------------===//

Value VectorBuilder::splat(Value scalar, int64_t lanes) {
  return b.createOrFold<vector::BroadcastOp>(
      loc, VectorType::get({lanes}, scalar.getType()), scalar);
}

Value VectorBuilder::iota(Type element, int64_t lanes) {
  SmallVector<Attribute> values;
  for (int64_t i = 0; i < lanes; ++i)
    values.push_back(b.getIntegerAttr(element, i));
  return arith::ConstantOp::create(
      b, loc,
      DenseElementsAttr::get(VectorType::get({lanes}, element), values));
}

Value VectorBuilder::mask(Value count, int64_t lanes) {
  // In i32 lanes: half as many registers. Counts above the lanes are cut first.
  Value few = min(count, i64(lanes));
  Value narrow = arith::TruncIOp::create(b, loc, b.getI32Type(), few);
  return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt,
                               iota(b.getI32Type(), lanes),
                               splat(narrow, lanes));
}

Value VectorBuilder::extract(Value vector, int64_t lane) {
  return vector::ExtractOp::create(b, loc, vector, lane);
}

Value VectorBuilder::extractStrided(Value vector, int64_t first,
                                    int64_t count) {
  auto lanes = llvm::to_vector(llvm::seq(first, first + count));
  return vector::ShuffleOp::create(b, loc, vector, vector, lanes);
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

Value VectorBuilder::load(Value pointer, Value offset, Type type,
                          int64_t lanes) {
  return LLVM::LoadOp::create(b, loc, VectorType::get({lanes}, type),
                              address(pointer, offset, type), alignmentOf(type),
                              /*isVolatile=*/false,
                              /*isNonTemporal=*/false, isInvariant);
}

Value VectorBuilder::loadMasked(Value pointer, Value offset, Type type,
                                Value count, int64_t lanes) {
  auto vectorType = VectorType::get({lanes}, type);
  Value zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(vectorType));
  return LLVM::MaskedLoadOp::create(
      b, loc, vectorType, address(pointer, offset, type), mask(count, lanes),
      zero, alignmentOf(type));
}

Value VectorBuilder::gather(Value pointer, Value indices, Type type) {
  // Lane by lane for narrow elements, which no instruction gathers.
  int64_t lanes = cast<VectorType>(indices.getType()).getDimSize(0);
  auto vectorType = VectorType::get({lanes}, type);
  auto pointers =
      LLVM::GEPOp::create(b, loc, VectorType::get({lanes}, pointer.getType()),
                          type, pointer, ArrayRef<LLVM::GEPArg>{indices});
  Value all = constant(b.getBoolAttr(true), lanes);
  Value zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(vectorType));
  return LLVM::masked_gather::create(b, loc, vectorType, pointers, all,
                                     ValueRange{zero}, alignmentOf(type));
}

void VectorBuilder::store(Value vector, Value pointer, Value offset) {
  Type element = getElementTypeOrSelf(vector);
  LLVM::StoreOp::create(b, loc, vector, address(pointer, offset, element),
                        alignmentOf(element));
}

void VectorBuilder::storePartial(Value vector, Value pointer, Value offset,
                                 Value count) {
  if (!count)
    return store(vector, pointer, offset);
  Type element = getElementTypeOrSelf(vector);
  int64_t lanes = cast<VectorType>(vector.getType()).getDimSize(0);
  Value isPartial = less(count, i64(lanes));
  ifElse(
      isPartial,
      [&] {
        // Some CPUs mask only stores of 32 and 64 bits.
        if (element.getIntOrFloatBitWidth() < 32)
          return storeStrided(vector, pointer, offset, i64(1), count);
        LLVM::MaskedStoreOp::create(b, loc, vector,
                                    address(pointer, offset, element),
                                    mask(count, lanes), alignmentOf(element));
      },
      [&] { store(vector, pointer, offset); });
}

void VectorBuilder::storeStrided(Value vector, Value pointer, Value offset,
                                 Value stride, Value count) {
  Type element = getElementTypeOrSelf(vector);
  int64_t lanes = cast<VectorType>(vector.getType()).getDimSize(0);
  Value copy = stack(lanes * alignmentOf(element));
  store(vector, copy, i64(0));
  Value end = count ? min(count, i64(lanes)) : i64(lanes);
  loop(i64(0), end, 1, [&](Value lane) {
    storeScalar(loadScalar(copy, lane, element), pointer,
                add(offset, mul(lane, stride)));
  });
}

//===----------------------------------------------------------------------===//
// Between memory and lanes
//===----------------------------------------------------------------------===//

Value VectorBuilder::loadLanes(Value pointer, Value offset, Type element,
                               Value count) {
  Type memory = memoryType(element);
  // The slack behind a buffer holds 15 elements of up to 4 bytes.
  bool isInSlack = memory.getIntOrFloatBitWidth() <= 32;
  Value loaded = !count || isInSlack
                     ? load(pointer, offset, memory)
                     : loadMasked(pointer, offset, memory, count);
  return widen(loaded, element);
}

void VectorBuilder::storeLanes(Value value, Value pointer, Value offset,
                               Type element, Value count) {
  storePartial(narrow(value, element), pointer, offset, count);
}

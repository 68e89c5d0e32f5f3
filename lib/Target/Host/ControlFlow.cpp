//===- ControlFlow.cpp - Branches and loops of the host function ----------===//
//
// Regions stay regions, whose values are pointers and dims: what they carry
// owns its memory already.
//
//===----------------------------------------------------------------------===//

#include "HostProgram.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::host;

//===----------------------------------------------------------------------===//
// Scalars
//===----------------------------------------------------------------------===//

/// `index` is i64 in the host function.
static Type hostType(Type type) {
  return type.isIndex() ? IntegerType::get(type.getContext(), 64) : type;
}

SmallVector<Value> HostProgram::scalarsOf(ValueRange values) {
  return llvm::map_to_vector(values,
                             [&](Value value) { return scalar(value); });
}

/// Integer arithmetic is the same on scalars of the host function.
LogicalResult HostProgram::emitScalar(Operation *op) {
  // Constant tensors have an address where they are used.
  if (isa<RankedTensorType>(op->getResult(0).getType()))
    return success();
  Type type = hostType(op->getResult(0).getType());
  if (!type.isSignlessInteger())
    return op->emitOpError("has no CPU kernel for ") << type;
  unsigned bits = type.getIntOrFloatBitWidth();
  auto resize = [&](Value from, bool isSigned) -> Value {
    unsigned fromBits = from.getType().getIntOrFloatBitWidth();
    if (fromBits == bits)
      return from;
    if (fromBits > bits)
      return arith::TruncIOp::create(b, location, type, from);
    return isSigned
               ? arith::ExtSIOp::create(b, location, type, from)
               : arith::ExtUIOp::create(b, location, type, from).getResult();
  };
  SmallVector<Value> operands = scalarsOf(op->getOperands());
  Value made;
  if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
    APInt number = cast<IntegerAttr>(constant.getValue()).getValue();
    made = arith::ConstantOp::create(
        b, location, b.getIntegerAttr(type, number.sextOrTrunc(bits)));
  } else if (isa<arith::IndexCastOp, arith::IndexCastUIOp>(op)) {
    made = resize(operands[0], isa<arith::IndexCastOp>(op));
  } else {
    IRMapping mapping;
    mapping.map(op->getOperands(), operands);
    Operation *copy = b.clone(*op, mapping);
    copy->getResult(0).setType(type);
    made = copy->getResult(0);
  }
  scalars[op->getResult(0)] = made;
  return success();
}

//===----------------------------------------------------------------------===//
// Values that cross the end of a region
//===----------------------------------------------------------------------===//

/// Types of what carries values of `types`: a scalar is itself, memory its
/// pointer and the dims that are open.
static SmallVector<Type> carriedTypes(HostProgram &program, TypeRange types) {
  SmallVector<Type> carried;
  for (Type type : types) {
    auto memory = dyn_cast<MemRefType>(type);
    if (!memory) {
      carried.push_back(hostType(type));
      continue;
    }
    carried.push_back(program.pointerType());
    carried.append(memory.getNumDynamicDims(), program.builder().getI64Type());
  }
  return carried;
}

SmallVector<Value> HostProgram::carry(ValueRange values) {
  SmallVector<Value> carried;
  for (Value value : values) {
    auto type = dyn_cast<MemRefType>(value.getType());
    if (!type) {
      carried.push_back(scalar(value));
      continue;
    }
    Memory memory = memoryOf(value);
    carried.push_back(memory.pointer);
    for (auto [i, dim] : llvm::enumerate(memory.dims))
      if (type.isDynamicDim(i))
        carried.push_back(dim);
  }
  return carried;
}

void HostProgram::bind(ValueRange values, ValueRange carried) {
  for (Value value : values) {
    auto type = dyn_cast<MemRefType>(value.getType());
    if (!type) {
      scalars[value] = carried.front();
      carried = carried.drop_front();
      continue;
    }
    int64_t open = type.getNumDynamicDims();
    setMemory(value, carried.front(), carried.slice(1, open));
    carried = carried.drop_front(1 + open);
  }
}

//===----------------------------------------------------------------------===//
// Regions
//===----------------------------------------------------------------------===//

void HostProgram::countIteration() {
  Value status = callRuntime("qopt_rt_iterate", b.getI32Type(), {context});
  kernel::RequireOp::create(b, location, code().equal(status, code().i32(0)),
                            /*code=*/IntegerAttr(), /*message=*/StringAttr(),
                            status);
}

Block *HostProgram::enterBlock(Region &region, TypeRange types) {
  SmallVector<Location> locations(types.size(), location);
  return b.createBlock(&region, region.end(), types, locations);
}

LogicalResult HostProgram::emitBlock(Block &block) {
  Location outside = location;
  for (Operation &op : block.without_terminator()) {
    current = &op;
    location = op.getLoc();
    if (failed(emitOp(&op)))
      return failure();
  }
  location = outside;
  return success();
}

LogicalResult HostProgram::emitIf(scf::IfOp op) {
  auto branch =
      scf::IfOp::create(b, location, carriedTypes(*this, op.getResultTypes()),
                        scalar(op.getCondition()), /*addThenBlock=*/false,
                        /*addElseBlock=*/false);
  for (auto [region, target] :
       {std::pair(&op.getThenRegion(), &branch.getThenRegion()),
        std::pair(&op.getElseRegion(), &branch.getElseRegion())}) {
    enterBlock(*target, {});
    SmallVector<Value> carried;
    if (!region->empty()) {
      if (failed(emitBlock(region->front())))
        return failure();
      Operation *end = region->front().getTerminator();
      carried = carry(end->getOperands());
    }
    scf::YieldOp::create(b, location, carried);
  }
  b.setInsertionPointAfter(branch);
  bind(op.getResults(), branch.getResults());
  return success();
}

LogicalResult HostProgram::emitFor(scf::ForOp op) {
  if (op.getUnsignedCmp())
    return op.emitOpError("compares without sign, which no CPU kernel does");
  auto isLess = [&](Value x, Value y) -> Value {
    return arith::CmpIOp::create(b, location, arith::CmpIPredicate::slt, x, y);
  };
  Value start = scalar(op.getLowerBound()), limit = scalar(op.getUpperBound());
  Value step = scalar(op.getStep());

  // (counter, whether it goes on, what is carried)
  SmallVector<Type> types{start.getType(), b.getI1Type()};
  llvm::append_range(types, carriedTypes(*this, op.getResultTypes()));
  SmallVector<Value> inits{start, isLess(start, limit)};
  llvm::append_range(inits, carry(op.getInitArgs()));
  auto loop = scf::WhileOp::create(b, location, types, inits);

  Block *before = enterBlock(loop.getBefore(), types);
  scf::ConditionOp::create(b, location, before->getArgument(1),
                           before->getArguments());
  Block *body = enterBlock(loop.getAfter(), types);
  countIteration();
  Value counter = body->getArgument(0);
  scalars[op.getInductionVar()] = counter;
  bind(op.getRegionIterArgs(), body->getArguments().drop_front(2));
  if (failed(emitBlock(*op.getBody())))
    return failure();
  SmallVector<Value> yielded =
      carry(op.getBody()->getTerminator()->getOperands());
  // A counter that wraps around has passed every limit.
  Value after = arith::AddIOp::create(b, location, counter, step);
  Value goesOn = arith::AndIOp::create(b, location, isLess(counter, after),
                                       isLess(after, limit));
  yielded.insert(yielded.begin(), {after, goesOn});
  scf::YieldOp::create(b, location, yielded);
  b.setInsertionPointAfter(loop);
  bind(op.getResults(), loop.getResults().drop_front(2));
  return success();
}

LogicalResult HostProgram::emitWhile(scf::WhileOp op) {
  SmallVector<Type> inits = carriedTypes(*this, op.getInits().getTypes());
  SmallVector<Type> results = carriedTypes(*this, op.getResultTypes());
  auto loop = scf::WhileOp::create(b, location, results, carry(op.getInits()));
  bind(op.getBeforeArguments(),
       enterBlock(loop.getBefore(), inits)->getArguments());
  if (failed(emitBlock(*op.getBeforeBody())))
    return failure();
  scf::ConditionOp end = op.getConditionOp();
  SmallVector<Value> passed = carry(end.getArgs());
  scf::ConditionOp::create(b, location, scalar(end.getCondition()), passed);

  bind(op.getAfterArguments(),
       enterBlock(loop.getAfter(), results)->getArguments());
  countIteration();
  if (failed(emitBlock(*op.getAfterBody())))
    return failure();
  scf::YieldOp::create(
      b, location, carry(op.getAfterBody()->getTerminator()->getOperands()));
  b.setInsertionPointAfter(loop);
  bind(op.getResults(), loop.getResults());
  return success();
}

LogicalResult HostProgram::emitControlFlow(Operation *op) {
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case([&](scf::IfOp branch) { return emitIf(branch); })
      .Case([&](scf::ForOp loop) { return emitFor(loop); })
      .Case([&](scf::WhileOp loop) { return emitWhile(loop); })
      .Default([&](Operation *scalar) { return emitScalar(scalar); });
}

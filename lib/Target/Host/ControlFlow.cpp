//===- ControlFlow.cpp - Branches and loops of the host function ----------===//
//
// Regions stay regions, whose values are pointers and dims: what they carry
// owns its memory already. Values that are made inside are forgotten at the end
// of the region, because they do not dominate what follows.
//
//===----------------------------------------------------------------------===//

#include "Constants.h"
#include "HostProgram.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::host;

/// Restores what is known of values when a region ends.
class HostProgram::RegionScope {
public:
  explicit RegionScope(HostProgram &program)
      : program(program), current(program.current), location(program.location),
        dims(program.tensorDims), elements(program.tensorElements),
        byteCounts(program.byteCounts) {
    for (auto &entry : program.buffers)
      known.insert(entry.first);
  }
  ~RegionScope() {
    SmallVector<Value> inside;
    for (auto &entry : program.buffers)
      if (!known.contains(entry.first))
        inside.push_back(entry.first);
    for (Value value : inside)
      program.buffers.erase(value);
    program.current = current;
    program.location = location;
    program.tensorDims = std::move(dims);
    program.tensorElements = std::move(elements);
    program.byteCounts = std::move(byteCounts);
  }

private:
  HostProgram &program;
  Operation *current;
  Location location;
  decltype(HostProgram::tensorDims) dims;
  decltype(HostProgram::tensorElements) elements;
  decltype(HostProgram::byteCounts) byteCounts;
  llvm::DenseSet<Value> known;
};

//===----------------------------------------------------------------------===//
// Scalars
//===----------------------------------------------------------------------===//

/// `index` is i64 in the host function.
static Type hostType(Type type) {
  return type.isIndex() ? IntegerType::get(type.getContext(), 64) : type;
}

Value HostProgram::scalar(Value value) { return scalars.at(value); }

void HostProgram::emitExtract(tensor::ExtractOp op) {
  CodeBuilder v = code();
  Buffer &from = buffer(op.getTensor());
  Value offset = v.i64(0);
  for (auto [index, dim] : llvm::zip_equal(op.getIndices(), from.dims)) {
    Value at = scalar(index);
    // Negative ones are large when unsigned.
    require(
        arith::CmpIOp::create(b, location, arith::CmpIPredicate::ult, at, dim),
        1, "an index is out of range");
    offset = v.add(v.mul(offset, dim), at);
  }
  Type memory = memoryType(from.elementType());
  Value loaded = v.loadScalar(from.pointer, offset, memory);
  if (op.getType().isInteger(1))
    loaded = arith::CmpIOp::create(
        b, location, arith::CmpIPredicate::ne, loaded,
        arith::ConstantOp::create(b, location, b.getZeroAttr(memory)));
  scalars[op.getResult()] = loaded;
}

void HostProgram::emitFromElements(tensor::FromElementsOp op) {
  CodeBuilder v = code();
  Buffer &result = allocate(op.getResult());
  Type memory = memoryType(result.elementType());
  for (auto [i, element] : llvm::enumerate(op.getElements())) {
    Value number = scalar(element);
    if (number.getType().isInteger(1))
      number = arith::ExtUIOp::create(b, location, memory, number);
    v.storeScalar(number, result.pointer, v.i64(i));
  }
}

/// Integer arithmetic is the same on scalars of the host function. A constant
/// may be a tensor: upstream folds to such.
LogicalResult HostProgram::emitScalar(Operation *op) {
  if (auto constant = dyn_cast<arith::ConstantOp>(op))
    if (auto elements = dyn_cast<ElementsAttr>(constant.getValue())) {
      bind(op->getResults(), {weightPointer(elementBytes(elements))});
      return success();
    }
  Type type = hostType(op->getResult(0).getType());
  if (!type.isSignlessInteger())
    return op->emitOpError("has no CPU kernel for ") << type;
  IRMapping mapping;
  for (Value operand : op->getOperands())
    mapping.map(operand, scalar(operand));
  Value result;
  if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
    APInt number = cast<IntegerAttr>(constant.getValue()).getValue();
    result = arith::ConstantOp::create(
        b, location,
        b.getIntegerAttr(type,
                         number.sextOrTrunc(type.getIntOrFloatBitWidth())));
  } else if (isa<arith::IndexCastOp>(op)) {
    Value from = mapping.lookup(op->getOperand(0));
    unsigned bits = from.getType().getIntOrFloatBitWidth();
    result = from;
    if (bits < type.getIntOrFloatBitWidth())
      result = arith::ExtSIOp::create(b, location, type, from);
    else if (bits > type.getIntOrFloatBitWidth())
      result = arith::TruncIOp::create(b, location, type, from);
  } else if (isa<arith::AddIOp, arith::AndIOp, arith::OrIOp, arith::XOrIOp,
                 arith::CmpIOp>(op)) {
    Operation *copy = b.clone(*op, mapping);
    copy->getResult(0).setType(type);
    result = copy->getResult(0);
  } else {
    llvm_unreachable("no op of a program");
  }
  scalars[op->getResult(0)] = result;
  return success();
}

//===----------------------------------------------------------------------===//
// Values that cross the end of a region
//===----------------------------------------------------------------------===//

/// Types of what carries values of `types`: a scalar is
/// itself, a tensor its pointer and the dims that are open.
static SmallVector<Type> carriedTypes(HostProgram &program, TypeRange types) {
  SmallVector<Type> carried;
  for (Type type : types) {
    auto tensor = dyn_cast<RankedTensorType>(type);
    if (!tensor) {
      carried.push_back(hostType(type));
      continue;
    }
    carried.push_back(program.pointerType());
    carried.append(tensor.getNumDynamicDims(), program.builder().getI64Type());
  }
  return carried;
}

SmallVector<Value> HostProgram::carry(ValueRange values) {
  SmallVector<Value> carried;
  for (Value value : values) {
    auto type = dyn_cast<RankedTensorType>(value.getType());
    if (!type) {
      carried.push_back(scalar(value));
      continue;
    }
    carried.push_back(buffer(value).pointer);
    for (auto [i, dim] : llvm::enumerate(dims(value)))
      if (type.isDynamicDim(i))
        carried.push_back(dim);
  }
  return carried;
}

void HostProgram::bind(ValueRange values, ValueRange carried) {
  for (Value value : values) {
    auto type = dyn_cast<RankedTensorType>(value.getType());
    if (!type) {
      scalars[value] = carried.front();
      carried = carried.drop_front();
      continue;
    }
    auto own = std::make_unique<Buffer>();
    own->type = type;
    own->pointer = carried.front();
    carried = carried.drop_front();
    for (int64_t dim : type.getShape()) {
      if (!ShapedType::isDynamic(dim)) {
        own->dims.push_back(code().i64(dim));
        continue;
      }
      own->dims.push_back(carried.front());
      carried = carried.drop_front();
    }
    tensorDims[value] = own->dims;
    buffers[value] = std::move(own);
  }
}

//===----------------------------------------------------------------------===//
// Regions
//===----------------------------------------------------------------------===//

Block *HostProgram::enterBlock(Region &region, TypeRange types) {
  SmallVector<Location> locations(types.size(), location);
  return b.createBlock(&region, region.end(), types, locations);
}

LogicalResult HostProgram::emitBlock(Block &block) {
  for (Operation &op : block.without_terminator()) {
    current = &op;
    location = op.getLoc();
    if (failed(emitOp(&op)))
      return failure();
    release();
  }
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
    RegionScope scope(*this);
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
  Value zero =
      arith::ConstantOp::create(b, location, b.getZeroAttr(step.getType()));
  require(isLess(zero, step), 1, "the step of a loop is not above 0");

  // (counter, whether it goes on, what is carried)
  SmallVector<Type> types{start.getType(), b.getI1Type()};
  llvm::append_range(types, carriedTypes(*this, op.getResultTypes()));
  SmallVector<Value> inits{start, isLess(start, limit)};
  llvm::append_range(inits, carry(op.getInitArgs()));
  auto loop = scf::WhileOp::create(b, location, types, inits);

  Block *before = enterBlock(loop.getBefore(), types);
  scf::ConditionOp::create(b, location, before->getArgument(1),
                           before->getArguments());
  {
    RegionScope scope(*this);
    Block *body = enterBlock(loop.getAfter(), types);
    Value counter = body->getArgument(0);
    scalars[op.getInductionVar()] = counter;
    bind(op.getRegionIterArgs(), body->getArguments().drop_front(2));
    if (failed(emitBlock(*op.getBody())))
      return failure();
    Operation *end = op.getBody()->getTerminator();
    SmallVector<Value> yielded = carry(end->getOperands());
    // A counter that wraps around has passed every limit.
    Value after = arith::AddIOp::create(b, location, counter, step);
    Value goesOn = arith::AndIOp::create(b, location, isLess(counter, after),
                                         isLess(after, limit));
    yielded.insert(yielded.begin(), {after, goesOn});
    scf::YieldOp::create(b, location, yielded);
  }
  b.setInsertionPointAfter(loop);
  bind(op.getResults(), loop.getResults().drop_front(2));
  return success();
}

LogicalResult HostProgram::emitWhile(scf::WhileOp op) {
  SmallVector<Type> inits = carriedTypes(*this, op.getInits().getTypes());
  SmallVector<Type> results = carriedTypes(*this, op.getResultTypes());
  auto loop = scf::WhileOp::create(b, location, results, carry(op.getInits()));
  {
    RegionScope scope(*this);
    bind(op.getBeforeArguments(),
         enterBlock(loop.getBefore(), inits)->getArguments());
    if (failed(emitBlock(*op.getBeforeBody())))
      return failure();
    scf::ConditionOp end = op.getConditionOp();
    SmallVector<Value> passed = carry(end.getArgs());
    scf::ConditionOp::create(b, location, scalar(end.getCondition()), passed);
  }
  {
    RegionScope scope(*this);
    bind(op.getAfterArguments(),
         enterBlock(loop.getAfter(), results)->getArguments());
    if (failed(emitBlock(*op.getAfterBody())))
      return failure();
    Operation *end = op.getAfterBody()->getTerminator();
    scf::YieldOp::create(b, location, carry(end->getOperands()));
  }
  b.setInsertionPointAfter(loop);
  bind(op.getResults(), loop.getResults());
  return success();
}

LogicalResult HostProgram::emitControlFlow(Operation *op) {
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case([&](scf::IfOp branch) { return emitIf(branch); })
      .Case([&](scf::ForOp loop) { return emitFor(loop); })
      .Case([&](scf::WhileOp loop) { return emitWhile(loop); })
      .Case([&](tensor::ExtractOp extract) {
        emitExtract(extract);
        return success();
      })
      .Case([&](tensor::FromElementsOp join) {
        emitFromElements(join);
        return success();
      })
      .Default([&](Operation *scalar) { return emitScalar(scalar); });
}

//===- Epilogue.cpp - Element-wise ops inside a kernel --------------------===//
//
// An access is a use of a kernel's operand: where it stands in the space
// decides how lanes are loaded. Dims that only a run knows may be 1, so their
// stride is a value and their lanes are gathered.
//
//===----------------------------------------------------------------------===//

#include "Epilogue.h"
#include "dialects/QKernel/IR/QKernelOps.h"
#include "dialects/QOpt/Numerics/ElementwiseOps.h"
#include "dialects/QOpt/Numerics/Integers.h"
#include "dialects/QOpt/Numerics/MLIRPolicy.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::cpu;

struct Epilogue::Access {
  enum class Along { Nothing, Everything, Blocks, Unknown };

  /// What identifies an access.
  Value tensor;
  enum class Kind { Broadcast, Channel, Scale, Table } kind = Kind::Broadcast;
  /// Scale: the axis of the space along which blocks run, or -1.
  int64_t blockAxis = -1;
  int64_t block = 0;
  /// Channel: the axis of the space.
  int64_t channelAxis = 0;

  /// For each axis of the space.
  SmallVector<Along> along;
  /// For each group: in the host function, then in the kernel.
  SmallVector<Value> strides;
  SmallVector<Along> groupAlong;
  Value pointer;

  bool isSame(const Access &other) const {
    return tensor == other.tensor && kind == other.kind &&
           blockAxis == other.blockAxis && block == other.block &&
           channelAxis == other.channelAxis;
  }
  /// The axis of the tensor at an axis of the space, or -1.
  int64_t ownAxis(int64_t axis, int64_t spaceRank) const {
    if (kind == Kind::Channel)
      return axis == channelAxis ? 0 : -1;
    int64_t rank = cast<RankedTensorType>(tensor.getType()).getRank();
    return std::max<int64_t>(axis - (spaceRank - rank), -1);
  }
};

/// True for what the kernel reads from memory: its operands, and what a
/// quantizer in it has made.
static bool isInMemory(Value tensor) {
  return isa<BlockArgument>(tensor) ||
         isa<QuantizeDynamicOp>(tensor.getDefiningOp());
}

Epilogue::Epilogue(HostProgram &program, Operation *kernel, Value space,
                   Value root, Stores stores)
    : program(program), kernel(kernel), space(space), root(root),
      spaceDims(program.dims(space)) {
  if (stores == Stores::Results)
    chooseStored();
  auto axes = llvm::to_vector(llvm::seq<int64_t>(0, spaceDims.size()));
  collapse(axes);
}

void Epilogue::chooseStored() {
  SmallVector<OpOperand *> yields;
  Operation *yield = kernel->getRegion(0).front().getTerminator();
  for (OpOperand &operand : yield->getOpOperands())
    if (!operand.get().getDefiningOp<QuantizeDynamicOp>())
      yields.push_back(&operand);
  for (OpOperand *operand : yields) {
    SmallVector<Value> dims = program.dims(operand->get());
    if (dims.size() != spaceDims.size())
      continue;
    bool isSame = llvm::all_of(llvm::zip(dims, spaceDims), [](auto pair) {
      return isSameDim(std::get<0>(pair), std::get<1>(pair));
    });
    // What follows a root has its dims, even where that cannot be seen here.
    if (!isSame && root && yields.size() == 1) {
      for (auto [dim, spaceDim] : llvm::zip(dims, spaceDims))
        program.requireEqual(dim, spaceDim,
                             "the dims of the operands do not broadcast");
      isSame = true;
    }
    if (isSame)
      stored.push_back(operand->getOperandNumber());
  }
}

Epilogue::~Epilogue() = default;

void Epilogue::need(Value tensor) { needed.push_back(tensor); }

//===----------------------------------------------------------------------===//
// Accesses
//===----------------------------------------------------------------------===//

static Value yieldedValue(Operation *kernel, unsigned index) {
  return kernel->getRegion(0).front().getTerminator()->getOperand(index);
}

Epilogue::Access &Epilogue::access(Value tensor) {
  Access wanted;
  wanted.tensor = tensor;
  for (Access &known : accesses)
    if (known.isSame(wanted))
      return known;
  return accesses.emplace_back(std::move(wanted));
}

Epilogue::Access &Epilogue::access(OpOperand &use) {
  Access wanted;
  wanted.tensor = use.get();
  Operation *op = use.getOwner();
  int64_t rank = spaceDims.size();
  auto setScale = [&](std::optional<FormatAttr> format, Value codes) {
    if (use.getOperandNumber() == 0 || !format || !format->isBlocked())
      return;
    int64_t codesRank = cast<RankedTensorType>(codes.getType()).getRank();
    wanted.kind = Access::Kind::Scale;
    wanted.blockAxis = format->getAxis() + rank - codesRank;
    wanted.block = format->getBlockSize();
  };
  if (auto quantize = dyn_cast<QuantizeOp>(op)) {
    setScale(quantize.getFormat(), quantize.getX());
  } else if (auto dequantize = dyn_cast<DequantizeOp>(op)) {
    setScale(dequantize.getFormat(), dequantize.getCodes());
  } else if (auto norm = dyn_cast<BatchNormOp>(op);
             norm && use.getOperandNumber() > 0) {
    int64_t xRank = cast<RankedTensorType>(norm.getX().getType()).getRank();
    wanted.kind = Access::Kind::Channel;
    wanted.channelAxis = 1 + rank - xRank;
  } else if (isa<LookupOp>(op) && use.getOperandNumber() == 1) {
    wanted.kind = Access::Kind::Table;
  }
  for (Access &known : accesses)
    if (known.isSame(wanted))
      return known;
  return accesses.emplace_back(std::move(wanted));
}

void Epilogue::visit(Value start) {
  // A value that is read twice is visited once.
  llvm::DenseSet<Value> seen;
  SmallVector<Value> pending{start};
  while (!pending.empty()) {
    Value tensor = pending.pop_back_val();
    if (tensor == root || !seen.insert(tensor).second)
      continue;
    assert(laneType(getElementTypeOrSelf(tensor)) && "see checkBody");
    if (isInMemory(tensor)) {
      access(tensor);
      continue;
    }
    Operation *op = tensor.getDefiningOp();
    assert(kernel::isEpilogueOp(op) && "kernels are verified");
    for (OpOperand &operand : op->getOpOperands())
      if (isInMemory(operand.get()) &&
          laneType(getElementTypeOrSelf(operand.get())))
        access(operand);
      else
        pending.push_back(operand.get());
  }
}

void Epilogue::findAccesses() {
  if (isAnalysed)
    return;
  isAnalysed = true;
  for (unsigned index : stored)
    visit(yieldedValue(kernel, index));
  for (Value tensor : needed)
    visit(tensor);
  int64_t rank = spaceDims.size();
  for (Access &access : accesses) {
    SmallVector<Value> dims = program.dims(access.tensor);
    for (int64_t axis = 0; axis < rank; ++axis) {
      int64_t own = access.ownAxis(axis, rank);
      Access::Along along;
      if (access.kind == Access::Kind::Table || own < 0 ||
          knownNumber(dims[own]) == 1)
        along = Access::Along::Nothing;
      else if (axis == access.blockAxis)
        along = knownNumber(dims[own]) ? Access::Along::Blocks
                                       : Access::Along::Unknown;
      else if (isSameDim(dims[own], spaceDims[axis]) || knownNumber(dims[own]))
        along = Access::Along::Everything;
      else
        along = Access::Along::Unknown;
      access.along.push_back(along);
    }
  }
}

//===----------------------------------------------------------------------===//
// Groups
//===----------------------------------------------------------------------===//

bool Epilogue::canCollapse(int64_t first, int64_t last) {
  findAccesses();
  for (const Access &access : accesses) {
    std::optional<Access::Along> common;
    for (int64_t axis = first; axis <= last; ++axis) {
      Access::Along along = access.along[axis];
      if (along != Access::Along::Nothing && along != Access::Along::Everything)
        return false;
      // An axis of one element may go with either kind.
      if (knownNumber(spaceDims[axis]) == 1)
        continue;
      if (common && *common != along)
        return false;
      common = along;
    }
  }
  return true;
}

void Epilogue::collapse(ArrayRef<int64_t> firstAxes) {
  groups.clear();
  int64_t rank = spaceDims.size();
  for (auto [i, first] : llvm::enumerate(firstAxes)) {
    int64_t end = i + 1 < firstAxes.size() ? firstAxes[i + 1] : rank;
    groups.push_back({first, end - 1});
  }
  if (groups.empty())
    groups.push_back({0, rank - 1});
}

void Epilogue::collapseAll(int64_t firstAxis) {
  SmallVector<int64_t> firsts;
  int64_t rank = spaceDims.size();
  for (int64_t axis = 0; axis < rank; ++axis)
    if (firsts.empty() || axis == firstAxis ||
        !canCollapse(firsts.back(), axis))
      firsts.push_back(axis);
  collapse(firsts);
}

SmallVector<Value> Epilogue::groupDims() {
  VectorBuilder v(program.code());
  SmallVector<Value> dims;
  for (Group group : groups)
    dims.push_back(v.product(
        ArrayRef(spaceDims).slice(group.first, group.last - group.first + 1)));
  return dims;
}

void Epilogue::capture(SmallVectorImpl<Value> &captures) {
  findAccesses();
  VectorBuilder v(program.code());
  firstCapture = captures.size();
  SmallVector<Value> dims = groupDims();
  captures.append(dims);
  int64_t rank = spaceDims.size();
  for (Access &access : accesses) {
    Buffer &buffer = program.buffer(access.tensor);
    captures.push_back(buffer.pointer);
    SmallVector<Value> own = v.strides(buffer.dims);
    for (Group group : groups) {
      // The stride of a group is that of its last axis with elements.
      Access::Along kind = Access::Along::Nothing;
      int64_t axis = group.last;
      for (int64_t i = group.first; i <= group.last; ++i)
        if (access.along[i] != Access::Along::Nothing) {
          kind = access.along[i];
          axis = i;
        }
      Value stride = v.i64(0);
      if (kind != Access::Along::Nothing) {
        int64_t ownAxis = access.ownAxis(axis, rank);
        stride = own[ownAxis];
        if (kind == Access::Along::Unknown)
          stride = v.select(v.equal(buffer.dims[ownAxis], v.i64(1)), v.i64(0),
                            stride);
      }
      access.groupAlong.push_back(kind);
      captures.push_back(stride);
    }
  }
  if (stored.empty())
    return;
  captures.append(v.strides(dims));
  for (unsigned index : stored)
    captures.push_back(program.buffer(kernel->getResult(index)).pointer);
}

//===----------------------------------------------------------------------===//
// In the kernel
//===----------------------------------------------------------------------===//

void Epilogue::enter(KernelScope &scope) {
  ArrayRef<Value> rest = ArrayRef(scope.captures).drop_front(firstCapture);
  auto take = [&](size_t count) {
    SmallVector<Value> taken(rest.take_front(count));
    rest = rest.drop_front(count);
    return taken;
  };
  limits = take(groups.size());
  for (Access &access : accesses) {
    access.pointer = take(1).front();
    access.strides = take(groups.size());
  }
  if (stored.empty())
    return;
  outputStrides = take(groups.size());
  outputPointers = take(stored.size());
}

Value Epilogue::loadAccess(VectorBuilder &v, Access &access,
                           const Lanes &lanes) {
  Type element = getElementTypeOrSelf(access.tensor);
  Type memory = memoryType(element);
  VectorBuilder loads = v;
  loads.isInvariant = true;
  Value offset = v.i64(0), laneStride;
  bool hasBlocksAlongLanes = false;
  for (auto [g, group] : llvm::enumerate(groups)) {
    Value coordinate = lanes.coordinates[g], stride = access.strides[g];
    // An axis with one block may stand in a group with others.
    bool isBlocked = access.blockAxis >= group.first &&
                     access.blockAxis <= group.last &&
                     access.along[access.blockAxis] != Access::Along::Nothing;
    bool isLane = static_cast<int64_t>(g) == lanes.laneGroup;
    Access::Along along = access.groupAlong[g];
    if (along == Access::Along::Nothing)
      continue;
    if (isLane) {
      bool isWhole = isBlocked && access.block % kLanes == 0;
      if (!isWhole && (isBlocked || along != Access::Along::Everything ||
                       knownNumber(stride) != 1)) {
        laneStride = stride;
        hasBlocksAlongLanes = isBlocked;
        continue;
      }
      if (!isWhole)
        laneStride = stride;
    }
    if (isBlocked)
      coordinate = v.div(coordinate, v.i64(access.block));
    offset = v.add(offset, v.mul(coordinate, stride));
  }
  if (!laneStride)
    return v.splat(
        v.widen(loads.loadScalar(access.pointer, offset, memory), element));
  Value start = lanes.coordinates[lanes.laneGroup];
  bool isDense =
      access.groupAlong[lanes.laneGroup] == Access::Along::Everything &&
      knownNumber(laneStride) == 1 && !hasBlocksAlongLanes;
  if (isDense)
    return loads.loadLanes(access.pointer, offset, element, lanes.count);
  // Lanes behind the end read the last element.
  OpBuilder &b = v.b;
  Type word = b.getI64Type();
  Value last = v.sub(limits[lanes.laneGroup], v.i64(1));
  Value index = arith::AddIOp::create(b, v.loc, v.iota(word), v.splat(start));
  index = arith::MinSIOp::create(b, v.loc, index, v.splat(last));
  if (hasBlocksAlongLanes)
    index =
        arith::DivUIOp::create(b, v.loc, index, v.splat(v.i64(access.block)));
  index = arith::MulIOp::create(b, v.loc, index, v.splat(laneStride));
  index = arith::AddIOp::create(b, v.loc, index, v.splat(offset));
  return v.widen(v.gather(access.pointer, index, memory), element);
}

/// What storing a value and loading it again leaves of it.
static Value roundTo(VectorBuilder &v, Value value, Type element) {
  if (!element.isF16() && !element.isBF16())
    return value;
  return v.widen(v.narrow(value, element), element);
}

/// True if every amount is known and from 1 to 31.
static bool shiftsRight(HostProgram &program, ShiftOp op) {
  kernel::IntegersAttr amounts = program.factOf(op.getAmount());
  return amounts && amounts.getMin() >= 1 && amounts.getMax() <= 31 &&
         getElementTypeOrSelf(op.getX()).isInteger(32);
}

Value Epilogue::evaluateOp(VectorBuilder &v, Operation *op, const Lanes &lanes,
                           Value rootValue) {
  SmallVector<Value> operands;
  for (OpOperand &operand : op->getOpOperands()) {
    if (!isInMemory(operand.get())) {
      operands.push_back(evaluateValue(v, operand.get(), lanes, rootValue));
      continue;
    }
    Access &use = access(operand);
    operands.push_back(
        use.kind == Access::Kind::Table ? Value() : loadAccess(v, use, lanes));
  }
  Type result = getElementTypeOrSelf(op->getResult(0));
  if (auto lookup = dyn_cast<LookupOp>(op)) {
    OpBuilder &b = v.b;
    Value index = operands[0];
    if (!getElementTypeOrSelf(lookup.getX()).isUnsignedInteger())
      index = arith::AddIOp::create(b, v.loc, index, v.splat(v.i32(128)));
    index = arith::ExtUIOp::create(
        b, v.loc, VectorType::get({kLanes}, b.getI64Type()), index);
    Value table = access(op->getOpOperand(1)).pointer;
    return v.widen(v.gather(table, index, memoryType(result)), result);
  }
  numerics::MLIRPolicy policy(v.b, v.loc, kLanes);
  if (auto shift = dyn_cast<ShiftOp>(op); shift && shiftsRight(program, shift))
    return numerics::shiftToCode(policy, operands[0], operands[1],
                                 shift.getZero() ? operands[2] : policy.i(0),
                                 shift.getMin(), shift.getMax(),
                                 /*isRight=*/true);
  unsigned first = isa<WhereOp>(op) ? 1 : 0;
  auto value = numerics::evaluateElementwise<numerics::MLIRPolicy>(
      policy, op, operands, getElementTypeOrSelf(op->getOperand(first)),
      result);
  assert(succeeded(value) && "see checkBody");
  return roundTo(v, *value, result);
}

Value Epilogue::evaluateValue(VectorBuilder &v, Value tensor,
                              const Lanes &lanes, Value rootValue) {
  Value &known = memo[tensor];
  if (known)
    return known;
  Value value;
  if (tensor == root)
    value = roundTo(v, rootValue, getElementTypeOrSelf(tensor));
  else if (isInMemory(tensor))
    value = loadAccess(v, access(tensor), lanes);
  else
    value = evaluateOp(v, tensor.getDefiningOp(), lanes, rootValue);
  return memo[tensor] = value;
}

Value Epilogue::evaluate(OpBuilder &b, Value tensor, const Lanes &lanes,
                         Value rootValue) {
  memo.clear();
  VectorBuilder v(b, program.loc());
  return evaluateValue(v, tensor, lanes, rootValue);
}

void Epilogue::finish(OpBuilder &b, const Lanes &lanes, Value rootValue) {
  memo.clear();
  VectorBuilder v(b, program.loc());
  Value offset = v.i64(0);
  for (auto [coordinate, stride] :
       llvm::zip_equal(lanes.coordinates, outputStrides))
    offset = v.add(offset, v.mul(coordinate, stride));
  Value laneStride = outputStrides[lanes.laneGroup];
  for (auto [index, pointer] : llvm::zip_equal(stored, outputPointers)) {
    Value value =
        evaluateValue(v, yieldedValue(kernel, index), lanes, rootValue);
    Type element = getElementTypeOrSelf(kernel->getResult(index));
    if (knownNumber(laneStride) == 1)
      v.storeLanes(value, pointer, offset, element,
                   lanes.room ? lanes.room : lanes.count);
    else
      v.storeStrided(v.narrow(value, element), pointer, offset, laneStride,
                     lanes.count);
  }
}

void cpu::launch(HostProgram &program, StringRef name, CaptureList &list,
                 Epilogue &epilogue, Value parts,
                 function_ref<void(VectorBuilder &, KernelScope &)> body) {
  SmallVector<Value> captures = list.values();
  epilogue.capture(captures);
  program.launch(name, captures, parts, [&](KernelScope &scope) {
    list.enter(scope);
    epilogue.enter(scope);
    VectorBuilder v(scope.code());
    body(v, scope);
  });
}

//===- Bufferize.cpp - Tensors get memory, and dims values ----------------===//
//
// The new program is written beside the old one, op by op: what is known of
// lists is asked of the old ops, which still make tensors.
//
//===----------------------------------------------------------------------===//

#include "dialects/QKernel/Transforms/KernelDims.h"
#include "dialects/QKernel/Transforms/KernelFunctions.h"
#include "dialects/QKernel/Transforms/Passes.h"
#include "dialects/QKernel/Transforms/ProgramValues.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Dominance.h"
#include "mlir/Transforms/CSE.h"
#include "llvm/ADT/TypeSwitch.h"

#define DEBUG_TYPE "qkernel-bufferize"

namespace qopt::kernel {
#define GEN_PASS_DEF_BUFFERIZEPASS
#include "dialects/QKernel/Transforms/Passes.h.inc"
} // namespace qopt::kernel

using namespace mlir;
using namespace qopt;
using namespace qopt::kernel;

/// `types` with the memory of what are tensors.
static SmallVector<Type> convertTypes(TypeRange types) {
  return llvm::map_to_vector(types, [](Type type) -> Type {
    auto tensor = dyn_cast<RankedTensorType>(type);
    return tensor ? getMemoryType(tensor) : type;
  });
}

/// Those of `dims` that `type` leaves open.
static SmallVector<Value> findOpen(MemRefType type, ArrayRef<Value> dims) {
  SmallVector<Value> open;
  for (auto [dim, size] : llvm::zip_equal(dims, type.getShape()))
    if (ShapedType::isDynamic(size))
      open.push_back(dim);
  return open;
}

namespace {
/// The new form of one function.
class Bufferization {
public:
  Bufferization(func::FuncOp program, KernelFunctions &functions,
                StringRef hostKernels)
      : program(program), functions(functions), hostKernels(hostKernels),
        b(program), values(b) {}

  /// Writes it in place of the program.
  LogicalResult run();

  int64_t numAllocations = 0, numChecks = 0;

private:
  Location &loc() { return values.loc; }
  void convertArguments(func::FuncOp made);
  LogicalResult convertBlock(Block &block);
  LogicalResult convertOp(Operation *op);

  //===--- Memory
  //------------------------------------------------------------===//
  /// `type` where the results of the kernel `op` lie.
  MemRefType placeOf(Operation *op, MemRefType type);
  Value allocate(MemRefType type, ArrayRef<Value> dims,
                 std::optional<int32_t> output = std::nullopt);
  void convertCopy(CopyOp op);
  void convertOutput(OutputOp op);
  LogicalResult convertExtract(tensor::ExtractOp op);
  void convertFromElements(tensor::FromElementsOp op);
  void convertConstant(Operation *op);

  //===--- Kernels
  //-----------------------------------------------------------===//
  LogicalResult convertKernel(Operation *op);
  void convertView(Operation *op, ArrayRef<Value> dims);
  void convertLaunch(Operation *op, Operation *kernel,
                     ArrayRef<SmallVector<Value>> dims);

  //===--- Control flow
  //------------------------------------------------------===//
  LogicalResult convertRegion(Region &from, Region &to);
  LogicalResult convertIf(scf::IfOp op);
  LogicalResult convertFor(scf::ForOp op);
  LogicalResult convertWhile(scf::WhileOp op);
  SmallVector<Value> lookUp(ValueRange all);
  /// Makes `results` what stands for the values `of`.
  void bind(ValueRange of, ValueRange results);

  void require(Value condition, const Twine &text) {
    createRequire(b, loc(), condition, /*code=*/1, text);
    ++numChecks;
  }
  Value equal(Value x, Value y) {
    return b.createOrFold<arith::CmpIOp>(loc(), arith::CmpIPredicate::eq, x, y);
  }

  func::FuncOp program;
  KernelFunctions &functions;
  StringRef hostKernels;
  OpBuilder b;
  ProgramValues values;
  SymbolTableCollection symbols;
};
} // namespace

//===----------------------------------------------------------------------===//
// The function
//===----------------------------------------------------------------------===//

LogicalResult Bufferization::run() {
  loc() = program.getLoc();
  auto made = func::FuncOp::create(
      loc(), program.getName(),
      b.getFunctionType(convertTypes(program.getArgumentTypes()), {}));
  made->setDiscardableAttrs(program->getDiscardableAttrDictionary());
  made.setVisibility(program.getVisibility());
  for (unsigned i = 0; i < program.getNumArguments(); ++i)
    made.setArgAttrs(i, program.getArgAttrDict(i));
  b.setInsertionPointToStart(made.addEntryBlock());
  convertArguments(made);
  if (failed(convertBlock(program.getBody().front())))
    return made.erase(), failure();
  program->getBlock()->getOperations().insert(program->getIterator(), made);
  program.erase();
  // Dims that are computed alike are one value.
  IRRewriter rewriter(b);
  DominanceInfo dominance(made);
  eliminateCommonSubExpressions(rewriter, dominance, made);
  return success();
}

/// Dims with one name must be equal.
void Bufferization::convertArguments(func::FuncOp made) {
  llvm::StringMap<std::pair<Value, unsigned>> known;
  auto nameOf = [&](unsigned index) {
    auto name = program.getArgAttrOfType<StringAttr>(index, kNameAttrName);
    return name ? name.getValue().str() : std::to_string(index);
  };
  for (BlockArgument argument : program.getArguments()) {
    unsigned index = argument.getArgNumber();
    Value memory = made.getArgument(index);
    values.bind(argument, memory);
    auto names = program.getArgAttrOfType<ArrayAttr>(index, kDimsAttrName);
    auto type = cast<RankedTensorType>(argument.getType());
    SmallVector<Value> dims(values.dimsOf(argument));
    for (int64_t i = 0,
                 e = names ? std::min<int64_t>(names.size(), type.getRank())
                           : 0;
         i < e; ++i) {
      auto symbol = dyn_cast<StringAttr>(names[i]);
      if (!type.isDynamicDim(i) || !symbol || symbol.empty())
        continue;
      auto [it, isNew] = known.try_emplace(symbol, dims[i], index);
      if (isNew)
        continue;
      auto [dim, other] = it->second;
      require(equal(dims[i], dim), "inputs \"" + nameOf(other) + "\" and \"" +
                                       nameOf(index) + "\" differ in \"" +
                                       symbol.getValue() + "\"");
      dims[i] = dim;
    }
    values.set(argument, memory, std::move(dims));
  }
}

LogicalResult Bufferization::convertBlock(Block &block) {
  for (Operation &op : block) {
    loc() = op.getLoc();
    if (failed(convertOp(&op)))
      return failure();
  }
  return success();
}

LogicalResult Bufferization::convertOp(Operation *op) {
  // Both are given memory of the host.
  if (!hostKernels.empty() && isa<scf::IfOp, scf::ForOp, scf::WhileOp>(op))
    return op->emitOpError("is a branch or a loop, which no device runs");
  if (!hostKernels.empty() && isa<qopt::ObserveOp>(op))
    return op->emitOpError("has no kernel on a device");
  if (needsKernel(op) || isa<LaunchOp>(op))
    return convertKernel(op);
  if (op->hasTrait<OpTrait::ConstantLike>() || isa<PackOp>(op))
    return convertConstant(op), success();
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case([&](func::ReturnOp) {
        return func::ReturnOp::create(b, loc()), success();
      })
      .Case([&](FreeOp end) {
        memref::DeallocOp::create(b, loc(), values.operandOf(end.getTensor()));
        return success();
      })
      .Case([&](CopyOp copy) { return convertCopy(copy), success(); })
      .Case([&](OutputOp output) { return convertOutput(output), success(); })
      .Case([&](ObserveOp observe) {
        ObserveMemoryOp::create(b, loc(), values.memoryOf(observe.getX()),
                                observe.getIdAttr());
        return success();
      })
      .Case([&](scf::IfOp branch) { return convertIf(branch); })
      .Case([&](scf::ForOp loop) { return convertFor(loop); })
      .Case([&](scf::WhileOp loop) { return convertWhile(loop); })
      .Case([&](scf::YieldOp end) {
        return scf::YieldOp::create(b, loc(), lookUp(end.getResults())),
               success();
      })
      .Case([&](scf::ConditionOp end) {
        scf::ConditionOp::create(b, loc(), values.lookUp(end.getCondition()),
                                 lookUp(end.getArgs()));
        return success();
      })
      .Case([&](tensor::ExtractOp extract) { return convertExtract(extract); })
      .Case([&](tensor::FromElementsOp join) {
        return convertFromElements(join), success();
      })
      .Default([&](Operation *scalar) -> LogicalResult {
        bool isScalar =
            llvm::none_of(scalar->getOperandTypes(), llvm::IsaPred<TensorType>);
        if (!isScalar || !isa<arith::ArithDialect>(scalar->getDialect()))
          return scalar->emitOpError("is no op of a program");
        return b.clone(*scalar, values.mapping), success();
      });
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

MemRefType Bufferization::placeOf(Operation *op, MemRefType type) {
  auto name = op->getAttrOfType<StringAttr>(getKernelNameAttrName(op));
  if (!name || name.getValue().starts_with(hostKernels))
    return type;
  return MemRefType::get(type.getShape(), type.getElementType(),
                         MemRefLayoutAttrInterface(),
                         b.getStringAttr(kDeviceSpace));
}

Value Bufferization::allocate(MemRefType type, ArrayRef<Value> dims,
                              std::optional<int32_t> output) {
  numChecks += values.checkSize(type, dims);
  SmallVector<Value> open = findOpen(type, dims);
  if (output)
    return OutputMemoryOp::create(b, loc(), type, *output, open);
  ++numAllocations;
  return memref::AllocOp::create(b, loc(), type, open);
}

void Bufferization::convertCopy(CopyOp op) {
  SmallVector<Value> dims(values.dimsOf(op.getSource()));
  Value source = values.memoryOf(op.getSource());
  Value target = allocate(getMemoryType(op.getResult().getType()), dims);
  memref::CopyOp::create(b, loc(), source, target);
  values.set(op.getResult(), target, std::move(dims));
}

void Bufferization::convertOutput(OutputOp op) {
  Value source = values.memoryOf(op.getTensor());
  auto type = cast<RankedTensorType>(op.getTensor().getType());
  Value target = allocate(getMemoryType(type), values.dimsOf(op.getTensor()),
                          op.getIndex());
  memref::CopyOp::create(b, loc(), source, target);
}

LogicalResult Bufferization::convertExtract(tensor::ExtractOp op) {
  if (values.isOnDevice(op.getTensor()))
    return op.emitOpError("reads an element that only the device computes");
  SmallVector<Value> at = lookUp(op.getIndices());
  // Negative ones are large when unsigned.
  for (auto [index, dim] : llvm::zip_equal(at, values.dimsOf(op.getTensor())))
    require(b.createOrFold<arith::CmpIOp>(loc(), arith::CmpIPredicate::ult,
                                          index, dim),
            "an index is out of range");
  Value loaded =
      memref::LoadOp::create(b, loc(), values.memoryOf(op.getTensor()), at);
  if (op.getType().isInteger(1))
    loaded = arith::CmpIOp::create(
        b, loc(), arith::CmpIPredicate::ne, loaded,
        arith::ConstantOp::create(b, loc(), b.getZeroAttr(loaded.getType())));
  values.mapping.map(op.getResult(), loaded);
  return success();
}

void Bufferization::convertFromElements(tensor::FromElementsOp op) {
  auto type = getMemoryType(op.getType());
  SmallVector<Value> dims;
  for (int64_t dim : type.getShape())
    dims.push_back(values.constant(dim));
  Value memory = allocate(type, dims, getOutput(op->getResult(0)));
  for (auto [i, element] : llvm::enumerate(op.getElements())) {
    Value number = values.lookUp(element);
    if (number.getType().isInteger(1))
      number = arith::ExtUIOp::create(b, loc(), type.getElementType(), number);
    SmallVector<Value> at;
    int64_t rest = i;
    for (int64_t dim : llvm::reverse(type.getShape())) {
      at.insert(at.begin(), values.constant(rest % dim));
      rest /= dim;
    }
    memref::StoreOp::create(b, loc(), number, memory, at);
  }
  values.set(op.getResult(), memory, std::move(dims));
}

void Bufferization::convertConstant(Operation *op) {
  Operation *copy = b.clone(*op, values.mapping);
  auto type = dyn_cast<RankedTensorType>(op->getResult(0).getType());
  if (!type)
    return;
  // A packed operand has the dims of what was packed.
  Value dimsFrom = isa<PackOp>(op) ? op->getOperand(0) : op->getResult(0);
  SmallVector<Value> dims;
  for (int64_t dim : cast<RankedTensorType>(dimsFrom.getType()).getShape())
    dims.push_back(values.constant(dim));
  values.set(op->getResult(0), copy->getResult(0), std::move(dims));
}

//===----------------------------------------------------------------------===//
// Kernels
//===----------------------------------------------------------------------===//

LogicalResult Bufferization::convertKernel(Operation *op) {
  Operation *kernel = op;
  if (auto launch = dyn_cast<LaunchOp>(op))
    kernel = launch.getKernel(symbols);
  auto dimsOf = [&](unsigned i) {
    return SmallVector<Value>(values.dimsOf(op->getOperand(i)));
  };
  auto elementsOf = [&](unsigned i) {
    return values.elementsOf(op->getOperand(i));
  };
  auto ask = [&](Value condition, const Twine &text) {
    require(condition, text);
  };
  KernelDims dims(b, loc(), b.getIndexType(), kernel,
                  {dimsOf, elementsOf, ask});
  if (failed(dims.compute()))
    return failure();
  SmallVector<SmallVector<Value>> all;
  for (Value result : kernel->getResults())
    all.push_back(dims.dimsOf(result));
  if (isView(op))
    convertView(op, all.front());
  else
    convertLaunch(op, kernel, all);
  return success();
}

void Bufferization::convertView(Operation *op, ArrayRef<Value> dims) {
  Value x = op->getOperand(0), result = op->getResult(0);
  MemRefType type =
      placeOf(op, getMemoryType(cast<RankedTensorType>(result.getType())));
  ArrayRef<Value> from = values.dimsOf(x);
  if (isa<ReshapeOp>(op) && !ProgramValues::haveSameCount(from, dims)) {
    auto fromType = getMemoryType(cast<RankedTensorType>(x.getType()));
    numChecks += values.checkSize(fromType, from);
    numChecks += values.checkSize(type, dims);
    auto count = [&](ArrayRef<Value> factors) {
      Value product = values.constant(1);
      for (Value factor : factors)
        product = b.createOrFold<arith::MulIOp>(loc(), product, factor);
      return product;
    };
    require(equal(count(from), count(dims)),
            "a reshape changes the number of elements");
  }
  Value memory =
      ViewOp::create(b, loc(), type, values.operandOf(x), findOpen(type, dims));
  values.set(result, memory, SmallVector<Value>(dims));
}

void Bufferization::convertLaunch(Operation *op, Operation *kernel,
                                  ArrayRef<SmallVector<Value>> dims) {
  FlatSymbolRefAttr callee;
  if (auto launch = dyn_cast<LaunchOp>(op))
    callee = launch.getCalleeAttr();
  else
    callee = FlatSymbolRefAttr::get(functions.findOrMake(op));
  SmallVector<Value> inputs, destinations;
  for (Value operand : op->getOperands()) {
    Value input = values.operandOf(operand);
    const SmallVector<Value> *elements = values.findElements(operand);
    if (elements && isa<MemRefType>(input.getType()))
      input = ListOp::create(b, loc(), input, *elements);
    inputs.push_back(input);
  }
  for (auto [result, own] : llvm::zip_equal(op->getResults(), dims)) {
    auto type = getMemoryType(cast<RankedTensorType>(result.getType()));
    Value memory = allocate(placeOf(kernel, type), own, getOutput(result));
    destinations.push_back(memory);
    values.set(result, memory, own);
  }
  LaunchOp::create(b, loc(), TypeRange(), callee, inputs, destinations);
}

//===----------------------------------------------------------------------===//
// Control flow
//===----------------------------------------------------------------------===//

SmallVector<Value> Bufferization::lookUp(ValueRange all) {
  return llvm::map_to_vector(all,
                             [&](Value value) { return values.lookUp(value); });
}

void Bufferization::bind(ValueRange of, ValueRange results) {
  for (auto [value, result] : llvm::zip_equal(of, results))
    if (isa<RankedTensorType>(value.getType()))
      values.bind(value, result);
    else
      values.mapping.map(value, result);
}

/// Writes the one block of `from`, with its end, into `to`.
LogicalResult Bufferization::convertRegion(Region &from, Region &to) {
  OpBuilder::InsertionGuard guard(b);
  ProgramValues::RegionScope scope(values);
  Block &block = from.front();
  SmallVector<Location> locations(block.getNumArguments(), loc());
  Block *made = b.createBlock(
      &to, to.end(), convertTypes(block.getArgumentTypes()), locations);
  bind(block.getArguments(), made->getArguments());
  return convertBlock(block);
}

LogicalResult Bufferization::convertIf(scf::IfOp op) {
  auto branch =
      scf::IfOp::create(b, loc(), convertTypes(op.getResultTypes()),
                        values.lookUp(op.getCondition()),
                        /*addThenBlock=*/false, /*addElseBlock=*/false);
  if (failed(convertRegion(op.getThenRegion(), branch.getThenRegion())))
    return failure();
  if (!op.getElseRegion().empty() &&
      failed(convertRegion(op.getElseRegion(), branch.getElseRegion())))
    return failure();
  loc() = op.getLoc();
  bind(op.getResults(), branch.getResults());
  return success();
}

LogicalResult Bufferization::convertFor(scf::ForOp op) {
  Value step = values.lookUp(op.getStep());
  Value zero =
      arith::ConstantOp::create(b, loc(), b.getZeroAttr(step.getType()));
  require(b.createOrFold<arith::CmpIOp>(loc(), arith::CmpIPredicate::slt, zero,
                                        step),
          "the step of a loop is not above 0");
  auto loop = scf::ForOp::create(b, loc(), values.lookUp(op.getLowerBound()),
                                 values.lookUp(op.getUpperBound()), step,
                                 lookUp(op.getInitArgs()));
  loop.setUnsignedCmp(op.getUnsignedCmp());
  loop.getRegion().getBlocks().clear();
  if (failed(convertRegion(op.getRegion(), loop.getRegion())))
    return failure();
  loc() = op.getLoc();
  bind(op.getResults(), loop.getResults());
  return success();
}

LogicalResult Bufferization::convertWhile(scf::WhileOp op) {
  auto loop = scf::WhileOp::create(b, loc(), convertTypes(op.getResultTypes()),
                                   lookUp(op.getInits()));
  if (failed(convertRegion(op.getBefore(), loop.getBefore())) ||
      failed(convertRegion(op.getAfter(), loop.getAfter())))
    return failure();
  loc() = op.getLoc();
  bind(op.getResults(), loop.getResults());
  return success();
}

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

namespace {
struct BufferizePass : kernel::impl::BufferizePassBase<BufferizePass> {
  using BufferizePassBase::BufferizePassBase;

  void runOnOperation() override {
    KernelFunctions functions(getOperation());
    for (auto program :
         llvm::to_vector(getOperation().getOps<func::FuncOp>())) {
      if (program.isPrivate())
        continue;
      if (!program.getBody().hasOneBlock() ||
          !llvm::all_of(program.getArgumentTypes(),
                        llvm::IsaPred<RankedTensorType>)) {
        program.emitError("expects a function of one block on ranked tensors");
        return signalPassFailure();
      }
      Bufferization bufferization(program, functions, hostKernels);
      if (failed(bufferization.run()))
        return signalPassFailure();
      numAllocations += bufferization.numAllocations;
      numChecks += bufferization.numChecks;
    }
  }
};
} // namespace

//===- Bufferize.cpp - Tensors get memory, and dims values ----------------===//
//
// The new program is written beside the old one, op by op: what is known of
// lists is asked of the old ops, which still make tensors.
//
//===----------------------------------------------------------------------===//

#include "dialects/QKernel/IR/Facts.h"
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
  Value allocate(MemRefType type, ArrayRef<Value> dims,
                 std::optional<int32_t> output = std::nullopt);
  Value append(ConcatOp op, MemRefType type, ArrayRef<Value> dims,
               int32_t output);
  void convertCopy(CopyOp op);
  void convertOutput(OutputOp op);
  void convertExtract(tensor::ExtractOp op);
  void convertFromElements(tensor::FromElementsOp op);
  void convertConstant(Operation *op);

  //===--- Kernels
  //-----------------------------------------------------------===//
  LogicalResult convertKernel(Operation *op);
  bool isDeviceKernel(Operation *kernel);
  bool isArgument(Value value) {
    return llvm::is_contained(program.getArguments(), value);
  }
  void convertView(Operation *op, ArrayRef<Value> dims);
  Value makeToldConstant(Operation *kernel, unsigned operand, Type type);
  void convertLaunch(Operation *op, Operation *kernel,
                     ArrayRef<SmallVector<Value>> dims);

  //===--- Control flow
  //------------------------------------------------------===//
  /// What carries `type` across the border of a region: memory of the host for
  /// short lists, which dims and conditions are made of.
  Type carriedType(Type type);
  SmallVector<Type> carriedTypes(TypeRange types) {
    return llvm::map_to_vector(types,
                               [&](Type type) { return carriedType(type); });
  }
  /// Copies what a loop reads to where its kernels read it, once.
  void bringCaptures(Operation *loop);
  /// What the end of a region yields.
  SmallVector<Value> handOn(ValueRange all);
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
      b.getFunctionType(llvm::map_to_vector(program.getArgumentTypes(),
                                            [](Type type) -> Type {
                                              return getMemoryType(
                                                  cast<RankedTensorType>(type));
                                            }),
                        {}));
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
  // It is given memory of the host.
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
        values.freeCopy(end.getTensor());
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
        return scf::YieldOp::create(b, loc(), handOn(end.getResults())),
               success();
      })
      .Case([&](scf::ConditionOp end) {
        scf::ConditionOp::create(b, loc(), values.lookUp(end.getCondition()),
                                 handOn(end.getArgs()));
        return success();
      })
      .Case([&](tensor::ExtractOp extract) {
        return convertExtract(extract), success();
      })
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

Value Bufferization::allocate(MemRefType type, ArrayRef<Value> dims,
                              std::optional<int32_t> output) {
  numChecks += values.checkSize(type, dims);
  SmallVector<Value> open = findOpenDims(type, dims);
  if (output)
    return OutputMemoryOp::create(b, loc(), type, *output, open);
  ++numAllocations;
  return memref::AllocOp::create(b, loc(), type, open);
}

/// The memory of what `op` adds to, with the new in it.
Value Bufferization::append(ConcatOp op, MemRefType type, ArrayRef<Value> dims,
                            int32_t output) {
  numChecks += values.checkSize(type, dims);
  auto axis = static_cast<int64_t>(op.getAxis());
  return AppendMemoryOp::create(b, loc(), getAppendedType(type, axis), output,
                                findOpenDims(type, dims), axis);
}

/// What is copied is carried by a region.
void Bufferization::convertCopy(CopyOp op) {
  SmallVector<Value> dims(values.dimsOf(op.getSource()));
  auto type = cast<MemRefType>(carriedType(op.getResult().getType()));
  Value source = values.operandOf(op.getSource());
  if (!isa<MemRefType>(source.getType()))
    source = values.memoryIn(op.getSource(), ProgramValues::isOnDevice(type));
  Value target = allocate(type, dims);
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

void Bufferization::convertExtract(tensor::ExtractOp op) {
  SmallVector<Value> at = lookUp(op.getIndices());
  // Negative ones are large when unsigned.
  for (auto [index, dim] : llvm::zip_equal(at, values.dimsOf(op.getTensor())))
    require(b.createOrFold<arith::CmpIOp>(loc(), arith::CmpIPredicate::ult,
                                          index, dim),
            "an index is out of range");
  Value memory = values.memoryIn(op.getTensor(), /*isDevice=*/false);
  Value loaded = memref::LoadOp::create(b, loc(), memory, at);
  if (op.getType().isInteger(1))
    loaded = arith::CmpIOp::create(
        b, loc(), arith::CmpIPredicate::ne, loaded,
        arith::ConstantOp::create(b, loc(), b.getZeroAttr(loaded.getType())));
  values.mapping.map(op.getResult(), loaded);
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

bool Bufferization::isDeviceKernel(Operation *kernel) {
  auto name = kernel->getAttrOfType<StringAttr>(getKernelNameAttrName(kernel));
  return name && !name.getValue().starts_with(hostKernels);
}

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
  auto resultType = cast<RankedTensorType>(result.getType());
  Value source = values.operandOf(x);
  // A view lies where its source does. What is given to the program is brought
  // to the device once for all of them.
  bool isDevice = isDeviceKernel(op) && !isShortList(resultType);
  if (isDevice && isArgument(x))
    source = values.memoryIn(x, /*isDevice=*/true);
  else if (isa<MemRefType>(source.getType()))
    isDevice = values.isOnDevice(x);
  MemRefType type = placeMemory(getMemoryType(resultType), isDevice);
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
      ViewOp::create(b, loc(), type, source, findOpenDims(type, dims));
  values.set(result, memory, SmallVector<Value>(dims));
}

/// A constant of the elements that the facts of `kernel` tell of an operand;
/// null where they tell none.
Value Bufferization::makeToldConstant(Operation *kernel, unsigned operand,
                                      Type type) {
  auto facts = kernel->getAttrOfType<ArrayAttr>(kFactsAttrName);
  if (!facts)
    return {};
  for (auto fact : facts.getAsRange<IntegersAttr>()) {
    if (fact.getOperand() != operand || !fact.getElements())
      continue;
    auto list = cast<RankedTensorType>(type);
    unsigned bits = list.getElementType().getIntOrFloatBitWidth();
    auto numbers = llvm::map_to_vector(
        fact.getElements().asArrayRef(),
        [&](int64_t number) { return APInt(bits, number, /*isSigned=*/true); });
    return ConstantOp::create(b, loc(), type,
                              DenseElementsAttr::get(list, numbers));
  }
  return {};
}

void Bufferization::convertLaunch(Operation *op, Operation *kernel,
                                  ArrayRef<SmallVector<Value>> dims) {
  FlatSymbolRefAttr callee;
  if (auto launch = dyn_cast<LaunchOp>(op))
    callee = launch.getCalleeAttr();
  else
    callee = FlatSymbolRefAttr::get(functions.findOrMake(op));
  bool isDevice = isDeviceKernel(kernel);
  SmallVector<Value> inputs, destinations;
  for (auto [i, operand] : llvm::enumerate(op->getOperands())) {
    Value input = values.operandOf(operand);
    if (!isa<MemRefType>(input.getType())) {
      inputs.push_back(input);
      continue;
    }
    // What is told of a list is all that its memory holds.
    if (Value constant = makeToldConstant(kernel, i, operand.getType())) {
      inputs.push_back(constant);
      continue;
    }
    const SmallVector<Value> *elements = values.findElements(operand);
    // Few kernels read a list whose elements are at hand.
    if (!elements || !isDevice)
      input = values.memoryIn(operand, isDevice);
    if (elements)
      input = ListOp::create(b, loc(), input, *elements);
    inputs.push_back(input);
  }
  for (auto [result, own] : llvm::zip_equal(op->getResults(), dims)) {
    auto type = getMemoryType(cast<RankedTensorType>(result.getType()));
    std::optional<int32_t> output = getOutput(result);
    Value memory = output && kernel->hasAttr(kAppendAttrName)
                       ? append(cast<ConcatOp>(kernel), type, own, *output)
                       : allocate(placeMemory(type, isDevice), own, output);
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

Type Bufferization::carriedType(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor)
    return type;
  return placeMemory(getMemoryType(tensor),
                     !hostKernels.empty() && !isShortList(tensor));
}

void Bufferization::bringCaptures(Operation *loop) {
  if (hostKernels.empty())
    return;
  loop->walk<WalkOrder::PreOrder>([&](Operation *op) {
    Operation *kernel = op;
    if (auto launch = dyn_cast<LaunchOp>(op))
      kernel = launch.getKernel(symbols);
    else if (!needsKernel(op))
      return WalkResult::advance();
    for (Value operand : op->getOperands())
      if ((!isView(op) || isArgument(operand)) && values.isKnown(operand) &&
          isa<MemRefType>(values.operandOf(operand).getType()) &&
          !isShortList(operand.getType()))
        values.memoryIn(operand, isDeviceKernel(kernel));
    return WalkResult::skip();
  });
}

SmallVector<Value> Bufferization::handOn(ValueRange all) {
  SmallVector<Value> results;
  for (Value value : all) {
    Value result = values.lookUp(value);
    auto type = dyn_cast<MemRefType>(carriedType(value.getType()));
    if (type && result.getType() != type) {
      // The region owns what it hands on.
      Value own = result;
      result = memref::AllocOp::create(
          b, loc(), type, findOpenDims(type, values.dimsOf(value)));
      memref::CopyOp::create(b, loc(), own, result);
      memref::DeallocOp::create(b, loc(), own);
    }
    results.push_back(result);
  }
  values.freeCopies();
  return results;
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
      &to, to.end(), carriedTypes(block.getArgumentTypes()), locations);
  bind(block.getArguments(), made->getArguments());
  return convertBlock(block);
}

LogicalResult Bufferization::convertIf(scf::IfOp op) {
  auto branch =
      scf::IfOp::create(b, loc(), carriedTypes(op.getResultTypes()),
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
  bringCaptures(op);
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
  bringCaptures(op);
  auto loop = scf::WhileOp::create(b, loc(), carriedTypes(op.getResultTypes()),
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

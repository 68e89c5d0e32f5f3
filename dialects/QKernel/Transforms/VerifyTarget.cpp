//===- VerifyTarget.cpp - The form that the phase target leaves -----------===//
//
// A launch is told of alone: how it lies among others is for the ops on memory
// around it.
//
//===----------------------------------------------------------------------===//

#include "dialects/QKernel/Transforms/IsolateKernel.h"
#include "dialects/QKernel/Transforms/KernelDims.h"
#include "dialects/QKernel/Transforms/Passes.h"
#include "dialects/QKernel/Transforms/ProgramValues.h"
#include "dialects/QKernel/Transforms/VerifyKernels.h"
#include "dialects/QKernel/Transforms/VerifyMemory.h"
#include "dialects/QOpt/IR/States.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/ADT/TypeSwitch.h"
#include <map>

#define DEBUG_TYPE "verify-target"

namespace qopt::kernel {
#define GEN_PASS_DEF_VERIFYTARGETPASS
#include "dialects/QKernel/Transforms/Passes.h.inc"
} // namespace qopt::kernel

using namespace mlir;
using namespace qopt;
using namespace qopt::kernel;

//===----------------------------------------------------------------------===//
// Types
//===----------------------------------------------------------------------===//

static bool isInteger(Type type) {
  return type.isIndex() || type.isSignlessInteger(1) ||
         type.isSignlessInteger(8) || type.isSignlessInteger(16) ||
         type.isSignlessInteger(32) || type.isSignlessInteger(64);
}

static bool isScalar(Type type) {
  return isInteger(type) || type.isF16() || type.isF32() || type.isF64();
}

static bool isMemory(MemRefType type) {
  Type element = type.getElementType();
  bool isWhole =
      isScalar(element) && !element.isIndex() && !element.isInteger(1);
  Attribute space = type.getMemorySpace();
  bool isKnown =
      !space || space == StringAttr::get(type.getContext(), kDeviceSpace);
  return isWhole && isKnown && type.getLayout().isIdentity();
}

/// The same elements without slots behind them.
static MemRefType makeDense(MemRefType type) {
  return MemRefType::get(type.getShape(), type.getElementType(),
                         MemRefLayoutAttrInterface(), type.getMemorySpace());
}

/// Whether `op` makes a tensor or number that is known.
static bool isConstant(Operation *op) {
  if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
    auto elements = dyn_cast<DenseElementsAttr>(constant.getValue());
    return isa<IntegerAttr, FloatAttr>(constant.getValue()) ||
           (elements && elements.getElementType().isIntOrFloat());
  }
  auto pack = dyn_cast<PackOp>(op);
  return isa<ConstantOp>(op) ||
         (pack && llvm::all_of(pack.getOperands(), [](Value operand) {
            return operand.getDefiningOp<ConstantOp>();
          }));
}

static LogicalResult verifyTypes(Operation *op) {
  SmallVector<Type> types(op->getResultTypes());
  for (Region &region : op->getRegions())
    for (Block &block : region)
      llvm::append_range(types, block.getArgumentTypes());
  if (auto check = dyn_cast<CheckSizeOp>(op))
    types.push_back(check.getMemory());
  auto isOfProgram = [&](Type type) {
    if (auto memory = dyn_cast<MemRefType>(type))
      return isMemory(isa<AppendMemoryOp>(op) ? makeDense(memory) : memory);
    return isScalar(type) || (isa<RankedTensorType>(type) && isConstant(op));
  };
  for (Type type : types)
    if (!isOfProgram(type))
      return op->emitOpError("uses ")
             << type << ", which is no type of a program that has memory";
  return success();
}

//===----------------------------------------------------------------------===//
// Scalars
//===----------------------------------------------------------------------===//

static bool isArithmetic(Operation *op) {
  return isa<arith::AddIOp, arith::SubIOp, arith::MulIOp, arith::DivSIOp,
             arith::DivUIOp, arith::RemSIOp, arith::RemUIOp, arith::MinSIOp,
             arith::MaxSIOp, arith::MinUIOp, arith::MaxUIOp, arith::AndIOp,
             arith::OrIOp, arith::XOrIOp, arith::CmpIOp, arith::SelectOp,
             arith::ExtSIOp, arith::ExtUIOp, arith::TruncIOp,
             arith::IndexCastOp, arith::IndexCastUIOp>(op);
}

/// Whether a divisor is above 0 whatever a run gives.
static bool isPositive(Value divisor) {
  if (std::optional<int64_t> number = knownNumber(divisor))
    return *number > 0;
  auto most = divisor.getDefiningOp<arith::MaxSIOp>();
  return most && (knownNumber(most.getLhs()).value_or(0) > 0 ||
                  knownNumber(most.getRhs()).value_or(0) > 0);
}

static LogicalResult verifyArithmetic(Operation *op) {
  if (llvm::any_of(op->getOperandTypes(),
                   [](Type type) { return !isInteger(type); }))
    return op->emitOpError("expects integers, but found other operands");
  // What breaks such a promise is undefined.
  auto flags = dyn_cast<arith::ArithIntegerOverflowFlagsInterface>(op);
  if ((flags && (flags.hasNoSignedWrap() || flags.hasNoUnsignedWrap())) ||
      op->getAttr("isExact"))
    return op->emitOpError("expects no promise of what it computes");
  if (isa<arith::DivSIOp, arith::DivUIOp, arith::RemSIOp, arith::RemUIOp>(op) &&
      !isPositive(op->getOperand(1)))
    return op->emitOpError("expects a divisor that is above 0 in every run");
  return success();
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

static bool isOnDevice(Value memory) {
  return ProgramValues::isOnDevice(memory.getType());
}

static LogicalResult verifyDim(memref::DimOp op) {
  std::optional<int64_t> axis = op.getConstantIndex();
  auto type = dyn_cast<MemRefType>(op.getSource().getType());
  if (!type || !axis || *axis < 0 || *axis >= type.getRank())
    return op.emitOpError("expects the number of an axis of its memory");
  return success();
}

static LogicalResult verifyView(ViewOp op) {
  auto type = cast<MemRefType>(op.getMemory().getType());
  if (auto from = dyn_cast<MemRefType>(op.getSource().getType())) {
    if (from.getElementTypeBitWidth() == type.getElementTypeBitWidth())
      return success();
  } else if (auto tensor = cast<RankedTensorType>(op.getSource().getType());
             getMemoryElement(tensor.getElementType()) ==
                 type.getElementType() &&
             (!type.hasStaticShape() ||
              tensor.getNumElements() == type.getNumElements())) {
    return success();
  }
  return op.emitOpError("expects elements of ")
         << op.getSource().getType() << ", but found " << type;
}

/// Checks an op of @main that is no launch and no control flow.
static LogicalResult verifyMemoryOp(Operation *op) {
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case([](memref::DimOp dim) { return verifyDim(dim); })
      .Case([](memref::CopyOp copy) -> LogicalResult {
        auto from = cast<MemRefType>(copy.getSource().getType());
        auto to = cast<MemRefType>(copy.getTarget().getType());
        if (!isOwn(copy.getTarget()) || from.getRank() != to.getRank())
          return copy.emitOpError("expects a target of its own");
        return success();
      })
      .Case<memref::LoadOp, memref::StoreOp>([](auto access) -> LogicalResult {
        bool isWritten = isa<memref::StoreOp>(access.getOperation());
        if (isOnDevice(access.getMemref()) ||
            (isWritten && !isOwn(access.getMemref())))
          return access.emitOpError("expects memory of its own on the host");
        return success();
      })
      .Case([](ViewOp view) { return verifyView(view); })
      .Case([](RequireOp check) -> LogicalResult {
        // Whoever runs the program takes 0 for its outputs.
        if (check.getCode().value_or(0) > 0)
          return success();
        return check.emitOpError("expects a code above 0");
      })
      .Case<memref::AllocOp, memref::DeallocOp, CheckSizeOp, OutputMemoryOp,
            AppendMemoryOp, ListOp, ThreadCountOp>(
          [](auto) { return success(); })
      .Default([](Operation *other) {
        return other->emitOpError("is no op of a program that has memory");
      });
}

//===----------------------------------------------------------------------===//
// A program
//===----------------------------------------------------------------------===//

namespace {
class ProgramVerifier {
public:
  ProgramVerifier(func::FuncOp main, VariantOp variant, KernelList kernels,
                  StringRef hostKernels, bool isObserved)
      : main(main), variant(variant), kernels(kernels),
        hostKernels(hostKernels), isObserved(isObserved) {}

  LogicalResult verify();

  /// The outputs that the program adds to in place, each with its axis.
  std::map<int32_t, int64_t> appended;

private:
  LogicalResult verifySignature(func::FuncOp program);
  LogicalResult verifyOp(Operation *op);
  LogicalResult verifyLaunch(LaunchOp launch);
  LogicalResult verifyPlaces(LaunchOp launch, StringRef kernel);
  LogicalResult verifySlots(LaunchOp launch, Operation *op, StringRef kernel);
  template <class OutputOp> LogicalResult verifyOutput(OutputOp output);
  LogicalResult verifyState(AppendMemoryOp append);

  func::FuncOp main;
  VariantOp variant;
  KernelList kernels;
  StringRef hostKernels;
  /// Whether observers of a calibration may stand in it.
  bool isObserved;
  SymbolTableCollection symbols;
  llvm::DenseSet<int32_t> outputs;
};
} // namespace

LogicalResult ProgramVerifier::verify() {
  for (Operation &op : variant.getBody().front())
    if (!isa<func::FuncOp>(op))
      return op.emitOpError("stands beside @main");
  auto program = variant.lookupSymbol<func::FuncOp>("main");
  if (!program || !program.getBody().hasOneBlock())
    return variant.emitOpError("expects a function @main of one block");
  if (failed(verifySignature(program)))
    return failure();
  WalkResult result =
      program.getBody().walk<WalkOrder::PreOrder>([&](Operation *op) {
        return failed(verifyOp(op)) ? WalkResult::interrupt()
                                    : WalkResult::advance();
      });
  if (result.wasInterrupted())
    return failure();
  if (outputs.size() != main.getNumResults())
    return program.emitOpError("expects memory of ")
           << main.getNumResults() << " outputs, but found " << outputs.size();
  return success();
}

LogicalResult ProgramVerifier::verifySignature(func::FuncOp program) {
  SmallVector<Type> arguments;
  for (Type type : main.getArgumentTypes())
    arguments.push_back(getMemoryType(cast<RankedTensorType>(type)));
  auto expected = FunctionType::get(program.getContext(), arguments, {});
  if (program.getFunctionType() != expected)
    return program.emitOpError("expects the type ")
           << expected << ", but found " << program.getFunctionType();
  return success();
}

LogicalResult ProgramVerifier::verifyOp(Operation *op) {
  if (failed(verifyTypes(op)))
    return failure();
  if (!isa<LaunchOp, memref::DimOp>(op) &&
      llvm::any_of(op->getOperands(), [](Value operand) {
        return operand.getDefiningOp<AppendMemoryOp>();
      }))
    return op->emitOpError("is no launch, but uses memory that has slots");
  if (auto launch = dyn_cast<LaunchOp>(op))
    return verifyLaunch(launch);
  if (auto output = dyn_cast<OutputMemoryOp>(op);
      output && failed(verifyOutput(output)))
    return failure();
  if (auto append = dyn_cast<AppendMemoryOp>(op)) {
    if (failed(verifyOutput(append)) || failed(verifyState(append)))
      return failure();
    appended[append.getIndex()] = append.getAxis();
  }
  if (isArithmetic(op))
    return verifyArithmetic(op);
  if (isa<ObserveMemoryOp>(op))
    return isObserved ? success()
                      : op->emitOpError("stands outside of a calibration");
  bool isControl = isa<func::ReturnOp, scf::IfOp, scf::ForOp, scf::WhileOp,
                       scf::YieldOp, scf::ConditionOp>(op);
  return isControl || isConstant(op) ? success() : verifyMemoryOp(op);
}

template <class OutputOp>
LogicalResult ProgramVerifier::verifyOutput(OutputOp output) {
  int32_t index = output.getIndex();
  if (index >= static_cast<int64_t>(main.getNumResults()))
    return output.emitOpError("expects one of ")
           << main.getNumResults() << " outputs";
  auto type =
      getMemoryType(cast<RankedTensorType>(main.getResultTypes()[index]));
  auto found = cast<MemRefType>(output.getMemory().getType());
  if (makeDense(found) != type)
    return output.emitOpError("expects ") << type << ", but found " << found;
  if (!isa<func::FuncOp>(output->getParentOp()) ||
      !outputs.insert(index).second)
    return output.emitOpError("is not the only one of this output");
  return success();
}

/// Checks that what is added to is a state, which grows along this axis.
LogicalResult ProgramVerifier::verifyState(AppendMemoryOp append) {
  auto program = append->getParentOfType<func::FuncOp>();
  bool isState = false, isAlong = true;
  for (unsigned i = 0; i < program.getNumArguments(); ++i) {
    auto mark = program.getArgAttrOfType<DenseI64ArrayAttr>(i, kStateAttrName);
    if (!mark || mark.size() != 2 || mark[0] != append.getIndex())
      continue;
    isState = true;
    isAlong &= mark[1] == static_cast<int64_t>(append.getAxis());
  }
  if (!isState || !isAlong)
    return append.emitOpError("expects an input that goes on from output ")
           << append.getIndex() << " and grows along axis " << append.getAxis();
  return success();
}

/// Checks that what a kernel reads and writes lies where it runs.
LogicalResult ProgramVerifier::verifyPlaces(LaunchOp launch, StringRef kernel) {
  bool isDevice = !kernel.starts_with(hostKernels);
  auto isThere = [&](Value given) {
    return !isa<MemRefType>(given.getType()) || isOnDevice(given) == isDevice;
  };
  auto isRead = [&](Value given) {
    return isThere(given) || (isDevice && given.getDefiningOp<ListOp>());
  };
  auto isWritten = [&](Value given) { return isThere(given) && isOwn(given); };
  if (llvm::all_of(launch.getInputs(), isRead) &&
      llvm::all_of(launch.getDestinations(), isWritten) &&
      llvm::all_of(launch.getTemporaries(), isWritten))
    return success();
  return launch.emitOpError("expects memory ")
         << (isDevice ? "of the device" : "of the host")
         << ", its own where it is written";
}

/// Lets a kernel of the host make what the kernel of `variant` reads: kernels
/// ask for the kernels of their operands.
static void makeOnHost(VariantOp variant, StringAttr kernel) {
  Operation *op = getIsolated(variant);
  OpBuilder b(op);
  for (OpOperand &operand : op->getOpOperands()) {
    if (!isa<BlockArgument>(operand.get()))
      continue;
    auto maker = UnrealizedConversionCastOp::create(
        b, op->getLoc(), operand.get().getType(), ValueRange());
    maker->setAttr(getKernelNameAttrName(maker), kernel);
    operand.set(maker.getResult(0));
  }
}

/// Checks that a kernel, of `op`, knows of slots where memory has some.
LogicalResult ProgramVerifier::verifySlots(LaunchOp launch, Operation *op,
                                           StringRef kernel) {
  const Kernel *found = findKernel(kernels, kernel);
  auto isKnown = [&](Value given, Value value) {
    auto append = given.getDefiningOp<AppendMemoryOp>();
    return !append || found->mayHaveSlots(op, value, append.getAxis());
  };
  bool isRight = isa<ShapeOp>(op);
  isRight |= llvm::all_of_zip(launch.getInputs(), op->getOperands(), isKnown);
  isRight &=
      llvm::all_of_zip(launch.getDestinations(), op->getResults(), isKnown);
  if (!isRight)
    return launch.emitOpError("runs a kernel that knows no slots");
  return success();
}

LogicalResult ProgramVerifier::verifyLaunch(LaunchOp launch) {
  Operation *op = launch.getKernel(symbols);
  if (!needsKernel(op) || launch.getNumResults() != 0)
    return launch.emitOpError("expects an op that has a kernel, and memory for "
                              "its results");
  auto name = op->getAttrOfType<StringAttr>(getKernelNameAttrName(op));
  if (!name || !findKernel(kernels, name))
    return launch.emitOpError("runs an op whose kernel is not known here");
  if (failed(verifyPlaces(launch, name)))
    return failure();
  OwningOpRef<VariantOp> alone = isolateKernel(launch, op);
  if (!hostKernels.empty() && name.getValue().starts_with(hostKernels))
    makeOnHost(*alone, name);
  return success(succeeded(verifyChoice(getIsolated(*alone), kernels)) &&
                 succeeded(verifySlots(launch, getIsolated(*alone), name)));
}

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

namespace {
struct VerifyTargetPass : kernel::impl::VerifyTargetPassBase<VerifyTargetPass> {
  using VerifyTargetPassBase::VerifyTargetPassBase;

  void runOnOperation() override {
    auto main = getOperation().lookupSymbol<func::FuncOp>("main");
    auto isOnTensors = [](ArrayRef<Type> types) {
      return llvm::all_of(types, [](Type type) {
        return isa<RankedTensorType>(type) &&
               getElementTypeOrSelf(type).isIntOrFloat();
      });
    };
    if (!main || !isOnTensors(main.getArgumentTypes()) ||
        !isOnTensors(main.getResultTypes())) {
      getOperation().emitError("expects a function @main on ranked tensors");
      return signalPassFailure();
    }
    std::optional<std::map<int32_t, int64_t>> appended;
    llvm::SmallDenseSet<Attribute> targets;
    for (auto variant : getOperation().getOps<VariantOp>()) {
      std::map<int32_t, int64_t> own;
      if (failed(verify(variant, main, targets, own)))
        return signalPassFailure();
      // Variants share the context.
      if (appended && own != *appended) {
        variant.emitOpError("adds to other outputs in place than variants "
                            "before it");
        return signalPassFailure();
      }
      appended = std::move(own);
    }
  }

  LogicalResult verify(VariantOp variant, func::FuncOp main,
                       llvm::SmallDenseSet<Attribute> &targets,
                       std::map<int32_t, int64_t> &appended) {
    if (!targets.insert(variant.getTargetAttr()).second)
      return variant.emitOpError("is a second one of ")
             << variant.getTargetAttr();
    llvm::Expected<KernelList> kernels = variant.getTarget().getKernels();
    if (!kernels)
      return variant.emitOpError(llvm::toString(kernels.takeError()));
    ProgramVerifier verifier(main, variant, *kernels, hostKernels,
                             /*isObserved=*/!memory);
    if (failed(verifier.verify()))
      return failure();
    appended = std::move(verifier.appended);
    auto program = variant.lookupSymbol<func::FuncOp>("main");
    return success(!memory || (succeeded(verifyLifetimes(program)) &&
                               succeeded(verifyDims(variant, *kernels))));
  }
};
} // namespace

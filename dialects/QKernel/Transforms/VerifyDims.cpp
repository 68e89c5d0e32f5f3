//===- VerifyDims.cpp - What runs read and write lies within memory -------===//
//
// What qkernel-bufferize and qkernel-stage write is written once more, into a
// copy of the program: what kernels ask of dims, and the memory of their steps.
// Equal subexpressions are one value then, so what has to hold is seen to hold,
// or a check of the program has the very condition.
//
//===----------------------------------------------------------------------===//

#include "dialects/QKernel/Transforms/AskedChecks.h"
#include "dialects/QKernel/Transforms/KernelDims.h"
#include "dialects/QKernel/Transforms/ProgramDims.h"
#include "dialects/QKernel/Transforms/VerifyMemory.h"
#include "dialects/QOpt/IR/KnownIntegers.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/Dominance.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::kernel;

namespace {
class DimVerifier {
public:
  DimVerifier(func::FuncOp program, KernelList kernels)
      : program(program), kernels(kernels), b(program), loc(program.getLoc()),
        dims(program, b), asked(b) {}

  LogicalResult verify();

private:
  using Values = ProgramDims::Values;

  Value constant(int64_t number) {
    return arith::ConstantIndexOp::create(b, loc, number);
  }
  void askSize(Operation *op, Value memory) {
    auto type = cast<MemRefType>(memory.getType());
    asked.askSize(op, type.getElementType(), dims.dimsOf(memory));
  }

  void setPlace(Operation *op) {
    b.setInsertionPoint(op);
    loc = op->getLoc();
  }
  void verifyAccess(Operation *op);
  void verifyOp(Operation *op);
  void verifyView(ViewOp view);
  LogicalResult verifyLaunch(ArrayRef<LaunchOp> steps);
  LogicalResult verifySteps(ArrayRef<LaunchOp> steps, const Kernel &kernel);

  func::FuncOp program;
  KernelList kernels;
  OpBuilder b;
  Location loc;
  SymbolTableCollection symbols;
  ProgramDims dims;
  AskedChecks asked;
};
} // namespace

//===----------------------------------------------------------------------===//
// Ops
//===----------------------------------------------------------------------===//

void DimVerifier::verifyAccess(Operation *op) {
  auto verify = [&](auto access) {
    setPlace(op);
    for (auto [index, dim] :
         llvm::zip_equal(access.getIndices(), dims.dimsOf(access.getMemref())))
      asked.ask(op,
                b.createOrFold<arith::CmpIOp>(loc, arith::CmpIPredicate::ult,
                                              index, dim),
                "an index is out of range");
  };
  llvm::TypeSwitch<Operation *>(op).Case<memref::LoadOp, memref::StoreOp>(
      verify);
}

/// Whether the program has checked that `dim` is 1: it is squeezed then.
static bool isCheckedOne(Value dim, Operation *at, DominanceInfo &dominance) {
  return llvm::any_of(dim.getUsers(), [&](Operation *user) {
    auto compare = dyn_cast<arith::CmpIOp>(user);
    return compare && compare.getPredicate() == arith::CmpIPredicate::eq &&
           compare.getLhs() == dim && knownNumber(compare.getRhs()) == 1 &&
           llvm::any_of(compare->getUsers(), [&](Operation *check) {
             return isa<RequireOp>(check) && !check->hasAttr(kAskedAttrName) &&
                    dominance.properlyDominates(check, at);
           });
  });
}

void DimVerifier::verifyView(ViewOp view) {
  Values from = dims.dimsOf(view.getSource());
  Values to = dims.dimsOf(view.getMemory());
  if (splitsDims(from, to))
    return;
  DominanceInfo dominance(program);
  Values left = llvm::to_vector(llvm::make_filter_range(
      from, [&](Value dim) { return !isCheckedOne(dim, view, dominance); }));
  if (splitsDims(left, to))
    return;
  askSize(view, view.getMemory());
  if (haveSameFactors(left, to))
    return;
  auto count = [&](ValueRange factors) {
    Value product = constant(1);
    for (Value factor : factors)
      product = b.createOrFold<arith::MulIOp>(loc, product, factor);
    return product;
  };
  asked.askEqual(view, count(from), count(to),
                 "a view changes the number of elements");
}

/// What steps of kernels share is as large as they say.
static bool isTemporary(Value memory) {
  return llvm::any_of(memory.getUsers(), llvm::IsaPred<LaunchOp>) &&
         llvm::all_of(memory.getUses(), [](OpOperand &use) {
           auto launch = dyn_cast<LaunchOp>(use.getOwner());
           return isa<memref::DeallocOp>(use.getOwner()) ||
                  (launch &&
                   llvm::is_contained(launch.getTemporaries(), use.get()) &&
                   !llvm::is_contained(launch.getInputs(), use.get()) &&
                   !llvm::is_contained(launch.getDestinations(), use.get()));
         });
}

void DimVerifier::verifyOp(Operation *op) {
  setPlace(op);
  llvm::TypeSwitch<Operation *>(op)
      .Case([&](memref::AllocOp alloc) {
        if (!isTemporary(alloc))
          askSize(op, alloc);
      })
      .Case<OutputMemoryOp, AppendMemoryOp>(
          [&](auto output) { askSize(op, output.getMemory()); })
      .Case([&](ViewOp view) { verifyView(view); })
      .Case([&](memref::CopyOp copy) {
        asked.askEqual(op, dims.dimsOf(copy.getSource()),
                       dims.dimsOf(copy.getTarget()),
                       "a copy has other dims than what is copied");
      });
}

//===----------------------------------------------------------------------===//
// Launches
//===----------------------------------------------------------------------===//

LogicalResult DimVerifier::verifyLaunch(ArrayRef<LaunchOp> steps) {
  LaunchOp launch = steps.front();
  setPlace(launch);
  Operation *op = launch.getKernel(symbols);
  auto inputDims = [&](unsigned i) {
    return dims.dimsOf(launch.getInputs()[i]);
  };
  auto elementsOf = [&](unsigned i) -> std::optional<Values> {
    Value given = launch.getInputs()[i];
    if (auto list = given.getDefiningOp<ListOp>())
      return Values(list.getElements());
    if (!isa<RankedTensorType>(given.getType()))
      return std::nullopt;
    auto numbers = getAllKnownIntegers(given);
    if (!numbers)
      return std::nullopt;
    return llvm::map_to_vector(
        *numbers, [&](int64_t number) { return constant(number); });
  };
  auto require = [&](Value condition, const Twine &text) {
    asked.ask(launch, condition, text);
  };
  KernelDims computed(b, loc, b.getIndexType(), op,
                      {inputDims, elementsOf, require});
  if (failed(computed.compute()))
    return failure();
  for (auto [result, memory] :
       llvm::zip_equal(op->getResults(), launch.getDestinations()))
    asked.askEqual(launch, computed.dimsOf(result), dims.dimsOf(memory),
                   "a result has other dims than its memory");
  auto name = op->getAttrOfType<StringAttr>(getKernelNameAttrName(op));
  return verifySteps(steps, *findKernel(kernels, name));
}

/// Whether `memory` can be what `own` is to `steps`: nothing else uses it, and
/// they differ in dims at most.
static bool standsFor(Value memory, Value own, ArrayRef<LaunchOp> steps) {
  auto found = cast<MemRefType>(memory.getType());
  auto wanted = cast<MemRefType>(own.getType());
  return found.getElementType() == wanted.getElementType() &&
         found.getRank() == wanted.getRank() && isTemporary(memory) &&
         llvm::all_of(memory.getUsers(), [&](Operation *user) {
           auto launch = dyn_cast<LaunchOp>(user);
           return !launch || llvm::is_contained(steps, launch);
         });
}

/// Checks that these are the steps of their kernel, with memory as large as it
/// says.
LogicalResult DimVerifier::verifySteps(ArrayRef<LaunchOp> steps,
                                       const Kernel &kernel) {
  LaunchOp first = steps.front();
  Operation *before = constant(0).getDefiningOp();
  auto whole = LaunchOp::create(b, loc, TypeRange(), first.getCalleeAttr(),
                                first.getInputs(), first.getDestinations());
  if (failed(kernel.stage(whole)))
    return failure();
  SmallVector<LaunchOp> expected;
  for (Operation *op = before->getNextNode(); op != first;
       op = op->getNextNode()) {
    if (isa<RequireOp, CheckSizeOp>(op))
      asked.askWritten(first, op);
    if (auto step = dyn_cast<LaunchOp>(op))
      expected.push_back(step);
  }
  llvm::DenseMap<Value, Value> given, made;
  auto isStep = [&](LaunchOp found, LaunchOp wanted) {
    if (found.getStepAttr() != wanted.getStepAttr() ||
        found.getTemporaries().size() != wanted.getTemporaries().size())
      return false;
    b.setInsertionPoint(found);
    for (auto [memory, own] :
         llvm::zip_equal(found.getTemporaries(), wanted.getTemporaries())) {
      if (!standsFor(memory, own, steps) ||
          given.try_emplace(own, memory).first->second != memory ||
          made.try_emplace(memory, own).first->second != own)
        return false;
      asked.askEqual(found, dims.dimsOf(own), dims.dimsOf(memory),
                     "memory of a step has another size");
    }
    return true;
  };
  if (expected.size() != steps.size() ||
      !llvm::all_of_zip(steps, expected, isStep))
    return first.emitOpError("expects the steps that its kernel takes");
  return success();
}

//===----------------------------------------------------------------------===//
// The program
//===----------------------------------------------------------------------===//

/// Whether both are steps of one launch.
static bool areOfOne(LaunchOp op, LaunchOp first) {
  return op.getStep() && first.getStep() &&
         first->getBlock() == op->getBlock() &&
         op.getCallee() == first.getCallee() &&
         op.getInputs() == first.getInputs() &&
         op.getDestinations() == first.getDestinations();
}

/// Whether `op` may stand between steps: these take for granted that nobody
/// else writes what they read.
static bool writesNothing(Operation *op) {
  return isMemoryEffectFree(op) ||
         isa<memref::AllocOp, memref::DeallocOp, RequireOp, CheckSizeOp>(op);
}

LogicalResult DimVerifier::verify() {
  SmallVector<Operation *> ops;
  program.walk([&](Operation *op) { ops.push_back(op); });
  dims.insert();
  // A load whose number nobody uses is a load all the same.
  for (Operation *op : ops)
    verifyAccess(op);
  dims.merge();
  dims.join();
  dims.replaceJoined();
  dims.merge();
  ops.clear();
  SmallVector<SmallVector<LaunchOp>> launches;
  bool isOpen = false;
  program.walk<WalkOrder::PreOrder>([&](Operation *op) {
    auto launch = dyn_cast<LaunchOp>(op);
    if (!launch) {
      isOpen &= writesNothing(op);
      ops.push_back(op);
      return;
    }
    if (!isOpen || !areOfOne(launch, launches.back().front()))
      launches.emplace_back();
    launches.back().push_back(launch);
    isOpen = true;
  });
  for (Operation *op : ops)
    verifyOp(op);
  for (ArrayRef<LaunchOp> steps : launches)
    if (failed(verifyLaunch(steps)))
      return failure();
  dims.replaceJoined();
  dims.merge();
  return asked.verify(program);
}

LogicalResult kernel::verifyDims(VariantOp variant, KernelList kernels) {
  OwningOpRef<VariantOp> copy = variant.clone();
  return DimVerifier(copy->lookupSymbol<func::FuncOp>("main"), kernels)
      .verify();
}

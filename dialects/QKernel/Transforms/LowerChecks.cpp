//===- LowerChecks.cpp - Checks return from their function ----------------===//
//
// The last check of a block goes first, so that the blocks of a function stand
// in the order of its checks.
//
//===----------------------------------------------------------------------===//

#include "dialects/QKernel/IR/QKernelOps.h"
#include "dialects/QKernel/Transforms/Passes.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/IR/PatternMatch.h"

#define DEBUG_TYPE "qkernel-lower-checks"

namespace qopt::kernel {
#define GEN_PASS_DEF_LOWERCHECKSPASS
#include "dialects/QKernel/Transforms/Passes.h.inc"
} // namespace qopt::kernel

using namespace mlir;
using namespace qopt;
using kernel::RequireOp;

static constexpr llvm::StringLiteral kFail = "qopt_rt_fail";

namespace {
/// The messages of a module, and what reports them.
class Messages {
public:
  explicit Messages(ModuleOp module) : module(module) {}

  /// Makes the text of `message` known, in the order of the calls.
  void add(StringAttr message) {
    auto [it, isNew] =
        names.try_emplace(message, "text." + std::to_string(names.size()));
    if (!isNew)
      return;
    OpBuilder b = OpBuilder::atBlockEnd(module.getBody());
    std::string bytes = message.getValue().str() + '\0';
    LLVM::GlobalOp::create(
        b, module.getLoc(),
        LLVM::LLVMArrayType::get(b.getI8Type(), bytes.size()),
        /*isConstant=*/true, LLVM::Linkage::Internal, it->second,
        b.getStringAttr(bytes));
  }

  /// Reports `message`; the value is what the run returns.
  Value report(OpBuilder &b, Location loc, Value context, Value code,
               StringAttr message) {
    auto function = module.lookupSymbol<LLVM::LLVMFuncOp>(kFail);
    if (!function) {
      OpBuilder top = OpBuilder::atBlockBegin(module.getBody());
      auto type = LLVM::LLVMFunctionType::get(
          b.getI32Type(), {context.getType(), b.getI32Type(),
                           LLVM::LLVMPointerType::get(b.getContext())});
      function = LLVM::LLVMFuncOp::create(top, module.getLoc(), kFail, type);
    }
    Value text = LLVM::AddressOfOp::create(
        b, loc, LLVM::LLVMPointerType::get(b.getContext()),
        names.lookup(message));
    return LLVM::CallOp::create(b, loc, function,
                                ValueRange{context, code, text})
        .getResult();
  }

private:
  ModuleOp module;
  llvm::DenseMap<StringAttr, std::string> names;
};

/// The checks of one function.
class CheckLowering {
public:
  CheckLowering(LLVM::LLVMFuncOp function, Messages &messages)
      : function(function), messages(messages) {}

  void lower(RequireOp check) {
    Block *block = check->getBlock();
    Block *next = block->splitBlock(std::next(check->getIterator()));
    Block *fail = check.getCode() && !check.getMessage()
                      ? findReturn(*check.getCode())
                      : addReport(check, next);
    OpBuilder b(check);
    cf::CondBranchOp::create(b, check.getLoc(), check.getCondition(), next,
                             fail);
    check.erase();
  }

private:
  static Value number(OpBuilder &b, Location loc, int32_t value) {
    return LLVM::ConstantOp::create(b, loc, b.getI32IntegerAttr(value));
  }

  Block *addReport(RequireOp check, Block *before) {
    auto *block = new Block();
    before->getParent()->getBlocks().insertAfter(before->getIterator(), block);
    OpBuilder b = OpBuilder::atBlockBegin(block);
    Location loc = check.getLoc();
    Value status = check.getStatus();
    if (!status)
      status = messages.report(b, loc, function.getArgument(0),
                               number(b, loc, *check.getCode()),
                               check.getMessageAttr());
    LLVM::ReturnOp::create(b, loc, status);
    return block;
  }

  /// The block that returns `code`, the last of the function.
  Block *findReturn(int32_t code) {
    Block *&block = returns[code];
    if (block)
      return block;
    block = new Block();
    function.getBody().push_back(block);
    OpBuilder b = OpBuilder::atBlockBegin(block);
    Location loc = function.getLoc();
    LLVM::ReturnOp::create(b, loc, number(b, loc, code));
    return block;
  }

  LLVM::LLVMFuncOp function;
  Messages &messages;
  llvm::DenseMap<int32_t, Block *> returns;
};

struct LowerChecksPass : kernel::impl::LowerChecksPassBase<LowerChecksPass> {
  void runOnOperation() override {
    Messages messages(getOperation());
    for (auto function :
         llvm::to_vector(getOperation().getOps<LLVM::LLVMFuncOp>()))
      if (failed(lower(function, messages)))
        return signalPassFailure();
  }

  LogicalResult lower(LLVM::LLVMFuncOp function, Messages &messages) {
    SmallVector<RequireOp> checks;
    function.walk([&](RequireOp check) { checks.push_back(check); });
    for (RequireOp check : checks) {
      if (check->getParentOp() != function)
        return check.emitOpError("stands in a region of '")
               << check->getParentOp()->getName() << "'";
      if (StringAttr message = check.getMessageAttr())
        messages.add(message);
    }
    CheckLowering lowering(function, messages);
    for (RequireOp check : llvm::reverse(checks))
      lowering.lower(check);
    numChecks += checks.size();
    return success();
  }
};
} // namespace

//===- AmxEmulation.cpp - AMX code on machines without AMX ----------------===//
//
// An instruction's result has a place of its own on the stack. A sum that a
// loop carries is added to in its place, element by element, which is what the
// instruction does.
//
//===----------------------------------------------------------------------===//

#include "AmxEmulation.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Parser/Parser.h"
#include "qopt/Target/Host/Passes.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::test;

static constexpr char kInstructions[] = R"mlir(
llvm.func internal @tilezero(%to: !llvm.ptr) {
  %zero = arith.constant dense<0> : vector<256xi32>
  llvm.store %zero, %to {alignment = 64 : i64} : vector<256xi32>, !llvm.ptr
  llvm.return
}
llvm.func internal @tilecopy(%to: !llvm.ptr, %to_stride: i64, %from: !llvm.ptr, %from_stride: i64) {
  %0 = arith.constant 0 : i64
  %1 = arith.constant 1 : i64
  %16 = arith.constant 16 : i64
  scf.for %row = %0 to %16 step %1 : i64 {
    %a = arith.muli %row, %from_stride : i64
    %b = arith.muli %row, %to_stride : i64
    %p = llvm.getelementptr %from[%a] : (!llvm.ptr, i64) -> !llvm.ptr, i8
    %q = llvm.getelementptr %to[%b] : (!llvm.ptr, i64) -> !llvm.ptr, i8
    %x = llvm.load %p {alignment = 1 : i64} : !llvm.ptr -> vector<16xi32>
    llvm.store %x, %q {alignment = 1 : i64} : vector<16xi32>, !llvm.ptr
  }
  llvm.return
}
llvm.func internal @NAME(%to: !llvm.ptr, %sum: !llvm.ptr, %rows: !llvm.ptr, %lanes: !llvm.ptr) {
  %0 = arith.constant 0 : i64
  %1 = arith.constant 1 : i64
  %4 = arith.constant 4 : i64
  %16 = arith.constant 16 : i64
  scf.for %m = %0 to %16 step %1 : i64 {
    scf.for %n = %0 to %16 step %1 : i64 {
      %mrow = arith.muli %m, %16 : i64
      %at = arith.addi %mrow, %n : i64
      %sp = llvm.getelementptr %sum[%at] : (!llvm.ptr, i64) -> !llvm.ptr, i32
      %old = llvm.load %sp : !llvm.ptr -> i32
      %new = scf.for %k = %0 to %16 step %1 iter_args(%part = %old) -> (i32) : i64 {
        %next = scf.for %byte = %0 to %4 step %1 iter_args(%s = %part) -> (i32) : i64 {
          %ar = arith.addi %mrow, %k : i64
          %aw = arith.muli %ar, %4 : i64
          %ai = arith.addi %aw, %byte : i64
          %krow = arith.muli %k, %16 : i64
          %br = arith.addi %krow, %n : i64
          %bw = arith.muli %br, %4 : i64
          %bi = arith.addi %bw, %byte : i64
          %ap = llvm.getelementptr %rows[%ai] : (!llvm.ptr, i64) -> !llvm.ptr, i8
          %bp = llvm.getelementptr %lanes[%bi] : (!llvm.ptr, i64) -> !llvm.ptr, i8
          %a8 = llvm.load %ap : !llvm.ptr -> i8
          %b8 = llvm.load %bp : !llvm.ptr -> i8
          %a = arith.EXTA %a8 : i8 to i32
          %b = arith.EXTB %b8 : i8 to i32
          %product = arith.muli %a, %b : i32
          %added = arith.addi %s, %product : i32
          scf.yield %added : i32
        }
        scf.yield %next : i32
      }
      %tp = llvm.getelementptr %to[%at] : (!llvm.ptr, i64) -> !llvm.ptr, i32
      llvm.store %new, %tp : i32, !llvm.ptr
    }
  }
  llvm.return
}
)mlir";

static std::string replaceAll(std::string text, StringRef from, StringRef to) {
  for (size_t at; (at = text.find(from)) != std::string::npos;)
    text.replace(at, from.size(), to);
  return text;
}

/// The functions of one dot product, and of everything else.
static OwningOpRef<ModuleOp> parseInstructions(MLIRContext *context,
                                               StringRef name) {
  bool hasSignedRows = name == "tdpbsud";
  std::string text = replaceAll(kInstructions, "NAME", name);
  text = replaceAll(text, "EXTA", hasSignedRows ? "extsi" : "extui");
  text = replaceAll(text, "EXTB", hasSignedRows ? "extui" : "extsi");
  auto module = parseSourceString<ModuleOp>(text, context);
  if (!module || failed(host::convertToLLVM(*module)))
    llvm::report_fatal_error("the emulation cannot be lowered");
  return module;
}

/// Adds what `module` does not have yet.
static void addFunctions(ModuleOp module) {
  for (StringRef name : {"tdpbusd", "tdpbsud"}) {
    OwningOpRef<ModuleOp> source = parseInstructions(module.getContext(), name);
    for (auto function :
         llvm::make_early_inc_range(source->getOps<LLVM::LLVMFuncOp>()))
      if (!module.lookupSymbol(function.getName())) {
        function->remove();
        module.push_back(function);
      }
  }
}

static Value makeTile(LLVM::CallIntrinsicOp op) {
  auto function = op->getParentOfType<LLVM::LLVMFuncOp>();
  OpBuilder b = OpBuilder::atBlockBegin(&function.getBody().front());
  Value words = LLVM::ConstantOp::create(b, op.getLoc(), b.getI64Type(),
                                         b.getI64IntegerAttr(256));
  return LLVM::AllocaOp::create(b, op.getLoc(),
                                LLVM::LLVMPointerType::get(b.getContext()),
                                b.getI32Type(), words, /*alignment=*/64);
}

static void emulate(LLVM::CallIntrinsicOp op, StringRef name) {
  OpBuilder b(op);
  Location loc = op.getLoc();
  auto call = [&](StringRef callee, ValueRange operands) {
    LLVM::CallOp::create(b, loc, TypeRange(), callee, operands);
  };
  Value dense =
      LLVM::ConstantOp::create(b, loc, b.getI64Type(), b.getI64IntegerAttr(64));
  OperandRange operands = op.getArgs();
  if (name == "tilestored64") {
    call("tilecopy", {operands[2], operands[3], operands[4], dense});
    op.erase();
    return;
  }
  Value tile = makeTile(op);
  if (name == "tilezero")
    call(name, {tile});
  else if (name == "tileloadd64")
    call("tilecopy", {tile, dense, operands[2], operands[3]});
  else
    call(name, {tile, operands[3], operands[4], operands[5]});
  op.getResult(0).replaceAllUsesWith(tile);
  op.erase();
}

unsigned test::emulateTiles(ModuleOp module) {
  SmallVector<std::pair<LLVM::CallIntrinsicOp, std::string>> found;
  module.walk([&](LLVM::CallIntrinsicOp op) {
    StringRef name = op.getIntrin();
    if (name.consume_front("llvm.x86.t") && name.consume_back(".internal"))
      found.emplace_back(op, "t" + name.str());
  });
  if (found.empty())
    return 0;
  addFunctions(module);
  for (auto &[op, name] : found)
    emulate(op, name);
  module.walk([](Block *block) {
    for (BlockArgument argument : block->getArguments())
      if (isa<LLVM::LLVMX86AMXType>(argument.getType()))
        argument.setType(LLVM::LLVMPointerType::get(argument.getContext()));
  });
  return found.size();
}

FailureOr<CompiledProgram>
test::compileWithEmulatedTiles(ModuleOp module,
                               ArrayRef<TargetConfig> configs) {
  X86Backend backend;
  CompiledProgram result;
  auto variants = backend.makeVariants(module, configs);
  if (failed(variants))
    return failure();
  auto lowered = backend.lowerProgram(**variants, configs);
  if (failed(lowered))
    return failure();
  result.machine = lowered->machine;
  for (LoweredProgram::Variant &made : lowered->variants) {
    if (failed(host::convertToLLVM(*made.module)))
      return failure();
    emulateTiles(*made.module);
    auto variant = backend.emitDevice(*made.module, made.config);
    if (failed(variant))
      return failure();
    if (made.config.cpu == "amx")
      variant->requiredFeatures =
          backend.findMachine("x86-64-v4")->requiredFeatures;
    result.variants.push_back(std::move(*variant));
  }
  result.weights = lowered->weights.take();
  return result;
}

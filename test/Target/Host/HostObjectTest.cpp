//===- HostObjectTest.cpp - Code that a target must not write -------------===//
//
// What a plug-in's kernels may get wrong ends with a text, not with a model
// that does not load.
//
//===----------------------------------------------------------------------===//

#include "lib/Target/Host/HostObject.h"
#include "dialects/QKernel/IR/QKernelOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Parser/Parser.h"
#include "qopt/InitAllTargets.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace qopt;
using testing::AllOf;
using testing::HasSubstr;

/// What is said of a module with a function of `body`, when it is made an
/// object of the first machine.
static std::string failureOf(StringRef body) {
  TargetRegistry targets;
  registerAllTargets(targets);
  const Machine &machine = targets.findDefault()->getMachines().front();
  DialectRegistry dialects;
  host::registerDialects(dialects);
  MLIRContext context(dialects);
  std::string said;
  ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
    said += diagnostic.str() + "\n";
    return success();
  });
  auto module = parseSourceString<ModuleOp>(
      ("llvm.func @\"main." + machine.name + "\"(%x: f32) -> f32 {\n" + body +
       "\nllvm.return %0 : f32\n}")
          .str(),
      &context);
  EXPECT_TRUE(module);
  if (!module)
    return said;
  EXPECT_TRUE(failed(host::emitHostObject(*module, machine,
                                          TargetConfig{machine.name.str()})));
  return said;
}

TEST(HostObject, NeedsNoMathLibrary) {
  EXPECT_THAT(failureOf("%0 = math.exp %x : f32"),
              HasSubstr("'llvm.intr.exp' op would need a math library"));
}

TEST(HostObject, NeedsNothingElse) {
  EXPECT_THAT(failureOf(R"(%0 = llvm.call @g(%x) : (f32) -> f32
    llvm.return %0 : f32
  }
  llvm.func @g(f32) -> f32
  llvm.func @h(%y: f32) -> f32 {
    %0 = llvm.mlir.constant(1.0 : f32) : f32)"),
              HasSubstr("g"));
}

TEST(HostObject, HasInstructionsOfItsMachine) {
  EXPECT_THAT(
      failureOf(R"(%0 = llvm.call_intrinsic "llvm.abacus"(%x) : (f32) -> f32)"),
      HasSubstr("cannot be translated to LLVM IR"));
}

/// What is said of a program that sums the rows of %x into %y by `launch`, when
/// its functions are written.
static std::string failureOfLaunch(StringRef launch) {
  TargetRegistry targets;
  registerAllTargets(targets);
  const TargetBackend &backend = *targets.findDefault();
  StringRef machine = backend.getMachines().front().name;
  MLIRContext context;
  backend.loadDialects(&context);
  context.loadDialect<func::FuncDialect, memref::MemRefDialect>();
  std::string said;
  ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
    said += diagnostic.str() + "\n";
    for (Diagnostic &note : diagnostic.getNotes())
      said += note.str() + "\n";
    return success();
  });
  std::string text;
  llvm::raw_string_ostream(text) << R"(
qkernel.variant @v #qkernel.target<")"
                                 << backend.getName() << "\", \"" << machine
                                 << R"("> {
  func.func @main(%x: memref<4x32xf32>) {
    %y = qkernel.output_memory 0() : memref<4xf32>
    %t = memref.alloc() : memref<144xi8>
    )" << launch << R"(
    return
  }
  func.func private @sum(%x: tensor<4x32xf32>) -> tensor<4xf32> {
    %0 = qkernel.rows(%x) {kernel = ")"
                                 << backend.getName() << R"(.rows"}
        : (tensor<4x32xf32>) -> tensor<4xf32> (%a: tensor<4x32xf32>) {
      %1 = qopt.reduce %a {axes = array<i64: 1>, keepdims = false, kind = #qopt.kind<sum>}
        : (tensor<4x32xf32>) -> tensor<4xf32>
      qkernel.yield %1 : tensor<4xf32>
    }
    return %0 : tensor<4xf32>
  }
})";
  auto module = parseSourceString<ModuleOp>(text, &context);
  EXPECT_TRUE(module) << said;
  if (!module)
    return said;
  auto variant = *module->getOps<kernel::VariantOp>().begin();
  WeightsSection weights;
  EXPECT_TRUE(failed(backend.lower(variant.lookupSymbol<func::FuncOp>("main"),
                                   TargetConfig{machine.str()}, weights)));
  return said;
}

/// A kernel in another's clothes may forget to stage.
TEST(HostObject, LaunchesHaveTheMemoryThatTheyUse) {
  EXPECT_THAT(
      failureOfLaunch("qkernel.launch @sum(%x) to(%y : memref<4xf32>) : "
                      "(memref<4x32xf32>) -> ()"),
      AllOf(HasSubstr("expects memory for 2 temporaries, but found 0"),
            HasSubstr("between its launches a kernel computes with dims "
                      "alone")));
  EXPECT_THAT(
      failureOfLaunch(
          "qkernel.launch @sum(%x) to(%y : memref<4xf32>) step \"reduce\" "
          "with(%t : memref<144xi8>) : (memref<4x32xf32>) -> ()"),
      HasSubstr("expects memory for 2 temporaries, but found 1"));
}

TEST(HostObject, StepsAreThoseOfTheirKernel) {
  EXPECT_THAT(
      failureOfLaunch(
          "qkernel.launch @sum(%x) to(%y : memref<4xf32>) step \"copy\" "
          "with(%t : memref<144xi8>) : (memref<4x32xf32>) -> ()"),
      HasSubstr("'qkernel.launch' op is no step of its kernel"));
}

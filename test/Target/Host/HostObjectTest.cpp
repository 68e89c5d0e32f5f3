//===- HostObjectTest.cpp - Code that a target must not write -------------===//
//
// What a plug-in's kernels may get wrong ends with a text, not with a model
// that does not load.
//
//===----------------------------------------------------------------------===//

#include "lib/Target/Host/HostObject.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Parser/Parser.h"
#include "qopt/InitAllTargets.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace qopt;
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

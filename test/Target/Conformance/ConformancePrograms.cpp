//===- ConformancePrograms.cpp - What every target must run ---------------===//
//
// Programs are fused once, before any target is asked.
//
//===----------------------------------------------------------------------===//

#include "ConformancePrograms.h"
#include "../../Support/TemporaryFolder.h"
#include "TargetCase.h"
#include "dialects/QKernel/IR/QKernelOps.h"
#include "dialects/QKernel/Transforms/AssignKernels.h"
#include "lib/Target/Host/GenericKernel.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "qopt/Conversion/QOptToQKernel/Passes.h"
#include "qopt/Execution/ModelRunner.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MemoryBuffer.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::test;

/// The MX formats and their elements.
static constexpr std::pair<const char *, const char *> kFormats[] = {
    {"mxfp4", "f4E2M1FN"},      {"mxfp6-e2m3", "f6E2M3FN"},
    {"mxfp6-e3m2", "f6E3M2FN"}, {"mxfp8-e4m3", "f8E4M3FN"},
    {"mxfp8-e5m2", "f8E5M2"},   {"mxint8", "i8"},
};

static void loadDialects(MLIRContext &context) {
  context.loadDialect<QOptDialect, kernel::QKernelDialect, func::FuncDialect>();
}

static std::string fuse(StringRef text, std::vector<int64_t> &dims) {
  MLIRContext context;
  loadDialects(context);
  auto module = parseSourceString<ModuleOp>(text, &context);
  if (!module)
    return "";
  auto program = module->lookupSymbol<func::FuncOp>("main");
  for (Type type : program.getArgumentTypes())
    dims.insert(dims.end(), cast<RankedTensorType>(type).getNumDynamicDims(),
                5);
  PassManager pm(&context, ModuleOp::getOperationName());
  pm.nest<func::FuncOp>().addPass(createConvertQOptToQKernelPass());
  if (failed(pm.run(*module)))
    return "";
  std::string fused;
  llvm::raw_string_ostream(fused) << *module;
  return fused;
}

static void addProgram(StringRef text, std::vector<ConformanceProgram> &all) {
  ConformanceProgram program;
  SmallVector<StringRef> lines;
  text.split(lines, '\n');
  for (StringRef line : lines) {
    if (!line.consume_front("// "))
      continue;
    if (line.consume_front("BOUND "))
      EXPECT_FALSE(line.getAsDouble(program.bound)) << line.str();
    else if (program.name.empty())
      program.name = line.str();
  }
  program.text = text.str();
  program.fused = fuse(text, program.dims);
  EXPECT_FALSE(program.fused.empty()) << program.name;
  all.push_back(std::move(program));
}

static std::string replaceAll(StringRef text, StringRef from, StringRef to) {
  return llvm::join(llvm::split(text, from), to);
}

static std::vector<ConformanceProgram> readPrograms() {
  std::vector<ConformanceProgram> all;
  auto file = llvm::MemoryBuffer::getFile(
      QOPT_SOURCE_DIR "/test/Target/Conformance/programs.mlir");
  if (!file) {
    ADD_FAILURE() << file.getError().message();
    return all;
  }
  // What stands before the first empty line says what the file is.
  StringRef text = (*file)->getBuffer();
  text = text.drop_front(text.find("\n\n"));
  for (StringRef program : llvm::split(text, "// -----")) {
    if (!program.contains("FORMAT")) {
      addProgram(program, all);
      continue;
    }
    for (auto [format, element] : kFormats)
      addProgram(
          replaceAll(replaceAll(program, "FORMAT", format), "ELEMENT", element),
          all);
  }
  return all;
}

const std::vector<ConformanceProgram> &test::conformancePrograms() {
  static const std::vector<ConformanceProgram> programs = readPrograms();
  return programs;
}

/// The names on the ops of `main`.
static std::set<std::string> namesOf(func::FuncOp main) {
  std::set<std::string> names;
  for (Operation &op : main.getBody().front())
    if (kernel::needsKernel(&op))
      names.insert(
          op.getAttrOfType<StringAttr>(kernel::getKernelNameAttrName(&op))
              .str());
  return names;
}

std::set<std::string> test::chosenKernels(const TargetBackend &backend,
                                          const TargetConfig &config,
                                          const ConformanceProgram &program) {
  // A kernel may want a weight to be constant.
  TargetCase test(program.fused, program.dims);
  auto main = test.getModule().lookupSymbol<func::FuncOp>("main");
  kernel::assignKernels(main, llvm::cantFail(backend.findKernels(config.cpu)));
  return namesOf(main);
}

/// False where what no kernel is for has no formula of loops either.
static bool runsAll(func::FuncOp main, kernel::KernelList kernels) {
  const kernel::Kernel *generic = kernel::findKernel(kernels, kernel::kGeneric);
  return llvm::all_of(main.getBody().front(), [&](Operation &op) {
    if (!kernel::needsKernel(&op))
      return true;
    StringAttr name =
        op.getAttrOfType<StringAttr>(kernel::getKernelNameAttrName(&op));
    return name.getValue() != kernel::kGeneric ||
           (generic && numerics::hasFormula(host::findSingleOp(&op)));
  });
}

static void expectConformance(const TargetBackend &backend,
                              const TargetConfig &config,
                              const ConformanceProgram &program) {
  TargetCase test(program.fused, program.dims);
  ASSERT_TRUE(bool(test));
  SmallVector<HostTensor> expected = test.evaluateReference();
  auto main = test.getModule().lookupSymbol<func::FuncOp>("main");
  OwningOpRef<func::FuncOp> assigned(main.clone());
  kernel::KernelList kernels = llvm::cantFail(backend.findKernels(config.cpu));
  kernel::assignKernels(*assigned, kernels);
  if (!runsAll(*assigned, kernels))
    return;
  auto compiled = backend.compile(test.getModule(), config);
  ASSERT_TRUE(succeeded(compiled));
  TemporaryFolder folder;
  std::string path = folder.file("model.so");
  llvm::Error linked = test.link(*compiled, path);
  ASSERT_FALSE(bool(linked)) << llvm::toString(std::move(linked));
  auto runner = ModelRunner::open(path);
  ASSERT_TRUE(bool(runner)) << llvm::toString(runner.takeError());
  test.expectRuns(**runner, expected, {1, 3}, config.cpu, program.bound);
}

void test::expectConformance(const TargetBackend &backend) {
  bool runsAny = false;
  for (const Machine &machine : backend.getMachines()) {
    if (!backend.findHere(machine))
      continue;
    std::string cpu = machine.name.str();
    runsAny = true;
    for (const ConformanceProgram &program : conformancePrograms()) {
      SCOPED_TRACE(cpu + ", " + program.name);
      ::expectConformance(backend, TargetConfig{cpu}, program);
    }
  }
  if (!runsAny)
    GTEST_SKIP() << "no machine of " << backend.getName().str() << " is here";
}

void test::expectEveryRowIsChosen(const TargetBackend &backend) {
  std::set<std::string> chosen, known;
  for (const Machine &machine : backend.getMachines()) {
    TargetConfig config{machine.name.str()};
    for (const kernel::Kernel *kernel : backend.getKernels(machine))
      known.insert(kernel->getName().str());
    for (const ConformanceProgram &program : conformancePrograms())
      chosen.merge(chosenKernels(backend, config, program));
  }
  for (const std::string &kernel : known)
    EXPECT_TRUE(chosen.count(kernel)) << "no program runs " << kernel;
}

//===- CompiledRunner.cpp - Calibration by compiled code ------------------===//
//
// Takes the way of every other program: fuse, lower, emit, link, load.
//
//===----------------------------------------------------------------------===//

#include "CompiledRunner.h"
#include "ArtefactWriter.h"
#include "qopt/Execution/ModelRunner.h"
#include "qopt/Pipelines/Phases.h"
#include "qopt/Support/CodedError.h"
#include "qopt/Transforms/Passes.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"

using namespace mlir;
using namespace qopt;

namespace {
class CompiledRunner : public ProgramRunner {
public:
  CompiledRunner(const TargetBackend &backend, StringRef cpu)
      : backend(backend), cpu(cpu) {}

  llvm::Error prepare(ModuleOp module) override {
    OwningOpRef<ModuleOp> copy = module.clone();
    PassManager pm(copy->getContext(), ModuleOp::getOperationName());
    // Weights that a transform wrote as expressions, and those that the model
    // has in codes: no float kernel reads these. Observers stay.
    pm.nest<func::FuncOp>().addPass(
        createEvaluateWeightsPass({/*decodes=*/true}));
    buildFusePipeline(pm);
    if (failed(pm.run(*copy)))
      return makeError(ExitCode::Internal, "the float program cannot be fused");
    auto program = backend.compile(*copy, TargetConfig{cpu});
    if (failed(program))
      return makeError(ExitCode::Unsupported,
                       "the float program cannot be compiled");
    SmallString<128> path;
    if (std::error_code code =
            llvm::sys::fs::createTemporaryFile("qopt-calibrate", "so", path))
      return makeError(ExitCode::NoResource,
                       "cannot make a temporary file: " + code.message());
    llvm::FileRemover remover(path);
    if (llvm::Error error = writeSharedLibrary(
            copy->lookupSymbol<func::FuncOp>("main"), *program, "calibration",
            "{}", path, /*states=*/{}, ModelDigests::Absent))
      return error;
    auto opened = ModelRunner::open(path, "the float program");
    if (!opened)
      return opened.takeError();
    runner = std::move(*opened);
    return llvm::Error::success();
  }

  llvm::Error run(ArrayRef<HostTensor> inputs, ObserveCallback observe,
                  SmallVectorImpl<HostTensor> *results) override {
    runner->setObserver([&](int32_t id, const void *data,
                            ArrayRef<int64_t> dims) {
      uint64_t size = *computeSizeInBytes(ElementType::F32, dims);
      observe(id, HostTensor::borrow(ElementType::F32, dims,
                                     {static_cast<const char *>(data), size}));
    });
    return results ? runner->run(inputs, *results)
                   : runner->runWithoutResults(inputs);
  }

private:
  const TargetBackend &backend;
  std::string cpu;
  std::unique_ptr<ModelRunner> runner;
};
} // namespace

std::unique_ptr<ProgramRunner>
qopt::createCompiledRunner(const TargetBackend &backend, StringRef cpu) {
  return std::make_unique<CompiledRunner>(backend, cpu);
}

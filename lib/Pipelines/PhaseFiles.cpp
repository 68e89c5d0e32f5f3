//===- PhaseFiles.cpp - A program as a file between phases ----------------===//
//
// The weights file is committed first: the text must never name bytes that are
// not there.
//
//===----------------------------------------------------------------------===//

#include "qopt/Pipelines/PhaseFiles.h"
#include "dialects/QOpt/IR/QOptOps.h"
#include "mlir/IR/AsmState.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "qopt/Support/AtomicFile.h"
#include "qopt/Support/CodedError.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace mlir;
using namespace qopt;

/// Shorter blobs are written in the text.
static constexpr size_t kMaxInlineBytes = 256;

/// Blobs of `module` that no file holds.
static llvm::SetVector<const WeightBlob *> findUnfiledBlobs(ModuleOp module) {
  llvm::SetVector<const WeightBlob *> blobs;
  module.walk([&](ConstantOp constant) {
    if (auto weight = dyn_cast<WeightAttr>(constant.getValue()))
      if (weight.getBlob()->file.empty() &&
          weight.getBlob()->bytes.size() > kMaxInlineBytes)
        blobs.insert(weight.getBlob());
  });
  return blobs;
}

llvm::Error qopt::writePhaseFile(ModuleOp module, StringRef path) {
  auto blobs = findUnfiledBlobs(module);
  if (!blobs.empty()) {
    std::string weightsPath = (path + ".weights").str();
    auto file = AtomicFile::create(weightsPath);
    if (!file)
      return file.takeError();
    WeightStore &store = module.getContext()
                             ->getOrLoadDialect<QOptDialect>()
                             ->getWeightStore();
    SmallVector<uint64_t> offsets;
    for (const WeightBlob *blob : blobs) {
      offsets.push_back((*file)->getSize());
      if (llvm::Error error = (*file)->write(llvm::toStringRef(blob->bytes)))
        return error;
    }
    if (llvm::Error error = (*file)->commit())
      return error;
    for (auto [blob, offset] : llvm::zip_equal(blobs, offsets))
      store.setOrigin(blob, weightsPath, offset);
  }
  std::string text;
  llvm::raw_string_ostream os(text);
  OpPrintingFlags flags;
  flags.enableDebugInfo(/*enable=*/true, /*prettyForm=*/false);
  module->print(os, flags);
  os << "\n";
  return writeFileAtomically(path, text);
}

llvm::Expected<OwningOpRef<ModuleOp>>
qopt::readPhaseFile(StringRef path, MLIRContext &context) {
  auto buffer = llvm::MemoryBuffer::getFile(path);
  if (!buffer)
    return makeError(ExitCode::NoResource, "cannot read '" + path + "': " +
                                               buffer.getError().message());
  std::string problems;
  ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
    llvm::raw_string_ostream(problems)
        << (problems.empty() ? "" : "\n") << diagnostic.getLocation() << ": "
        << diagnostic;
    return success();
  });
  ParserConfig config(&context);
  auto module =
      parseSourceString<ModuleOp>((*buffer)->getBuffer(), config, path);
  if (!module)
    return makeError(ExitCode::BadData, path + ": " + problems);
  return module;
}

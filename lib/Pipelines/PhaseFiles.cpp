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
#include "qopt/Support/MappedFile.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"

using namespace mlir;
using namespace qopt;

/// Shorter blobs are written in the text.
static constexpr size_t kMaxInlineBytes = 256;

using Blobs = llvm::SetVector<const WeightBlob *>;

static Blobs findBlobs(ModuleOp module) {
  Blobs blobs;
  module.walk([&](ConstantOp constant) {
    if (auto weight = dyn_cast<WeightAttr>(constant.getValue()))
      blobs.insert(weight.getBlob());
  });
  return blobs;
}

static std::string makeAbsolute(StringRef path) {
  SmallString<256> absolute(path);
  // Without a current folder the path stays what it is.
  (void)llvm::sys::fs::make_absolute(absolute);
  return absolute.str().str();
}

/// Blobs that no file holds. The paths of all others are made absolute: the
/// text is read from other folders too.
static Blobs prepareBlobs(ModuleOp module, WeightStore &store) {
  Blobs unfiled;
  for (const WeightBlob *blob : findBlobs(module))
    if (!blob->file.empty())
      store.setOrigin(blob, makeAbsolute(blob->file), blob->offsetInBytes);
    else if (blob->bytes.size() > kMaxInlineBytes)
      unfiled.insert(blob);
  return unfiled;
}

/// Writes `blobs` to the start of `file` and tells the store where they are.
static llvm::Error writeBlobs(ArrayRef<const WeightBlob *> blobs,
                              StringRef path, WeightStore &store,
                              AtomicFile &file) {
  for (const WeightBlob *blob : blobs) {
    uint64_t offset = file.getSize();
    if (llvm::Error error = file.write(llvm::toStringRef(blob->bytes)))
      return error;
    store.setOrigin(blob, path, offset);
  }
  return llvm::Error::success();
}

static std::string print(ModuleOp module) {
  std::string text;
  llvm::raw_string_ostream os(text);
  OpPrintingFlags flags;
  flags.enableDebugInfo(/*enable=*/true, /*prettyForm=*/false);
  module->print(os, flags);
  os << "\n";
  return text;
}

llvm::Error qopt::writePhaseFile(ModuleOp module, StringRef path) {
  auto text = AtomicFile::create(path);
  if (!text)
    return text.takeError();
  WeightStore &store =
      module.getContext()->getOrLoadDialect<QOptDialect>()->getWeightStore();
  Blobs blobs = prepareBlobs(module, store);
  if (blobs.empty()) {
    if (llvm::Error error = (*text)->write(print(module)))
      return error;
    return (*text)->commit();
  }
  std::string weightsPath = makeAbsolute((path + ".weights").str());
  auto weights = AtomicFile::create(weightsPath);
  if (!weights)
    return weights.takeError();
  if (llvm::Error error =
          writeBlobs(blobs.getArrayRef(), weightsPath, store, **weights))
    return error;
  if (llvm::Error error = (*text)->write(print(module)))
    return error;
  if (llvm::Error error = (*weights)->commit())
    return error;
  llvm::Error error = (*text)->commit();
  if (error)
    llvm::sys::fs::remove(weightsPath);
  return error;
}

/// MLIR's parser recurses: each nesting level of the text takes stack.
static bool isNestedTooDeeply(StringRef text) {
  static constexpr int kMaxDepth = 256;
  int depth = 0;
  bool isInString = false;
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (isInString) {
      i += c == '\\';
      isInString = c != '"';
      continue;
    }
    isInString = c == '"';
    if (c == '(' || c == '[' || c == '{' || c == '<')
      ++depth;
    else if (c == ')' || c == ']' || c == '}' ||
             (c == '>' && i > 0 && text[i - 1] != '-'))
      --depth;
    if (depth > kMaxDepth)
      return true;
  }
  return false;
}

llvm::Expected<OwningOpRef<ModuleOp>>
qopt::readPhaseFile(StringRef path, MLIRContext &context) {
  auto file = MappedFile::open(path);
  if (!file)
    return file.takeError();
  if (isNestedTooDeeply(file->getText()))
    return makeError(ExitCode::BadData, path + ": is nested too deeply");
  std::string problems;
  ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
    llvm::raw_string_ostream(problems)
        << (problems.empty() ? "" : "\n") << diagnostic.getLocation() << ": "
        << diagnostic;
    return success();
  });
  ParserConfig config(&context);
  // A copy: the lexer reads the byte behind the text.
  auto module =
      parseSourceString<ModuleOp>(file->getText().str(), config, path);
  if (!module)
    return makeError(ExitCode::BadData, path + ": " + problems);
  return module;
}

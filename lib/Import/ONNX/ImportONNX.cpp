//===- ImportONNX.cpp - From an ONNX file to qopt -------------------------===//
//
// Maps the file, splits it, lets protobuf read the skeleton, and checks what
// the model says about itself before its graph is imported.
//
//===----------------------------------------------------------------------===//

#include "qopt/Import/ONNX/ImportONNX.h"
#include "GraphImporter.h"
#include "InlineFunctions.h"
#include "TensorReader.h"
#include "WireWalk.h"
#include "dialects/QOpt/IR/QOptDialect.h"
#include "lib/ONNX/OnnxProto.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Verifier.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::importer;

/// Longest name from a model that a message shows.
static constexpr size_t kMaxNameLength = 200;

std::string qopt::importer::quote(StringRef name) {
  std::string text;
  llvm::raw_string_ostream os(text);
  os << '"';
  llvm::printEscapedString(name.take_front(kMaxNameLength), os);
  os << (name.size() > kMaxNameLength ? "...\"" : "\"");
  return text;
}

StringRef qopt::importer::getNote(const Failure &failure) {
  if (!failure.note.empty())
    return failure.note;
  switch (failure.code) {
  case ExitCode::BadData:
    return "onnx.checker.check_model finds most faults of a model; export it "
           "again";
  case ExitCode::Unsupported:
    return "docs/onnx-operators.md says what is supported; export the model "
           "without this";
  default:
    return "";
  }
}

static std::optional<Failure> parseModel(const MappedFile &file,
                                         Skeleton &skeleton,
                                         onnx::ModelProto &model) {
  const char *note =
      "the file is no ONNX model, or it was cut short; export the "
      "model as ONNX, as torch.onnx.export does, or copy it "
      "again";
  if (file.getSize() == 0)
    return malformed("the file is empty", note);
  if (auto error = walkModel(file.getBytes(), skeleton))
    return malformed("expects an ONNX model, but found " + error->what +
                         " at byte " + Twine(error->offsetInBytes),
                     note);
  if (!model.ParseFromString(skeleton.bytes))
    return malformed("expects an ONNX model, but some field has another form",
                     note);
  // Raw data of the skeleton are indices; the text is needed no more.
  skeleton.bytes = {};
  return std::nullopt;
}

static std::optional<Failure> readOpset(const onnx::ModelProto &model,
                                        int64_t &opset) {
  std::optional<int64_t> found;
  for (const onnx::OperatorSetIdProto &entry : model.opset_import()) {
    if (!entry.domain().empty() && entry.domain() != "ai.onnx")
      continue;
    if (found && *found != entry.version())
      return malformed("expects one opset of the default domain, but found " +
                       Twine(*found) + " and " + Twine(entry.version()));
    found = entry.version();
  }
  // A model may have nodes of other domains alone.
  auto isOther = [](const onnx::NodeProto &node) {
    return !node.domain().empty() && node.domain() != "ai.onnx";
  };
  if (!found && model.opset_import_size() != 0 &&
      llvm::all_of(model.graph().node(), isOther))
    found = kMaxOpset;
  if (!found)
    return malformed("expects an opset of the default domain, but found none");
  opset = *found;
  if (opset >= kMinOpset && opset <= kMaxOpset)
    return std::nullopt;
  return unsupported("expects an opset from " + Twine(kMinOpset) + " to " +
                         Twine(kMaxOpset) + ", but found " + Twine(opset),
                     "convert the model with onnx.version_converter");
}

/// Verifies the module; the text is that of the first diagnostic.
static std::optional<Failure> verifyModule(ModuleOp module) {
  std::string text;
  ScopedDiagnosticHandler handler(module.getContext(),
                                  [&](Diagnostic &diagnostic) {
                                    if (text.empty())
                                      text = diagnostic.str();
                                    return success();
                                  });
  if (succeeded(verify(module)))
    return std::nullopt;
  return malformed(text);
}

static std::optional<Failure> importModel(StringRef path,
                                          ArrayRef<InputShape> shapes,
                                          MLIRContext &context,
                                          OwningOpRef<ModuleOp> &module) {
  llvm::Expected<MappedFile> mapped = MappedFile::open(path);
  if (!mapped) {
    ExitCode code;
    std::string text = takeMessage(mapped.takeError(), code);
    StringRef what = text;
    what.consume_front((path + ": ").str());
    return Failure{code, what.str(), ""};
  }
  auto file = std::make_shared<const MappedFile>(std::move(*mapped));
  Skeleton skeleton;
  onnx::ModelProto model;
  if (auto failure = parseModel(*file, skeleton, model))
    return failure;
  if (model.ir_version() > onnx::IR_VERSION)
    return unsupported("expects an IR version up to " +
                           Twine(int64_t(onnx::IR_VERSION)) + ", but found " +
                           Twine(model.ir_version()),
                       "save the model with a released version of onnx");
  int64_t opset;
  if (!model.has_graph())
    return malformed("expects a graph, but the model has none");
  if (auto failure = readOpset(model, opset))
    return failure;
  if (auto failure = inlineFunctions(model, opset))
    return failure;
  context.loadDialect<QOptDialect, arith::ArithDialect, func::FuncDialect,
                      scf::SCFDialect, tensor::TensorDialect>();
  TensorReader tensors(&context, std::move(file), std::move(skeleton));
  if (auto failure =
          importGraph(model.graph(), opset, shapes, tensors, &context, module))
    return failure;
  return verifyModule(*module);
}

/// Whether a failure is the fault of the dims that a user gave.
static bool isSoundWithoutShapes(StringRef path, MLIRContext &context) {
  OwningOpRef<ModuleOp> module;
  return !importModel(path, /*shapes=*/{}, context, module);
}

FailureOr<OwningOpRef<ModuleOp>>
qopt::importOnnxModel(StringRef path, MLIRContext &context, ImportError &error,
                      ArrayRef<InputShape> shapes) {
  OwningOpRef<ModuleOp> module;
  auto failure = importModel(path, shapes, context, module);
  if (!failure)
    return module;
  error = {failure->code, (path + ": " + failure->what).str(),
           getNote(*failure).str()};
  if (!shapes.empty() && error.code != ExitCode::BadUse &&
      isSoundWithoutShapes(path, context)) {
    error.code = ExitCode::BadUse;
    error.note = "without --shapes the model is imported; give other dims";
  }
  return mlir::failure();
}

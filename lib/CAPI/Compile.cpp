//===- Compile.cpp - Compiles models for the C API ------------------------===//
//
// Each compilation has its own context, so threads do not meet.
//
//===----------------------------------------------------------------------===//

#include "qopt-c/Compile.h"

#include "Handles.h"
#include "mlir/IR/MLIRContext.h"
#include "qopt/InitAllDialects.h"
#include "qopt/InitAllTargets.h"
#include "qopt/Pipelines/Compiler.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/FormatVariadic.h"

using namespace qopt;
using llvm::StringRef;

struct QoptCompileOptions {
  CompileOptions options;
};

static llvm::Error setRecipe(Recipe &recipe, llvm::Expected<Recipe> read) {
  if (!read)
    return read.takeError();
  recipe = std::move(*read);
  return llvm::Error::success();
}

static llvm::Error setPhase(std::optional<Phase> &phase, StringRef name) {
  phase = findPhase(name);
  if (phase)
    return llvm::Error::success();
  return makeError(ExitCode::BadUse, "there is no phase '" + name + "'");
}

static llvm::Error setEmit(CompileOptions &options, StringRef name) {
  if (setEmitForm(options, name))
    return llvm::Error::success();
  return makeError(ExitCode::BadUse, "'emit' expects " + kEmitForms +
                                         ", but found '" + name + "'");
}

static llvm::Error setShapes(std::vector<InputShape> &shapes, StringRef text) {
  auto read = parseShapes(text);
  if (!read)
    return read.takeError();
  shapes = std::move(*read);
  return llvm::Error::success();
}

static std::vector<std::string> splitList(StringRef text) {
  llvm::SmallVector<StringRef> parts;
  text.split(parts, ',', /*MaxSplit=*/-1, /*KeepEmpty=*/false);
  return std::vector<std::string>(parts.begin(), parts.end());
}

static llvm::Error setOption(CompileOptions &options, StringRef name,
                             StringRef value) {
  if (name == "preset")
    return setRecipe(options.recipe, getPreset(value));
  if (name == "recipe")
    return setRecipe(options.recipe, readRecipe(value));
  if (name == "stop-after")
    return setPhase(options.stopAfter, value);
  if (name == "start-from")
    return setPhase(options.startFrom, value);
  if (name == "emit")
    return setEmit(options, value);
  if (name == "shapes")
    return setShapes(options.shapes, value);
  if (name == "cpu") {
    options.cpus = splitList(value);
    return llvm::Error::success();
  }
  std::string *text = llvm::StringSwitch<std::string *>(name)
                          .Case("calib", &options.calibration)
                          .Case("target", &options.target)
                          .Case("report", &options.reportFolder)
                          .Case("fail-on-fallback", &options.failOnFallback)
                          .Default(nullptr);
  if (!text)
    return makeError(ExitCode::BadUse, "there is no option '" + name + "'");
  *text = value.str();
  return llvm::Error::success();
}

static llvm::Expected<Report> compileModel(const CompileOptions &options) {
  TargetRegistry targets;
  registerAllTargets(targets);
  mlir::DialectRegistry dialects;
  registerAllDialects(dialects);
  registerAllTargetDialects(dialects);
  mlir::MLIRContext context(dialects, mlir::MLIRContext::Threading::DISABLED);
  return compile(options, targets, context);
}

QoptCompileOptions *qoptCompileOptionsCreate(void) {
  auto *created = new QoptCompileOptions;
  created->options.recipe = llvm::cantFail(getPreset("fp32"));
  return created;
}

void qoptCompileOptionsDestroy(QoptCompileOptions *options) { delete options; }

QoptError *qoptCompileOptionsSet(QoptCompileOptions *options, const char *name,
                                 const char *value) {
  return makeHandle(setOption(options->options, name, value));
}

QoptError *qoptModelCompile(const char *model, const char *output,
                            const QoptCompileOptions *options,
                            QoptText **report) {
  CompileOptions own;
  if (options)
    own = options->options;
  else
    own.recipe = llvm::cantFail(getPreset("fp32"));
  own.model = model;
  own.output = output;
  llvm::Expected<Report> made = compileModel(own);
  if (!made)
    return makeHandle(made.takeError());
  if (report)
    *report = new QoptText{llvm::formatv("{0}", made->toJson()).str()};
  return nullptr;
}

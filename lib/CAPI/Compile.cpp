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
#include "llvm/Support/FormatVariadic.h"

using namespace qopt;

struct QoptCompileOptions {
  CompileOptions options;
};

static llvm::Expected<Report> compileModel(const CompileOptions &options) {
  TargetRegistry targets;
  registerAllTargets(targets);
  mlir::DialectRegistry dialects;
  registerAllDialects(dialects);
  targets.registerDialects(dialects);
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

QoptText *qoptTargetsDescribe(void) {
  TargetRegistry targets;
  registerAllTargets(targets);
  llvm::json::Value rows(targets.describe());
  return new QoptText{llvm::formatv("{0}", rows).str()};
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
  own.measuresErrors = report || !own.reportFolder.empty();
  llvm::Expected<Report> made = compileModel(own);
  if (!made)
    return makeHandle(made.takeError());
  if (report)
    *report = new QoptText{llvm::formatv("{0}", made->toJson()).str()};
  return nullptr;
}

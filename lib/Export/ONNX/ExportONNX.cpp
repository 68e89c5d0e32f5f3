//===- ExportONNX.cpp - From qopt to an ONNX file -------------------------===//
//
// The opset is the lowest that has the element types of the program, so that
// older runtimes load what they can compute.
//
//===----------------------------------------------------------------------===//

#include "qopt/Export/ONNX/ExportONNX.h"
#include "OpForms.h"
#include "qopt/Support/Version.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::exporter;

const OpForm *qopt::exporter::lookupForm(StringRef op) {
  for (ArrayRef<OpForm> family :
       {getContractionForms(), getElementwiseForms(), getMovementForms(),
        getNormalizationForms(), getQuantizationForms()})
    for (const OpForm &form : family)
      if (form.op == op)
        return &form;
  return nullptr;
}

SmallVector<std::string> qopt::exporter::useOperands(GraphWriter &writer,
                                                     Operation *op) {
  return llvm::map_to_vector(
      op->getOperands(), [&](Value operand) { return writer.use(operand); });
}

void qopt::exporter::writeSame(GraphWriter &writer, Operation *op,
                               StringRef operation) {
  writer.finish(operation, useOperands(writer, op));
}

/// The version of the file format that came with an opset from 21 on.
static int64_t getIrVersion(int64_t opset) {
  if (opset <= 22)
    return 10;
  if (opset <= 24)
    return opset - 12;
  return opset <= 27 ? 13 : 14;
}

static void describeModel(onnx::ModelProto &model, ModuleOp module,
                          int64_t opset, const OnnxExportOptions &options) {
  model.set_ir_version(getIrVersion(opset));
  model.add_opset_import()->set_version(opset);
  model.set_producer_name("qopt");
  model.set_producer_version(getVersion());
  auto name = module.getLoc()->findInstanceOf<NameLoc>();
  model.mutable_graph()->set_name(
      name && !name.getName().empty() ? name.getName().str() : "main");
  for (const auto &[key, value] : options.metadata) {
    auto &entry = *model.add_metadata_props();
    entry.set_key(key);
    entry.set_value(value);
  }
}

FailureOr<std::string> qopt::exportOnnxModel(ModuleOp module,
                                             const OnnxExportOptions &options) {
  onnx::ModelProto model;
  auto main = module.lookupSymbol<func::FuncOp>("main");
  if (!main || !main.getBody().hasOneBlock())
    return module.emitError("expects a function @main of one block");
  GraphWriter writer(*model.mutable_graph(), module, options.maxSizeInBytes);
  if (failed(writer.run(main)))
    return failure();
  describeModel(model, module, writer.getOpset(), options);
  std::string bytes;
  if (model.ByteSizeLong() > options.maxSizeInBytes ||
      !model.SerializeToString(&bytes))
    return main.emitError("is larger than the ")
           << options.maxSizeInBytes << " bytes that one ONNX file can hold";
  return bytes;
}

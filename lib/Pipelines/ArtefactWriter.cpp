//===- ArtefactWriter.cpp - Code and weights to a file --------------------===//
//
// Names and symbols of inputs and outputs come from the function's attributes.
//
//===----------------------------------------------------------------------===//

#include "ArtefactWriter.h"
#include "dialects/QOpt/IR/HostConstants.h"
#include "dialects/QOpt/IR/QOptDialect.h"
#include "qopt/Support/CodedError.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace qopt;

static llvm::Expected<ValueDescription>
describe(Type type, DictionaryAttr attrs, StringRef defaultName) {
  auto tensor = cast<RankedTensorType>(type);
  ValueDescription value;
  value.name = defaultName.str();
  if (auto name = attrs ? attrs.getAs<StringAttr>(kNameAttrName) : StringAttr())
    value.name = name.getValue().str();
  auto elementType = getHostElementType(tensor.getElementType());
  if (!elementType)
    return makeError(ExitCode::Unsupported,
                     "'" + value.name +
                         "' has an element type that no array has");
  value.type = *elementType;
  for (int64_t dim : tensor.getShape())
    value.dims.push_back(ShapedType::isDynamic(dim) ? -1 : dim);
  if (auto dims = attrs ? attrs.getAs<ArrayAttr>(kDimsAttrName) : ArrayAttr())
    for (Attribute symbol : dims)
      value.symbols.push_back(cast<StringAttr>(symbol).getValue().str());
  return value;
}

llvm::Expected<ProgramDescription> qopt::describeProgram(func::FuncOp main) {
  ProgramDescription description;
  for (unsigned i = 0; i < main.getNumArguments(); ++i) {
    auto value = describe(main.getArgument(i).getType(), main.getArgAttrDict(i),
                          "arg" + std::to_string(i));
    if (!value)
      return value.takeError();
    description.inputs.push_back(std::move(*value));
  }
  for (unsigned i = 0; i < main.getNumResults(); ++i) {
    auto value = describe(main.getResultTypes()[i], main.getResultAttrDict(i),
                          "result" + std::to_string(i));
    if (!value)
      return value.takeError();
    description.outputs.push_back(std::move(*value));
  }
  return description;
}

llvm::Error qopt::writeSharedLibrary(func::FuncOp main,
                                     const CompiledProgram &program,
                                     StringRef name, StringRef manifest,
                                     StringRef path, const StateOptions &states,
                                     ModelDigests digests) {
  auto described = describeProgram(main);
  if (!described)
    return described.takeError();
  ProgramDescription &description = *described;
  description.name = name.str();
  description.manifest = manifest.str();
  if (llvm::Error error = findStates(description, states))
    return error;
  SmallVector<StringRef> objects;
  for (const CompiledVariant &variant : program.variants) {
    description.tiers.push_back(
        {variant.cpu, variant.entry, variant.requiredFeatures});
    objects.push_back({variant.bytes.data(), variant.bytes.size()});
  }
  return linkModel(
      objects, description, *program.machine,
      [&](WeightsWriter &writer) {
        return writer.write(llvm::toStringRef(program.weights));
      },
      path, digests);
}

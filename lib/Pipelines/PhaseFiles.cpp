//===- PhaseFiles.cpp - A program as a file between phases ----------------===//
//
// The weights file is committed first: the text must never name bytes that are
// not there. What is read is checked here once: passes rely on what their own
// kind leaves behind.
//
//===----------------------------------------------------------------------===//

#include "qopt/Pipelines/PhaseFiles.h"
#include "PhaseText.h"
#include "dialects/QKernel/IR/QKernelOps.h"
#include "dialects/QOpt/IR/QOptOps.h"
#include "dialects/QOpt/IR/VerifyTypes.h"
#include "dialects/QOpt/Quantization/VerifyPlan.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/AsmState.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "qopt/Pipelines/Contract.h"
#include "qopt/Pipelines/Phases.h"
#include "qopt/Reference/EvaluationLimit.h"
#include "qopt/Support/AtomicFile.h"
#include "qopt/Support/CodedError.h"
#include "qopt/Support/MappedFile.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"

using namespace mlir;
using namespace qopt;

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
    else if (blob->bytes.size() > kMaxHexBytes)
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

/// Checks the names of one argument's or result's dims.
static LogicalResult verifyDimNames(func::FuncOp main, Type type,
                                    DictionaryAttr attributes) {
  Attribute names = attributes ? attributes.get(kDimsAttrName) : Attribute();
  Attribute name = attributes ? attributes.get(kNameAttrName) : Attribute();
  if (name && !isa<StringAttr>(name))
    return main.emitOpError("expects a string for ")
           << kNameAttrName << ", but found " << name;
  if (!names)
    return success();
  auto array = dyn_cast<ArrayAttr>(names);
  if (!array || !llvm::all_of(array, llvm::IsaPred<StringAttr>) ||
      static_cast<int64_t>(array.size()) !=
          cast<RankedTensorType>(type).getRank())
    return main.emitOpError("expects a name for each dim of ")
           << type << ", but found " << names;
  return success();
}

static constexpr llvm::StringLiteral kFormOfMain =
    "expects a function @main of one block on ranked tensors";

/// Checks the only form of @main that phases work on.
static LogicalResult verifyMain(func::FuncOp main) {
  auto hasRankedTensors = [](ArrayRef<Type> types) {
    return llvm::all_of(types, llvm::IsaPred<RankedTensorType>);
  };
  if (!main.getBody().hasOneBlock() ||
      !hasRankedTensors(main.getArgumentTypes()) ||
      !hasRankedTensors(main.getResultTypes()))
    return main.emitError(kFormOfMain);
  for (auto [i, type] : llvm::enumerate(main.getArgumentTypes()))
    if (failed(verifyTensor(cast<RankedTensorType>(type),
                            [&] { return main.emitOpError(); })) ||
        failed(verifyDimNames(main, type, main.getArgAttrDict(i))) ||
        failed(verifyStatistics(main.getArgument(i))))
      return failure();
  for (auto [i, type] : llvm::enumerate(main.getResultTypes()))
    if (failed(verifyDimNames(main, type, main.getResultAttrDict(i))))
      return failure();
  return success();
}

/// Tables of nodes have rows of these numbers.
static bool isNodeId(int64_t id) {
  return id >= 0 && id <= std::numeric_limits<int32_t>::max();
}

/// Checks the numbers of the nodes that the location of `op` names.
static LogicalResult verifyNodeIds(Operation *op) {
  WalkResult result =
      Attribute(op->getLoc()).walk([&](NodeAttr node) -> WalkResult {
        if (isNodeId(node.getId()))
          return WalkResult::advance();
        return op->emitOpError("expects a node from 0 and below 2^31, but "
                               "found ")
               << node.getId();
      });
  return failure(result.wasInterrupted());
}

/// Branches and loops, and what their conditions and counters are made with.
static bool isControlFlow(Operation *op) {
  return isa<arith::AddIOp, arith::AndIOp, arith::CmpIOp, arith::ConstantOp,
             arith::IndexCastOp, arith::OrIOp, arith::XOrIOp, scf::ConditionOp,
             scf::ForOp, scf::IfOp, scf::WhileOp, scf::YieldOp,
             tensor::ExtractOp, tensor::FromElementsOp>(op);
}

/// Checks what the verifiers of single ops leave out.
static LogicalResult verifyOp(Operation *op) {
  if (failed(verifyNodeIds(op)))
    return failure();
  if (isa<ModuleOp, func::FuncOp, func::ReturnOp>(op) ||
      isa_and_nonnull<kernel::QKernelDialect>(op->getDialect()))
    return success();
  if (isControlFlow(op))
    return success();
  if (!isa_and_nonnull<QOptDialect>(op->getDialect()))
    return op->emitOpError("is no op of a phase file");
  if (failed(verifyTypes(op)) || failed(verifyRequest(op)))
    return failure();
  for (Value result : op->getResults())
    if (failed(verifyStatistics(result)))
      return failure();
  return success();
}

static LogicalResult verifyNodeTable(ModuleOp module) {
  Attribute nodes = module->getAttr(kNodesAttrName);
  auto table = dyn_cast_or_null<ArrayAttr>(nodes);
  if (!nodes || (table && llvm::all_of(table, [](Attribute row) {
                   auto node = dyn_cast<NodeInfoAttr>(row);
                   return node && isNodeId(node.getId());
                 })))
    return success();
  return module.emitOpError("expects a table of nodes in ") << kNodesAttrName;
}

/// Checks what constants of one repeated element take: the text does not limit
/// it.
static LogicalResult verifySplats(ModuleOp module) {
  uint64_t bytesLeft = getEvaluationLimit(0);
  WalkResult result = module.walk([&](ConstantOp constant) {
    auto elements = dyn_cast<DenseElementsAttr>(constant.getValue());
    if (!elements || !elements.isSplat())
      return WalkResult::advance();
    uint64_t size = getSizeInBytes(constant);
    if (size <= bytesLeft) {
      bytesLeft -= size;
      return WalkResult::advance();
    }
    constant.emitOpError("repeats one element in ")
        << constant.getResult().getType() << ", but only " << bytesLeft
        << " bytes are left for such constants";
    return WalkResult::interrupt();
  });
  return failure(result.wasInterrupted());
}

/// Checks a variant of `main` before its tensors have memory.
static LogicalResult verifyVariant(kernel::VariantOp variant,
                                   func::FuncOp main) {
  auto copy = variant.lookupSymbol<func::FuncOp>("main");
  if (!copy || !llvm::hasSingleElement(variant.getBody().front()))
    return variant.emitOpError("expects a function @main and nothing else");
  if (copy.getFunctionType() != main.getFunctionType())
    return variant.emitOpError("expects @main of type ")
           << main.getFunctionType() << ", but found "
           << copy.getFunctionType();
  return verifyMain(copy);
}

/// Whether `op` is one of a program that has memory; verify-target looks at it.
static bool isOfMemory(Operation *op) {
  return isa_and_nonnull<arith::ArithDialect, memref::MemRefDialect>(
             op->getDialect()) &&
         op->getParentOfType<kernel::VariantOp>();
}

/// Checks that the module is one program, and its variants the same program for
/// machines.
static LogicalResult verifyProgram(ModuleOp module) {
  auto main = module.lookupSymbol<func::FuncOp>("main");
  if (!main)
    return module.emitError(kFormOfMain);
  auto phase = module->getAttrOfType<StringAttr>(kPhaseAttrName);
  bool hasMemory = phase && phase.getValue() == getName(Phase::Target);
  for (Operation &op : *module.getBody()) {
    if (&op == main.getOperation())
      continue;
    auto variant = dyn_cast<kernel::VariantOp>(op);
    if (!variant)
      return op.emitOpError("stands beside @main");
    if (failed(hasMemory ? verifyNodeKernels(variant)
                         : verifyVariant(variant, main)))
      return failure();
    if (!hasMemory && variant->hasAttr(kNodeKernelsAttrName))
      return op.emitOpError("tells kernels of nodes before the phase target");
  }
  if (failed(verifyMain(main)) || failed(verifyNodeTable(module)))
    return failure();
  WalkResult result = module.walk([&](Operation *op) {
    bool isRight = (hasMemory && isOfMemory(op)) ? succeeded(verifyNodeIds(op))
                                                 : succeeded(verifyOp(op));
    return isRight ? WalkResult::advance() : WalkResult::interrupt();
  });
  return failure(result.wasInterrupted() || failed(verifySplats(module)));
}

void qopt::eraseVariants(
    ModuleOp module, llvm::function_ref<bool(kernel::VariantOp)> isLeftOut) {
  for (auto variant :
       llvm::make_early_inc_range(module.getOps<kernel::VariantOp>()))
    if (isLeftOut(variant))
      variant.erase();
}

/// Where in the text a problem is.
static std::string describePlace(Location loc) {
  auto place = loc->findInstanceOf<FileLineColLoc>();
  return place ? "line " + std::to_string(place.getLine()) + ", column " +
                     std::to_string(place.getColumn()) + ": "
               : "";
}

llvm::Expected<OwningOpRef<ModuleOp>>
qopt::readPhaseFile(StringRef path, MLIRContext &context) {
  auto file = MappedFile::open(path);
  if (!file)
    return file.takeError();
  if (llvm::Error error = checkPhaseText(file->getText(), path))
    return std::move(error);
  std::string problems;
  ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
    llvm::raw_string_ostream(problems)
        << (problems.empty() ? "" : "\n  ")
        << describePlace(diagnostic.getLocation()) << diagnostic;
    return success();
  });
  ParserConfig config(&context);
  // A copy: the lexer reads the byte behind the text.
  auto module =
      parseSourceString<ModuleOp>(file->getText().str(), config, path);
  if (!module || failed(verifyProgram(*module)))
    return makeError(ExitCode::BadData,
                     path + ": " + problems +
                         "\nnote: qopt-compile --stop-after=PHASE writes such "
                         "files; they are good for one version");
  return module;
}

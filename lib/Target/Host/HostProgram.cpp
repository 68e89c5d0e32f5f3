//===- HostProgram.cpp - The host function of a tier ----------------------===//
//
// The host function is one block, with regions for control flow; what a run can
// fail of is an op in them. A run that fails leaves its memory to the arena,
// which starts every run empty.
//
//===----------------------------------------------------------------------===//

#include "HostProgram.h"
#include "dialects/QKernel/IR/QKernelOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::host;

/// Bytes of an input of the generated entry: data, dims, rank.
static constexpr int64_t kInputBytes = 24;

std::optional<int64_t> host::knownNumber(Value value) {
  APInt number;
  if (matchPattern(value, m_ConstantInt(&number)))
    return number.getSExtValue();
  return std::nullopt;
}

bool host::isSameDim(Value a, Value b) {
  if (a == b)
    return true;
  std::optional<int64_t> known = knownNumber(a);
  return known && known == knownNumber(b);
}

Value host::knownDimOf(Value a, Value b) { return knownNumber(a) ? a : b; }

HostProgram::HostProgram(ModuleOp module, StringRef tierName,
                         kernel::KernelList kernels, WeightsSection &weights)
    : module(module), tierName(tierName), kernels(kernels), weights(weights),
      b(module.getContext()), location(module.getLoc()) {}

HostProgram::~HostProgram() = default;

Type HostProgram::pointerType() {
  return LLVM::LLVMPointerType::get(b.getContext());
}

//===----------------------------------------------------------------------===//
// The frame
//===----------------------------------------------------------------------===//

void HostProgram::declareHost() {
  OpBuilder top = OpBuilder::atBlockEnd(module.getBody());
  Type pointer = pointerType();
  auto type = LLVM::LLVMFunctionType::get(b.getI32Type(),
                                          {pointer, pointer, pointer, pointer});
  host = LLVM::LLVMFuncOp::create(top, location, "main." + tierName, type);
  Block *entry = host.addEntryBlock(top);
  context = entry->getArgument(0);
  weightsBase = entry->getArgument(1);
  b.setInsertionPointToStart(entry);
  Value size = code().i64(1);
  argsBlockSize = size.getDefiningOp();
  argsBlock = LLVM::AllocaOp::create(b, location, pointer, b.getI64Type(), size,
                                     /*alignment=*/64);
}

LogicalResult HostProgram::emit(func::FuncOp program) {
  location = program.getLoc();
  declareHost();
  Block &block = program.getBody().front();
  emitArguments(program, host.getBody().front().getArgument(2));
  for (Operation &op : block) {
    current = &op;
    location = op.getLoc();
    if (failed(emitOp(&op)))
      return failure();
    release();
  }
  argsBlockSize->setAttr("value", b.getI64IntegerAttr(argsSlots));
  return success();
}

void HostProgram::emitArguments(func::FuncOp program, Value inputs) {
  CodeBuilder v = code();
  llvm::StringMap<std::pair<Value, unsigned>> symbols;
  auto nameOf = [&](unsigned index) {
    auto name = program.getArgAttrOfType<StringAttr>(index, kNameAttrName);
    return name ? name.getValue().str() : std::to_string(index);
  };
  for (BlockArgument argument : program.getArguments()) {
    unsigned index = argument.getArgNumber();
    auto type = cast<RankedTensorType>(argument.getType());
    Value entry = v.address(inputs, v.i64(index * kInputBytes), b.getI8Type());
    auto buffer = std::make_unique<Buffer>();
    buffer->type = type;
    buffer->pointer = v.loadScalar(entry, v.i64(0), pointerType());
    Value dimList = v.loadScalar(entry, v.i64(1), pointerType());
    auto dimNames = program.getArgAttrOfType<ArrayAttr>(index, kDimsAttrName);
    for (int64_t i = 0; i < type.getRank(); ++i) {
      if (!type.isDynamicDim(i)) {
        buffer->dims.push_back(v.i64(type.getDimSize(i)));
        continue;
      }
      Value dim = v.loadScalar(dimList, v.i64(i), b.getI64Type());
      StringRef symbol;
      if (dimNames && i < static_cast<int64_t>(dimNames.size()))
        if (auto name = dyn_cast<StringAttr>(dimNames[i]))
          symbol = name.getValue();
      if (!symbol.empty()) {
        auto [it, isNew] = symbols.try_emplace(symbol, dim, index);
        if (!isNew) {
          requireEqual(dim, it->second.first,
                       "inputs \"" + nameOf(it->second.second) + "\" and \"" +
                           nameOf(index) + "\" differ in \"" + symbol + "\"");
          dim = it->second.first;
        }
      }
      buffer->dims.push_back(dim);
    }
    tensorDims[argument] = buffer->dims;
    buffers[argument] = std::move(buffer);
  }
}

LogicalResult HostProgram::emitOp(Operation *op) {
  if (isa<func::ReturnOp>(op))
    return emitReturn(op);
  if (isa<kernel::FreeOp, kernel::CopyOp, kernel::OutputOp>(op))
    return emitMemory(op);
  if (auto launch = dyn_cast<kernel::LaunchOp>(op))
    return emitLaunch(launch);
  if (isa<arith::ArithDialect, scf::SCFDialect, tensor::TensorDialect>(
          op->getDialect()))
    return emitControlFlow(op);
  if (failed(computeDims(op)))
    return failure();
  if (isa<ConstantOp, kernel::PackOp>(op))
    return success();
  if (auto observe = dyn_cast<ObserveOp>(op)) {
    emitObserve(observe);
    return success();
  }
  return emitKernel(op, *findKernelOf(op));
}

LogicalResult HostProgram::emitLaunch(kernel::LaunchOp op) {
  launched = op;
  current = op.getKernel(symbols);
  LogicalResult result = emitOp(current);
  launched = nullptr;
  return result;
}

LogicalResult HostProgram::emitKernel(Operation *op,
                                      const kernel::Kernel &kernel) {
  return kernel.emit(op, *this);
}

const kernel::Kernel *HostProgram::findKernelOf(Operation *op) {
  auto name = op->getAttrOfType<StringAttr>(kernel::getKernelNameAttrName(op));
  const kernel::Kernel *kernel =
      name ? kernel::findKernel(kernels, name) : nullptr;
  assert(kernel && "kernels are verified");
  return kernel;
}

Value HostProgram::storeDims(ValueRange dims) {
  CodeBuilder v = code();
  for (auto [i, dim] : llvm::enumerate(dims))
    v.storeScalar(dim, argsBlock, v.i64(i));
  argsSlots = std::max<int64_t>(argsSlots, dims.size());
  return argsBlock;
}

void HostProgram::emitObserve(ObserveOp op) {
  CodeBuilder v = code();
  Buffer &x = buffer(op.getX());
  callRuntime("qopt_rt_observe", {},
              {context, v.i32(op.getId()), x.pointer, storeDims(x.dims),
               v.i64(x.rank())});
}

LogicalResult HostProgram::emitReturn(Operation *op) {
  LLVM::ReturnOp::create(b, location, code().i32(0));
  return success();
}

//===----------------------------------------------------------------------===//
// Kernels
//===----------------------------------------------------------------------===//

/// A symbol name that says which op a kernel is of.
static std::string kernelName(int64_t number, StringRef name) {
  std::string symbol = "k" + std::to_string(number) + ".";
  for (char c : name)
    symbol += isalnum(static_cast<unsigned char>(c)) ? c : '_';
  return symbol;
}

void HostProgram::launch(StringRef name, ValueRange captures, Value parts,
                         llvm::function_ref<void(KernelScope &)> body) {
  Type pointer = pointerType(), word = b.getI64Type();
  OpBuilder top = OpBuilder::atBlockEnd(module.getBody());
  auto type = LLVM::LLVMFunctionType::get(
      LLVM::LLVMVoidType::get(b.getContext()), {pointer, word, word});
  auto function =
      LLVM::LLVMFuncOp::create(top, location, kernelName(numKernels++, name),
                               type, LLVM::Linkage::Internal);
  // Loads that are invariant in one kernel are not so across kernels.
  function.setNoInline(true);
  Block *entry = function.addEntryBlock(top);
  OpBuilder inner = OpBuilder::atBlockBegin(entry);
  CodeBuilder v = code(), kernel(inner, location);
  KernelScope scope{
      inner, location, {}, entry->getArgument(1), entry->getArgument(2)};
  int64_t slot = 0;
  for (Value capture : captures) {
    if (auto constant = capture.getDefiningOp<arith::ConstantOp>()) {
      scope.captures.push_back(inner.clone(*constant)->getResult(0));
      continue;
    }
    Value offset = v.i64(slot);
    Value place = v.address(argsBlock, offset, word);
    v.storeScalar(capture, place, v.i64(0));
    Value source =
        kernel.address(entry->getArgument(0), kernel.i64(slot), word);
    scope.captures.push_back(
        kernel.loadScalar(source, kernel.i64(0), capture.getType()));
    ++slot;
  }
  argsSlots = std::max(argsSlots, slot);
  body(scope);
  LLVM::ReturnOp::create(inner, location, ValueRange{});

  if (knownNumber(parts) == 1) {
    LLVM::CallOp::create(b, location, function,
                         ValueRange{argsBlock, v.i64(0), v.i64(0)});
    return;
  }
  Value address = LLVM::AddressOfOp::create(b, location, function);
  callRuntime("qopt_rt_parallel", {}, {context, address, argsBlock, parts});
}

Value HostProgram::callRuntime(StringRef name, Type result,
                               ValueRange operands) {
  auto function = module.lookupSymbol<LLVM::LLVMFuncOp>(name);
  if (!function) {
    OpBuilder top = OpBuilder::atBlockBegin(module.getBody());
    Type type = result ? result : LLVM::LLVMVoidType::get(b.getContext());
    function = LLVM::LLVMFuncOp::create(
        top, location, name,
        LLVM::LLVMFunctionType::get(type,
                                    llvm::to_vector(operands.getTypes())));
  }
  auto call = LLVM::CallOp::create(b, location, function, operands);
  return result ? call.getResult() : Value();
}

//===----------------------------------------------------------------------===//
// Errors of a run
//===----------------------------------------------------------------------===//

/// The name of the first ONNX node in a location; where there is none, as of
/// ops on an input, the first name.
static StringRef nodeName(Location loc) {
  NameLoc name = loc->findInstanceOf<NameLoc>();
  loc->walk([&](Location inner) {
    auto fused = dyn_cast<FusedLoc>(inner);
    if (!fused || !isa_and_nonnull<NodeAttr>(fused.getMetadata()))
      return WalkResult::advance();
    if (auto named = inner->findInstanceOf<NameLoc>())
      name = named;
    return WalkResult::interrupt();
  });
  return name ? name.getName() : StringRef();
}

void HostProgram::require(Value condition, int32_t code, const Twine &text) {
  if (knownNumber(condition).value_or(0) != 0)
    return;
  std::string message = text.str();
  if (StringRef name = nodeName(location); !name.empty())
    message = ("node \"" + name + "\": " + message).str();
  kernel::RequireOp::create(b, location, condition, b.getI32IntegerAttr(code),
                            b.getStringAttr(message), /*status=*/Value());
}

void HostProgram::requireEqual(Value x, Value y, const Twine &text) {
  if (!isSameDim(x, y))
    require(code().equal(x, y), 1, text);
}

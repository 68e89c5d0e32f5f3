//===- Kernels.cpp - What Vulkan runs -------------------------------------===//
//
// Small tensors that come from constants, dims and the like alone are computed
// on the CPU, by its kernels, since shapes are made of them; so is what one
// invocation of a device would compute alone.
//
//===----------------------------------------------------------------------===//

#include "Kernels.h"
#include "DeviceLoops.h"
#include "dialects/QKernel/IR/QKernelOps.h"
#include "dialects/QKernel/Transforms/KernelFunctions.h"
#include "lib/Target/Cpu/Kernels.h"
#include "lib/Target/Cpu/Movement.h"
#include "lib/Target/Host/HostLoops.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::vulkan;

using Row = KernelRow<AnyDevice, DeviceProgram>;

/// Of an op that has no weight.
static constexpr KernelTypes any(llvm::StringLiteral operation) {
  return {operation, "*", "*", "*", "*", "*", "none"};
}

static kernel::Match checkSlice(const AnyDevice &, Operation *op) {
  return cpu::checkSlice({}, op);
}

// clang-format off
static constexpr Row kTable[] = {
    // operation, activation, weight, scale, granularity, accumulator, fused;
    // feature, name, check, emit
    {{"contract", "*", "*", "none", "*", "i32", "none"},
     "", "contract.codes", checkContract, emitContract},
    {{"contract", "*", "*", "none", "*", "f32", "none"},
     "", "contract.f32", checkContract, emitContract},
    {{"contract", "*", "*", "*", "*", "f32", "none"},
     "", "contract.grouped", checkContract, emitContract},
    {any("depthwise_conv"), "", "contract.conv", checkContract, emitContract},
    {any("attention"), "", "attention", checkAttention, emitAttention},
    {any("quantize_dynamic"), "", "quantize-dynamic", checkQuantizeDynamic,
     emitQuantizeDynamic},
    {any("rows"), "", "rows", checkRows, emitRows},
    {any("map"), "", "map", nullptr, emitMap},
    {any("max_pool"), "", "max-pool", checkPool, emitPool},
    {any("average_pool"), "", "average-pool", checkPool, emitPool},
    // Views share memory; nobody launches them.
    {any("bit_cast"), "", "bit-cast", nullptr, nullptr},
    {any("reshape"), "", "reshape", nullptr, nullptr},
    {any("flatten"), "", "flatten", nullptr, nullptr},
    {any("squeeze"), "", "squeeze", nullptr, nullptr},
    {any("unsqueeze"), "", "unsqueeze", nullptr, nullptr},
    // No code copies elements faster than one invocation for each.
    {any("transpose"), "", "transpose", nullptr, emitFormula},
    {any("slice"), "", "slice", checkSlice, emitFormula},
    {any("concat"), "", "concat", nullptr, emitFormula},
    {any("split"), "", "split", nullptr, emitFormula},
    {any("pad"), "", "pad", nullptr, emitFormula},
    {any("gather"), "", "gather", nullptr, emitFormula},
    {any("constant_of_shape"), "", "constant-of-shape", nullptr, emitFormula},
    {any("expand"), "", "expand", nullptr, emitFormula},
};
// clang-format on

//===----------------------------------------------------------------------===//
// On the CPU
//===----------------------------------------------------------------------===//

/// Elements of a tensor that the CPU computes.
static constexpr int64_t kMaxHostElements = 64;

bool vulkan::isHostKernel(StringRef name) {
  return name.starts_with(kHostPrefix);
}

/// True for what kernels of the CPU make, and branches and loops carry there.
static bool isMadeOnHost(Value tensor) {
  Operation *maker = tensor.getDefiningOp();
  Operation *owner = maker ? maker : tensor.getParentBlock()->getParentOp();
  if (isa<scf::SCFDialect>(owner->getDialect()))
    return kernel::isShortList(tensor.getType());
  if (!maker)
    return false;
  auto name =
      maker->getAttrOfType<StringAttr>(kernel::getKernelNameAttrName(maker));
  return isa<tensor::FromElementsOp>(maker) || (name && isHostKernel(name));
}

static bool isSmall(Value tensor) {
  auto type = cast<RankedTensorType>(tensor.getType());
  return type.hasStaticShape() && type.getNumElements() <= kMaxHostElements;
}

static bool makesShapes(Operation *op) {
  if (op->getNumResults() == 0 || !llvm::all_of(op->getResults(), isSmall))
    return false;
  if (isa<ShapeOp>(op))
    return true;
  return llvm::all_of(op->getOperands(), [](Value operand) {
    return isMadeOnHost(operand) ||
           (operand.getDefiningOp<ConstantOp>() && isSmall(operand));
  });
}

/// What one invocation computes: it looks at elements in their order, or makes
/// one integer of all of them.
static bool isSerial(Operation *op) {
  if (host::findSingleOp(op)->hasTrait<SerialTrait>())
    return true;
  bool isNumber = llvm::all_of(op->getResultTypes(), [](Type type) {
    return kernel::isShortList(type) &&
           cast<RankedTensorType>(type).getNumElements() == 1;
  });
  return isNumber && op->walk([](ReduceOp) {
                         return WalkResult::interrupt();
                       }).wasInterrupted();
}

static bool isForHost(Operation *op) { return makesShapes(op) || isSerial(op); }

namespace {
class HostKernel final : public kernel::Kernel {
public:
  HostKernel(const kernel::Kernel &cpu) : cpu(cpu) {}

  StringRef getName() const override { return cpu.getName(); }
  kernel::Match match(Operation *op) const override {
    return isForHost(op) ? cpu.match(op) : kernel::Match::other();
  }
  LogicalResult stage(Operation *launch) const override {
    return cpu.stage(launch);
  }
  LogicalResult emit(Operation *op,
                     kernel::KernelBuilder &builder) const override {
    return cpu.emit(op, builder);
  }

private:
  const kernel::Kernel &cpu;
};

/// The formula of an op, where no other kernel of the CPU is for it.
class SerialKernel final : public kernel::Kernel {
public:
  StringRef getName() const override { return "vulkan.host.serial"; }
  kernel::Match match(Operation *op) const override {
    return isForHost(op) && numerics::hasFormula(host::findSingleOp(op))
               ? kernel::Match::success()
               : kernel::Match::other();
  }
  LogicalResult emit(Operation *op,
                     kernel::KernelBuilder &builder) const override {
    return generic->emit(op, builder);
  }

private:
  std::unique_ptr<kernel::Kernel> generic = host::makeGenericKernel();
};
} // namespace

static KernelSet makeKernels(kernel::KernelList onHost) {
  static constexpr AnyDevice device;
  KernelSet set;
  for (const kernel::Kernel *kernel : onHost)
    set.add(std::make_unique<HostKernel>(*kernel));
  set.add(std::make_unique<SerialKernel>());
  for (const Row &row : kTable)
    set.add("vulkan", row, device);
  set.add(makeGenericKernel());
  return set;
}

static KernelSet makeHostKernels() {
  KernelSet set;
  cpu::addKernels(set, kHostPrefix);
  return set;
}

kernel::KernelList vulkan::getKernels() {
  static const KernelSet onHost = makeHostKernels();
  static const KernelSet all = makeKernels(onHost.kernels());
  return all.kernels();
}

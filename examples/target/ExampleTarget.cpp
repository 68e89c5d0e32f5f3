//===- ExampleTarget.cpp - A target outside of qopt's tree ----------------===//
//
// A machine with an x86-64 host and one kernel of its own, which transposes:
// all else runs on the host, in the way of its least demanding tier. More
// kernels of its own then stand in front of those. None of the host's quantizes
// inside here, so `kernels` takes such ones apart.
//
//===----------------------------------------------------------------------===//

#include "lib/Target/Cpu/CpuProgram.h"
#include "lib/Target/Cpu/Kernels.h"
#include "lib/Target/Host/HostObject.h"
#include "lib/Target/X86/Tier.h"
#include "qopt/Target/TargetPlugin.h"
#include "qopt/Target/X86/X86Backend.h"

using namespace mlir;
using namespace qopt;

static constexpr llvm::StringLiteral kMachine = "example-1";

/// result[i, j] = x[permuted i and j]: a part for each row of the result.
static LogicalResult emitTranspose(host::HostProgram &program,
                                   Operation *anyOp) {
  auto op = cast<TransposeOp>(anyOp);
  cpu::VectorBuilder host(program.code());
  host::Buffer &x = program.buffer(op.getX());
  host::Buffer &result = program.buffer(op.getResult());
  SmallVector<Value> sizes(result.dims), xStrides = host.strides(x.dims);
  SmallVector<Value> strides;
  for (int64_t axis : op.getPerm())
    strides.push_back(xStrides[axis]);
  Value rowSize = sizes.pop_back_val(), rowStride = strides.pop_back_val();

  // The kernel is a function of its own: it sees what it captures, in this
  // order, and the number of its part.
  SmallVector<Value> captures{x.pointer, result.pointer, rowSize, rowStride};
  captures.append(sizes);
  captures.append(strides);
  Type memory = host::memoryType(x.elementType());
  program.launch("transpose", captures, host.product(sizes),
                 [&](host::KernelScope &scope) {
                   cpu::VectorBuilder v(scope.code());
                   ArrayRef<Value> own(scope.captures);
                   Value from = own[0], to = own[1], size = own[2],
                         stride = own[3];
                   ArrayRef<Value> sizes = own.slice(4, (own.size() - 4) / 2);
                   ArrayRef<Value> strides = own.take_back(sizes.size());
                   Value source = v.i64(0), target = v.mul(scope.part, size);
                   for (auto [at, stride] :
                        llvm::zip(v.delinearize(scope.part, sizes), strides))
                     source = v.add(source, v.mul(at, stride));
                   v.loop(v.i64(0), size, 1, [&](Value i) {
                     Value element = v.loadScalar(
                         from, v.add(source, v.mul(i, stride)), memory);
                     v.storeScalar(element, to, v.add(target, i));
                   });
                 });
  return success();
}

/// The kernel of its own: rows of a tensor have at least one axis.
static kernel::Match checkTranspose(const cpu::AnyCpu &, Operation *op) {
  return cast<TransposeOp>(op).getPerm().empty() ? kernel::Match::other()
                                                 : kernel::Match::success();
}

static constexpr KernelRow<cpu::AnyCpu, host::HostProgram> kTranspose = {
    {"transpose", "*", "*", "*", "*", "*", "none"},
    "",
    "transpose",
    checkTranspose,
    emitTranspose};

namespace {
/// A kernel of the host under a name of this target. What runs ops that no
/// other kernel is for has one name everywhere.
class HostKernel : public kernel::Kernel {
public:
  explicit HostKernel(const kernel::Kernel &host)
      : host(host), name(host.getName()) {
    if (name != kernel::kGeneric)
      name = "example.host." + name;
  }

  llvm::StringRef getName() const override { return name; }
  kernel::Match match(Operation *op) const override {
    if (kernel::getKernelSignature(op).fused != "none")
      return kernel::Match::failure("the machine does not quantize inside");
    return host.match(op);
  }
  LogicalResult stage(Operation *launch) const override {
    return host.stage(launch);
  }
  LogicalResult emit(Operation *op,
                     kernel::KernelBuilder &builder) const override {
    return host.emit(op, builder);
  }

private:
  const kernel::Kernel &host;
  std::string name;
};

KernelSet makeKernels(const X86Backend &host) {
  static constexpr cpu::AnyCpu any;
  KernelSet set;
  set.add("example", kTranspose, any);
  for (const kernel::Kernel *kernel :
       host.getKernels(host.getMachines().front()))
    set.add(std::make_unique<HostKernel>(*kernel));
  return set;
}

class ExampleTarget : public TargetBackend {
public:
  llvm::StringRef getName() const override { return "example"; }

  ExampleTarget() {
    machine.name = kMachine;
    machine.host = &host.getMachines().front();
  }

  llvm::ArrayRef<Machine> getMachines() const override { return machine; }

  kernel::KernelList getKernels(const Machine &) const override {
    return kernels.kernels();
  }

  void registerDialects(DialectRegistry &registry) const override {
    host.registerDialects(registry);
  }

  FailureOr<OwningOpRef<ModuleOp>>
  lower(func::FuncOp program, const TargetConfig &config,
        WeightsSection &weights) const override {
    if (!program.getBody().hasOneBlock())
      return program.emitError("expects a function of one block"), failure();
    loadDialects(program.getContext());
    OwningOpRef<ModuleOp> module(ModuleOp::create(program.getLoc()));
    cpu::CpuProgram emitter(*module, *x86::findTier(machine.host->name)->tier,
                            kernels.kernels(), weights);
    if (failed(emitter.emit(program)))
      return failure();
    return module;
  }

  FailureOr<CompiledVariant>
  emitDevice(ModuleOp lowered, const TargetConfig &config) const override {
    loadDialects(lowered.getContext());
    return host::emitHostObject(lowered, machine, config);
  }

private:
  X86Backend host;
  Machine machine;
  KernelSet kernels = makeKernels(host);
};
} // namespace

extern "C" TargetPlugin qoptGetTargetPlugin() {
  return {kTargetPluginApi, "example", [](TargetRegistry &registry) {
            registry.add(std::make_unique<ExampleTarget>());
          }};
}

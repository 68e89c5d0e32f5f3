//===- ExampleTarget.cpp - A target outside of qopt's tree ----------------===//
//
// A machine with an x86-64 host and one kernel of its own, which transposes:
// all else runs on the host, in the way of its least demanding tier. Kernels
// are then replaced one row of the table at a time. The table says that no
// kernel quantizes inside, so `kernels` takes such ones apart.
//
//===----------------------------------------------------------------------===//

#include "lib/Target/Cpu/HostObject.h"
#include "lib/Target/X86/ProgramEmitter.h"
#include "qopt/Support/CodedError.h"
#include "qopt/Target/TargetPlugin.h"
#include "qopt/Target/X86/X86Backend.h"

using namespace mlir;
using namespace qopt;

static constexpr llvm::StringLiteral kMachine = "example-1";

static constexpr Capability table[] = {
    // operation, activation, weight, scale, granularity, accumulator, fused,
    // layout, feature, kernel
    {"contract", "*", "*", "*", "*", "*", "none", "plain", "",
     "example.host.contract"},
    {"depthwise_conv", "*", "*", "*", "*", "*", "none", "plain", "",
     "example.host.depthwise"},
    {"attention", "*", "*", "*", "*", "*", "none", "none", "",
     "example.host.attention"},
    {"quantize_dynamic", "*", "*", "*", "*", "*", "none", "none", "",
     "example.host.quantize-dynamic"},
    {"rows", "*", "*", "*", "*", "*", "none", "none", "", "example.host.rows"},
    {"map", "*", "*", "*", "*", "*", "none", "none", "", "example.host.map"},
    {"transpose", "*", "*", "*", "*", "*", "none", "none", "",
     "example.transpose"},
    {"*", "*", "*", "*", "*", "*", "none", "none", "", "example.host.move"},
};

/// result[i, j] = x[permuted i and j]: a part for each row of the result.
static void emitTranspose(cpu::CpuProgram &program, TransposeOp op) {
  cpu::VectorBuilder host = program.vectors();
  cpu::Buffer &x = program.buffer(op.getX());
  cpu::Buffer &result = program.allocate(op.getResult());
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
  Type memory = cpu::memoryType(x.elementType());
  program.launch(
      "transpose", captures, host.product(sizes), [&](cpu::KernelScope &scope) {
        cpu::VectorBuilder v = scope.vectors();
        ArrayRef<Value> own(scope.captures);
        Value from = own[0], to = own[1], size = own[2], stride = own[3];
        ArrayRef<Value> sizes = own.slice(4, (own.size() - 4) / 2);
        ArrayRef<Value> strides = own.take_back(sizes.size());
        Value source = v.i64(0), target = v.mul(scope.part, size);
        for (auto [at, stride] :
             llvm::zip(v.delinearize(scope.part, sizes), strides))
          source = v.add(source, v.mul(at, stride));
        v.loop(v.i64(0), size, 1, [&](Value i) {
          Value element =
              v.loadScalar(from, v.add(source, v.mul(i, stride)), memory);
          v.storeScalar(element, to, v.add(target, i));
        });
      });
}

namespace {
/// The program of the host, but for what has a kernel here.
class ExampleProgram : public x86::ProgramEmitter {
public:
  using ProgramEmitter::ProgramEmitter;

protected:
  LogicalResult emitOp(Operation *op) override {
    auto transpose = dyn_cast<TransposeOp>(op);
    if (!transpose || transpose.getPerm().empty())
      return ProgramEmitter::emitOp(op);
    if (failed(computeDims(op)))
      return failure();
    emitTranspose(*this, transpose);
    return success();
  }
};

class ExampleTarget : public TargetBackend {
public:
  llvm::StringRef getName() const override { return "example"; }

  ExampleTarget() {
    machine.name = kMachine;
    machine.host = &host.getMachines().front();
  }

  llvm::ArrayRef<Machine> getMachines() const override { return machine; }

  llvm::Expected<TargetCapabilities>
  getCapabilities(const TargetConfig &config) const override {
    if (config.cpu != kMachine)
      return makeError(ExitCode::BadUse,
                       "example has no machine \"" + config.cpu + "\"");
    return TargetCapabilities(std::begin(table), std::end(table));
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
    ExampleProgram emitter(*module, *x86::findTier(machine.host->name),
                           weights);
    if (failed(emitter.emit(program)) || failed(cpu::finishModule(*module)))
      return failure();
    return module;
  }

  FailureOr<CompiledVariant>
  emitDevice(ModuleOp lowered, const TargetConfig &config) const override {
    loadDialects(lowered.getContext());
    return cpu::emitHostObject(lowered, machine, config);
  }

private:
  X86Backend host;
  Machine machine;
};
} // namespace

extern "C" TargetPlugin qoptGetTargetPlugin() {
  return {kTargetPluginApi, "example", [](TargetRegistry &registry) {
            registry.add(std::make_unique<ExampleTarget>());
          }};
}

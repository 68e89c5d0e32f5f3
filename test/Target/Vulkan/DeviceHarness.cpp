//===- DeviceHarness.cpp - Programs on a Vulkan device --------------------===//
//
// The validation layer prints to standard output; nothing may be there.
//
//===----------------------------------------------------------------------===//

#include "DeviceHarness.h"

#include "../../Support/TemporaryFolder.h"
#include "dialects/QKernel/IR/QKernelOps.h"
#include "lib/Runtime/Vulkan/Functions.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "qopt/Conversion/QOptToQKernel/Passes.h"
#include "qopt/Emit/LinkModel.h"
#include "qopt/Execution/ModelRunner.h"
#include "qopt/Reference/Interpreter.h"
#include "qopt/Support/CodedError.h"
#include "qopt/Target/Vulkan/VulkanBackend.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Program.h"
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <random>

using namespace mlir;
using namespace qopt;
using namespace qopt::test;

static constexpr char kDriver[] = "/usr/share/vulkan/icd.d/lvp_icd.x86_64.json";

void DeviceTest::SetUp() {
  setenv("XDG_RUNTIME_DIR", "/tmp", 0);
  if (!getenv("VK_ICD_FILENAMES") && llvm::sys::fs::exists(kDriver))
    setenv("VK_ICD_FILENAMES", kDriver, 1);
  setenv("VK_INSTANCE_LAYERS", "VK_LAYER_KHRONOS_validation", 0);
  runtime::vulkan::Functions vk = {};
  bool hasLoader = runtime::vulkan::openLoader(vk);
  runtime::vulkan::closeLoader(vk);
  if (!hasLoader)
    GTEST_SKIP() << "libvulkan.so.1 cannot be loaded";
  if (!getenv("VK_ICD_FILENAMES"))
    GTEST_SKIP() << "no Vulkan driver: " << kDriver << " is missing";
}

namespace {
class Case {
public:
  Case(StringRef text, ArrayRef<int64_t> dims);

  explicit operator bool() const { return bool(module); }
  SmallVector<HostTensor> evaluateReference();
  /// Also checks every shader with spirv-val where there is one.
  bool compile(const std::string &path);

  SmallVector<HostTensor> inputs;
  std::string problems;

private:
  HostTensor makeValue(RankedTensorType type, ArrayRef<int64_t> &dims);
  void checkShaders(ArrayRef<uint8_t> weights);
  int64_t uniform(int64_t low, int64_t high) {
    return std::uniform_int_distribution<int64_t>(low, high)(random);
  }

  MLIRContext context;
  OwningOpRef<ModuleOp> module;
  func::FuncOp program;
  std::mt19937 random{1};
};
} // namespace

Case::Case(StringRef text, ArrayRef<int64_t> dims) {
  context.loadDialect<QOptDialect, kernel::QKernelDialect, func::FuncDialect>();
  module = parseSourceString<ModuleOp>(text, &context);
  if (!module)
    return;
  program = module->lookupSymbol<func::FuncOp>("main");
  llvm::BitVector constants(program.getNumArguments());
  OpBuilder b = OpBuilder::atBlockBegin(&program.getBody().front());
  for (BlockArgument argument : program.getArguments()) {
    auto type = cast<RankedTensorType>(argument.getType());
    HostTensor value = makeValue(type, dims);
    unsigned index = argument.getArgNumber();
    if (!program.getArgAttr(index, "test.constant")) {
      inputs.push_back(value);
      continue;
    }
    constants.set(index);
    argument.replaceAllUsesWith(ConstantOp::create(
        b, program.getLoc(), type, makeConstantValue(value, &context)));
  }
  (void)program.eraseArguments(constants);
}

HostTensor Case::makeValue(RankedTensorType type, ArrayRef<int64_t> &dims) {
  SmallVector<int64_t> shape(type.getShape());
  for (int64_t &dim : shape)
    if (ShapedType::isDynamic(dim)) {
      dim = dims.front();
      dims = dims.drop_front();
    }
  Type element = type.getElementType();
  HostTensor tensor =
      llvm::cantFail(HostTensor::allocate(*getHostElementType(element), shape));
  if (element.isF32())
    for (float &value : tensor.asMutable<float>())
      value = uniform(-2000, 2000) / 1024.0f + uniform(-99, 99) * 0x1p-20f;
  else if (element.isInteger(32))
    for (int32_t &value : tensor.asMutable<int32_t>())
      value = uniform(-100000, 100000);
  else if (element.isInteger(64))
    for (int64_t &value : tensor.asMutable<int64_t>())
      value = uniform(0, 3);
  else if (element.isF16())
    for (uint16_t &value : tensor.asMutable<uint16_t>())
      value = uniform(8, 12) << 10 | uniform(0, 1023);
  else if (isa<Float8E8M0FNUType>(element))
    for (uint8_t &value : tensor.asMutable<uint8_t>())
      value = uniform(0, 30) ? uniform(115, 135) : uniform(60, 180);
  else
    for (uint8_t &value : tensor.asMutable<uint8_t>())
      value = uniform(0, (1 << element.getIntOrFloatBitWidth()) - 1);
  if (isa<Float8E4M3FNType>(element))
    for (uint8_t &value : tensor.asMutable<uint8_t>())
      value = (value & 0x7F) == 0x7F ? 0 : value; // no NaN
  if (isa<Float8E5M2Type>(element))
    for (uint8_t &value : tensor.asMutable<uint8_t>())
      value = (value & 0x7C) == 0x7C ? 0 : value; // nor infinity
  return tensor;
}

SmallVector<HostTensor> Case::evaluateReference() {
  SmallVector<HostTensor> outputs;
  if (llvm::Error error = evaluate(program, inputs, outputs))
    ADD_FAILURE() << llvm::toString(std::move(error));
  return outputs;
}

static void describe(TypeRange types, const std::string &name,
                     std::vector<ValueDescription> &values) {
  for (auto [i, type] : llvm::enumerate(types)) {
    auto tensor = cast<RankedTensorType>(type);
    ValueDescription value;
    value.name = name + std::to_string(i);
    value.type = *getHostElementType(tensor.getElementType());
    for (int64_t dim : tensor.getShape())
      value.dims.push_back(ShapedType::isDynamic(dim) ? -1 : dim);
    values.push_back(value);
  }
}

void Case::checkShaders(ArrayRef<uint8_t> weights) {
  auto validator = llvm::sys::findProgramByName("spirv-val");
  if (!validator)
    return;
  TemporaryFolder folder;
  constexpr uint32_t magic = 0x07230203;
  unsigned numShaders = 0;
  std::string file = folder.file("shader.spv");
  for (size_t at = 0; at + 20 <= weights.size(); at += 64) {
    uint32_t word;
    std::memcpy(&word, weights.data() + at, sizeof(word));
    if (word != magic)
      continue;
    // What is behind the last instruction is padding of zeros.
    size_t end = at + 20;
    while (end + 4 <= weights.size()) {
      std::memcpy(&word, weights.data() + end, sizeof(word));
      if (word >> 16 == 0)
        break;
      end += (word >> 16) * 4;
    }
    std::error_code code;
    llvm::raw_fd_ostream os(file, code);
    os << llvm::toStringRef(weights.slice(at, end - at));
    os.close();
    ASSERT_EQ(llvm::sys::ExecuteAndWait(
                  *validator, {*validator, "--target-env", "vulkan1.2", file}),
              0)
        << "shader " << numShaders;
    ++numShaders;
  }
  EXPECT_GT(numShaders, 0u);
}

bool Case::compile(const std::string &path) {
  ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
    llvm::raw_string_ostream(problems) << diagnostic << '\n';
    return success();
  });
  OwningOpRef<ModuleOp> copy(cast<ModuleOp>(module->getOperation()->clone()));
  PassManager pm(&context, ModuleOp::getOperationName());
  pm.nest<func::FuncOp>().addPass(createConvertQOptToQKernelPass());
  if (failed(pm.run(*copy)))
    return false;
  VulkanBackend backend;
  auto compiled =
      backend.compile(*copy, TargetConfig{backend.getCpus().front()});
  if (failed(compiled))
    return false;
  checkShaders(compiled->weights);
  ProgramDescription description;
  description.name = "test";
  description.manifest = "{}";
  describe(program.getArgumentTypes(), "in", description.inputs);
  describe(program.getResultTypes(), "out", description.outputs);
  std::vector<StringRef> objects;
  for (const CompiledVariant &variant : compiled->variants) {
    objects.emplace_back(variant.bytes.data(), variant.bytes.size());
    description.tiers.push_back(
        {variant.cpu, variant.entry, variant.requiredFeatures});
  }
  llvm::Error error = linkModel(
      objects, description,
      [&](WeightsWriter &writer) {
        return writer.write(llvm::toStringRef(compiled->weights));
      },
      path);
  if (error)
    problems += llvm::toString(std::move(error));
  return problems.empty();
}

static void expectNear(const HostTensor &actual, const HostTensor &expected,
                       double bound) {
  ASSERT_EQ(actual.getDims(), expected.getDims());
  ASSERT_EQ(actual.getType(), expected.getType());
  if (bound == 0 || expected.getType() != ElementType::F32) {
    unsigned bytes = getBytesPerElement(expected.getType());
    for (int64_t i = 0; i < expected.getNumElements(); ++i)
      ASSERT_EQ(std::memcmp(actual.getData() + i * bytes,
                            expected.getData() + i * bytes, bytes),
                0)
          << "element " << i
          << (bytes == 4 && expected.getType() == ElementType::F32
                  ? ": " + std::to_string(actual.as<float>()[i]) + " for " +
                        std::to_string(expected.as<float>()[i])
                  : "");
    return;
  }
  double largest = 0;
  for (float value : expected.as<float>())
    largest = std::max<double>(largest, std::abs(value));
  for (int64_t i = 0; i < expected.getNumElements(); ++i) {
    float found = actual.as<float>()[i], wanted = expected.as<float>()[i];
    if (std::isnan(wanted))
      ASSERT_TRUE(std::isnan(found)) << "element " << i << " is " << found;
    else
      ASSERT_NEAR(found, wanted, bound * largest) << "element " << i;
  }
}

void DeviceTest::expectNearReference(llvm::StringRef text, double bound,
                                     llvm::ArrayRef<int64_t> dims) {
  Case program(text, dims);
  ASSERT_TRUE(program) << "does not parse";
  TemporaryFolder folder;
  std::string path = folder.file("model.so");
  ASSERT_TRUE(program.compile(path)) << program.problems;
  testing::internal::CaptureStdout();
  std::string failure;
  SmallVector<HostTensor> outputs, again;
  if (auto runner = ModelRunner::open(path)) {
    // The second run uses what the first one left.
    for (SmallVector<HostTensor> *results : {&outputs, &again})
      if (llvm::Error error = (*runner)->run(program.inputs, *results))
        failure += llvm::toString(std::move(error));
  } else {
    failure = llvm::toString(runner.takeError());
  }
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
  ASSERT_EQ(failure, "");
  SmallVector<HostTensor> expected = program.evaluateReference();
  ASSERT_EQ(outputs.size(), expected.size());
  for (auto [i, tensor] : llvm::enumerate(expected)) {
    expectNear(outputs[i], tensor, bound);
    expectNear(again[i], outputs[i], 0);
  }
}

std::string DeviceTest::failureOf(llvm::StringRef text) {
  Case program(text, {});
  TemporaryFolder folder;
  EXPECT_TRUE(program);
  EXPECT_FALSE(program && program.compile(folder.file("model.so")));
  return program.problems;
}

std::string DeviceTest::failureOfRun(llvm::StringRef text) {
  Case program(text, {});
  TemporaryFolder folder;
  std::string path = folder.file("model.so");
  EXPECT_TRUE(program && program.compile(path)) << program.problems;
  auto runner = ModelRunner::open(path);
  if (!runner)
    return llvm::toString(runner.takeError());
  SmallVector<HostTensor> outputs;
  ExitCode code;
  std::string message =
      takeMessage((*runner)->run(program.inputs, outputs), code);
  StringRef rest = message;
  rest.consume_front(path + ": ");
  return std::to_string(static_cast<int>(code)) + ": " + rest.str();
}

//===- DeviceHarness.cpp - Programs on a Vulkan device --------------------===//
//
// The validation layer prints to standard output; nothing may be there.
//
//===----------------------------------------------------------------------===//

#include "DeviceHarness.h"

#include "../../Support/TemporaryFolder.h"
#include "../Conformance/TargetCase.h"
#include "lib/Runtime/Vulkan/Functions.h"
#include "mlir/Pass/PassManager.h"
#include "qopt/Conversion/QOptToQKernel/Passes.h"
#include "qopt/Execution/ModelRunner.h"
#include "qopt/Support/CodedError.h"
#include "qopt/Target/Vulkan/VulkanBackend.h"
#include "qopt/Target/X86/X86Machines.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Program.h"
#include <cstdlib>
#include <cstring>

using namespace mlir;
using namespace qopt;
using namespace qopt::test;

static constexpr char kDriver[] = "/usr/share/vulkan/icd.d/lvp_icd.x86_64.json";

void DeviceTest::SetUp() {
  setenv("XDG_RUNTIME_DIR", "/tmp", 0);
  // scripts/check-device takes the device that the system offers.
  bool takesAny = getenv("QOPT_TEST_DEVICE");
  if (!takesAny && !getenv("VK_ICD_FILENAMES") &&
      llvm::sys::fs::exists(kDriver))
    setenv("VK_ICD_FILENAMES", kDriver, 1);
  setenv("VK_INSTANCE_LAYERS", "VK_LAYER_KHRONOS_validation", 0);
  runtime::vulkan::Functions vk = {};
  bool hasLoader = runtime::vulkan::openLoader(vk);
  runtime::vulkan::closeLoader(vk);
  if (!hasLoader)
    GTEST_SKIP() << "libvulkan.so.1 cannot be loaded";
  if (!takesAny && !getenv("VK_ICD_FILENAMES"))
    GTEST_SKIP() << "no Vulkan driver: " << kDriver << " is missing";
}

/// Checks every shader with spirv-val where there is one.
static void checkShaders(ArrayRef<uint8_t> weights) {
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

/// What is wrong with it; "" when it compiles.
static std::string compile(TargetCase &test, const std::string &path) {
  MLIRContext *context = test.getModule().getContext();
  std::string problems;
  ScopedDiagnosticHandler handler(context, [&](Diagnostic &diagnostic) {
    llvm::raw_string_ostream(problems) << diagnostic << '\n';
    return success();
  });
  OwningOpRef<ModuleOp> copy(cast<ModuleOp>(test.getModule()->clone()));
  PassManager pm(context, ModuleOp::getOperationName());
  pm.nest<func::FuncOp>().addPass(createConvertQOptToQKernelPass());
  if (failed(pm.run(*copy)))
    return problems;
  VulkanBackend backend(getX86Machines().front());
  auto compiled = backend.compile(
      *copy, TargetConfig{backend.getMachines().front().name.str()});
  if (failed(compiled))
    return problems;
  checkShaders(compiled->weights);
  if (llvm::Error error = test.link(*compiled, path))
    problems += llvm::toString(std::move(error));
  return problems;
}

void DeviceTest::expectNearReference(llvm::StringRef text, double bound,
                                     llvm::ArrayRef<int64_t> dims) {
  TargetCase program(text, dims);
  ASSERT_TRUE(program) << "does not parse";
  TemporaryFolder folder;
  std::string path = folder.file("model.so");
  ASSERT_EQ(compile(program, path), "");
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
    expectEqual(tensor, outputs[i], "output " + std::to_string(i), bound);
    expectEqual(outputs[i], again[i], "the second run");
  }
}

std::string DeviceTest::failureOf(llvm::StringRef text) {
  TargetCase program(text, {});
  TemporaryFolder folder;
  EXPECT_TRUE(program);
  return program ? compile(program, folder.file("model.so")) : "";
}

std::string DeviceTest::failureOfRun(llvm::StringRef text) {
  TargetCase program(text, {});
  TemporaryFolder folder;
  std::string path = folder.file("model.so");
  EXPECT_TRUE(program);
  EXPECT_EQ(program ? compile(program, path) : "", "");
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

void DeviceTest::expectRunAfterFailure(llvm::StringRef text,
                                       llvm::ArrayRef<int64_t> wrongDims,
                                       llvm::ArrayRef<int64_t> dims) {
  TargetCase wrong(text, wrongDims), program(text, dims);
  ASSERT_TRUE(wrong && program) << "does not parse";
  TemporaryFolder folder;
  std::string path = folder.file("model.so");
  ASSERT_EQ(compile(program, path), "");
  auto runner = llvm::cantFail(ModelRunner::open(path));
  SmallVector<HostTensor> outputs;
  llvm::Error error = runner->run(wrong.inputs, outputs);
  EXPECT_TRUE(bool(error));
  llvm::consumeError(std::move(error));
  outputs.clear();
  llvm::cantFail(runner->run(program.inputs, outputs));
  for (auto [expected, found] :
       llvm::zip_equal(program.evaluateReference(), outputs))
    expectEqual(expected, found, "the second run", 0);
}

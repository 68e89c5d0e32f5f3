//===- PresetsTest.cpp - Float programs through every preset --------------===//
//
// The result of the quantized program stays near that of the float one, and no
// contraction hides in float.
//
//===----------------------------------------------------------------------===//

#include "Presets.h"
#include "dialects/QOpt/Transforms/Passes.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::test;

namespace {
struct Network {
  const char *name;
  std::string (*text)();
  std::vector<int64_t> dims;
};

class PresetsTest : public testing::TestWithParam<std::tuple<Preset, Network>> {
};
} // namespace

TEST_P(PresetsTest, staysNearTheFloatProgram) {
  const auto &[preset, network] = GetParam();
  FloatProgram program(network.text(), network.dims);
  HostTensor input = program.input(7);
  HostTensor expected = program.evaluate(input);
  applyPreset(program, preset);
  PassManager verifier(program.getContext());
  verifier.addPass(createVerifyQuantizedPass());
  EXPECT_TRUE(succeeded(verifier.run(program.getModule()))) << program.print();
  double decibels = signalToNoise(expected, program.evaluate(input));
  RecordProperty("decibels", std::to_string(decibels));
  EXPECT_GT(decibels, preset.leastSignalToNoise) << program.print();
  EXPECT_LT(decibels, 80) << "nothing was quantized\n" << program.print();
}

INSTANTIATE_TEST_SUITE_P(
    All, PresetsTest,
    testing::Combine(
        testing::ValuesIn(allPresets()),
        testing::Values(Network{"perceptron", perceptron, {6, 64}},
                        Network{"residual", residualBlock, {2, 16, 9, 9}},
                        Network{"pooled", pooledNetwork, {3, 8, 12, 12}},
                        Network{"depthwise", depthwiseNetwork, {2, 48, 7, 7}})),
    [](const auto &info) {
      std::string name =
          std::get<0>(info.param).name + "_" + std::get<1>(info.param).name;
      for (char &c : name)
        if (c == '-')
          c = '_';
      return name;
    });

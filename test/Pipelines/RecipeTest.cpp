//===- RecipeTest.cpp - Presets and recipe files --------------------------===//
//
// A recipe means the same after it was written and read, and whatever is not
// understood is an error of use that says where.
//
//===----------------------------------------------------------------------===//

#include "qopt/Pipelines/Recipe.h"
#include "qopt/Support/CodedError.h"
#include "gtest/gtest.h"

using namespace qopt;

static std::string problemOf(llvm::StringRef text, ExitCode expected) {
  auto recipe = parseRecipe("r.yaml", text);
  if (recipe)
    return "no problem";
  ExitCode code;
  std::string message = takeMessage(recipe.takeError(), code);
  EXPECT_EQ(code, expected) << message;
  return message;
}

static void expectProblem(llvm::StringRef text, llvm::StringRef part) {
  std::string message = problemOf(text, ExitCode::BadUse);
  EXPECT_NE(message.find(part), std::string::npos) << message;
}

class PresetTest : public testing::TestWithParam<llvm::StringRef> {};

TEST_P(PresetTest, IsTheSameAfterWritingAndReading) {
  auto preset = getPreset(GetParam());
  ASSERT_TRUE(bool(preset));
  std::string text = writeRecipe(*preset);
  auto recipe = parseRecipe("r.yaml", text);
  ASSERT_TRUE(bool(recipe)) << llvm::toString(recipe.takeError());
  EXPECT_EQ(writeRecipe(*recipe), text);
  EXPECT_EQ(recipe->preset, GetParam());
}

TEST_P(PresetTest, QuantizesUnlessItsNameSaysFloat) {
  auto preset = getPreset(GetParam());
  ASSERT_TRUE(bool(preset));
  EXPECT_EQ(preset->isFloat(), GetParam() == "fp32");
  bool isWeightOnly = GetParam().contains("a16") || GetParam() == "fp32";
  EXPECT_EQ(preset->activations.mode == "none", isWeightOnly);
  EXPECT_EQ(preset->needsCalibration(),
            GetParam() == "w8a8" || GetParam() == "w8a8-pow2");
}

INSTANTIATE_TEST_SUITE_P(All, PresetTest, testing::ValuesIn(getPresetNames()),
                         [](const auto &info) {
                           std::string name = info.param.str();
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST(Presets, GroupsAndTypesFollowFromTheName) {
  Recipe w4 = llvm::cantFail(getPreset("w4a16-g64"));
  EXPECT_EQ(w4.weights.format, "ui4");
  EXPECT_EQ(w4.weights.group, 64);
  EXPECT_EQ(w4.weights.scale, "f16");
  EXPECT_EQ(w4.weights.zero, "ui4");
  Recipe pow2 = llvm::cantFail(getPreset("w4a16-g128-pow2"));
  EXPECT_EQ(pow2.weights.group, 128);
  EXPECT_EQ(pow2.weights.scale, "f8E8M0FNU");
  Recipe w4a8 = llvm::cantFail(getPreset("w4a8-g128"));
  EXPECT_EQ(w4a8.weights.format, "i4");
  EXPECT_EQ(w4a8.weights.zero, "");
  EXPECT_EQ(w4a8.activations.mode, "dynamic");
  Recipe mx = llvm::cantFail(getPreset("mxfp6-e2m3"));
  EXPECT_EQ(mx.weights.format, mx.activations.format);
  EXPECT_TRUE(llvm::cantFail(getPreset("w8a8-pow2")).isCodePath());
  EXPECT_FALSE(llvm::cantFail(getPreset("w8a8")).isCodePath());
}

TEST(Presets, SuggestsTheNearestName) {
  auto preset = getPreset("w8a8-dinamic");
  ASSERT_FALSE(bool(preset));
  ExitCode code;
  EXPECT_EQ(takeMessage(preset.takeError(), code),
            "unknown preset 'w8a8-dinamic'; did you mean 'w8a8-dynamic'?\n"
            "note: qopt-compile --list-presets prints all");
  EXPECT_EQ(code, ExitCode::BadUse);
}

TEST(Recipes, ChangesWhatItNamesWhateverTheOrder) {
  Recipe recipe = llvm::cantFail(parseRecipe("r.yaml", R"(
version: 1
weights: {group: 64}
overrides:
  - {nodes: '^/conv_', precision: float}
preset: w4a16-g32
)"));
  EXPECT_EQ(recipe.weights.group, 64);
  EXPECT_EQ(recipe.weights.format, "ui4");
  ASSERT_EQ(recipe.overrides.size(), 1u);
  EXPECT_EQ(recipe.overrides[0].nodes, "^/conv_");
}

TEST(Recipes, TakeMethodsByEffort) {
  auto methodsOf = [](llvm::StringRef preset, llvm::StringRef effort) {
    Recipe recipe = llvm::cantFail(parseRecipe(
        "r.yaml",
        ("version: 1\neffort: " + effort + "\npreset: " + preset).str()));
    const MethodOptions &transforms = recipe.transforms.options;
    return recipe.rounding.options.get<std::string>("method") + " " +
           transforms.get<std::string>("rotate") + " " +
           transforms.get<std::string>("smooth") +
           (transforms.get<bool>("awq") ? " awq" : "") +
           (recipe.rounding.clipSearch ? " clip" : "");
  };
  EXPECT_EQ(methodsOf("w4a16-g32", "best"), "gptq off off awq clip");
  EXPECT_EQ(methodsOf("w4a16-g32", "fast"), "nearest off off");
  EXPECT_EQ(methodsOf("w4a8-g128", "best"), "gptq 32 off clip");
  EXPECT_EQ(methodsOf("nvfp4", "best"), "gptq off off clip");
  EXPECT_EQ(methodsOf("mxfp4-a16", "best"), "gptq 32 off clip");
  EXPECT_EQ(methodsOf("mxfp4", "best"), "gptq 32 off clip");
  EXPECT_EQ(methodsOf("mxfp6-e2m3", "best"), "gptq 32 off clip");
  EXPECT_EQ(methodsOf("mxint8", "best"), "nearest 32 off clip");
  EXPECT_EQ(methodsOf("w8a8-dynamic", "best"), "nearest 32 off clip");
  EXPECT_EQ(methodsOf("w8a8", "best"), "nearest 32 search clip");
  EXPECT_EQ(methodsOf("w8a8", "fast"), "nearest off log");
  EXPECT_EQ(methodsOf("w8a8", "default"), "nearest off search clip");
  EXPECT_EQ(methodsOf("fp32", "best"), "nearest off off clip");
}

TEST(Recipes, ChangeWhatAnEffortStandsFor) {
  Recipe recipe = llvm::cantFail(parseRecipe("r.yaml", R"(
version: 1
rounding: {method: nearest}
transforms: {awq: false}
effort: best
preset: w4a16-g32
)"));
  EXPECT_EQ(recipe.rounding.options.get<std::string>("method"), "nearest");
  EXPECT_FALSE(recipe.transforms.options.get<bool>("awq"));
  // What the effort turned on may find nothing to do.
  llvm::cantFail(parseRecipe("r.yaml", R"(
version: 1
preset: w4a16-g32
effort: best
activations: {mode: dynamic}
weights: {format: i4, zero: ''}
)"));
  expectProblem("version: 1\neffort: much",
                "effort expects fast, default or best, but found 'much'");
}

TEST(Recipes, NeedSamplesForAStaticOverride) {
  Recipe recipe = llvm::cantFail(parseRecipe("r.yaml", R"(
version: 1
preset: w8a8-dynamic
overrides: [{nodes: gemm, precision: static}]
)"));
  EXPECT_TRUE(recipe.needsCalibration());
}

TEST(Recipes, NeedSamplesForFactorsOfActivations) {
  Recipe recipe = llvm::cantFail(parseRecipe("r.yaml", R"(
version: 1
preset: mxfp4
transforms: {smooth: search}
)"));
  EXPECT_TRUE(recipe.needsCalibration());
}

TEST(Recipes, KeepTransformsOfAPresetThatHaveNothingToDo) {
  Recipe recipe = llvm::cantFail(parseRecipe("r.yaml", R"(
version: 1
preset: w8a8
activations: {mode: none}
)"));
  EXPECT_EQ(recipe.transforms.options.get<std::string>("smooth"), "search");
}

TEST(Recipes, UseSamplesForBiases) {
  Recipe recipe = llvm::cantFail(getPreset("w4a16-g32"));
  EXPECT_TRUE(recipe.usesCalibration());
  EXPECT_FALSE(recipe.needsCalibration());
  recipe.rounding.correctBias = false;
  EXPECT_FALSE(recipe.usesCalibration());
  EXPECT_FALSE(llvm::cantFail(getPreset("fp32")).usesCalibration());
}

TEST(Recipes, ChooseHowWeightsAreRounded) {
  Recipe recipe = llvm::cantFail(parseRecipe("r.yaml", R"(
version: 1
preset: w4a16-g32
rounding: {method: gptq, damping: 0.05, moment-weight: none}
)"));
  EXPECT_TRUE(recipe.getRoundingNeeds().moments);
  EXPECT_FALSE(recipe.needsCalibration());
  EXPECT_EQ(recipe.rounding.options.get<double>("damping"), 0.05);
  EXPECT_FALSE(llvm::cantFail(getPreset("w4a16-g32")).getRoundingNeeds().any());
  expectProblem("version: 1\nrounding: {method: gtpq}\n",
                "rounding.method expects nearest, gptq, but found 'gtpq'");
  expectProblem("version: 1\nrounding: {damping: 0}\n",
                "rounding.damping expects a number above 0");
  expectProblem("version: 1\nrounding: {moment-weight: token}\n",
                "rounding.moment-weight expects token-norm, none");
}

TEST(Recipes, NamesTheLineOfAnUnknownKey) {
  expectProblem("version: 1\nwheights: {}\n",
                "r.yaml: line 2: unknown key 'wheights'");
  expectProblem("version: 1\nweights: {formt: i8}\n", "unknown key 'formt'");
}

TEST(Recipes, RefuseASecondDocument) {
  // It would go unread.
  expectProblem("version: 1\npreset: w8a8\n...\noverrides:\n  - {nodes: a, "
                "precision: float}\n",
                "r.yaml: expects one YAML document");
  expectProblem("version: 1\npreset: w8a8\n---\nversion: 1\n",
                "r.yaml: expects one YAML document");
}

TEST(Recipes, RefusesOtherVersions) {
  expectProblem("version: 2\n", "r.yaml: expects version 1, but found 2");
  expectProblem("preset: w8a8\n", "missing required key 'version'");
}

TEST(Recipes, RefusesAnUnknownPresetWithASuggestion) {
  expectProblem("version: 1\npreset: mxfp5\n",
                "r.yaml: unknown preset 'mxfp5'; did you mean 'mxfp4'?");
}

TEST(Recipes, RefusesBadOverrides) {
  expectProblem("version: 1\npreset: w8a8\n"
                "overrides: [{nodes: '(', precision: float}]\n",
                "r.yaml: overrides.nodes '(' is no regular expression: ");
  for (auto [text, part] : {
           std::pair{"{nodes: a, precision: fp16}",
                     "overrides.precision expects float, static, dynamic, "
                     "weight-only, but found 'fp16'"},
           {"{nodes: a, precision: static}",
            "override 'a' expects weights.format, here or in the recipe"},
           {"{precision: float}", "an override expects nodes, ops or both"},
           {"{ops: Conv}",
            "override 'Conv' expects precision, weights or activations"},
           {"{nodes: a, precision: float, weights: {format: i8}}",
            "override 'a' has precision float and formats"},
           {"{nodes: a, precision: weight-only, weights: {format: i8}, "
            "activations: {format: i8}}",
            "override 'a' has precision weight-only and activations"},
           {"{nodes: a, precision: static, weights: {format: i8}, "
            "activations: {format: mxfp4}}",
            "override 'a': activations.format expects no blocks where "
            "activations are static, but found 'mxfp4'"},
           {"{nodes: a, weights: {format: i9}}",
            "overrides.weights.format expects i2, "},
           {"{nodes: a, activations: {scale: f64}}",
            "overrides.activations.scale expects f32, f8E8M0FNU"},
       })
    expectProblem(
        (llvm::Twine("version: 1\noverrides: [") + text + "]\n").str(), part);
}

TEST(Recipes, OverridesBringFormatsOfTheirOwn) {
  Recipe recipe = llvm::cantFail(parseRecipe("r.yaml", R"(
version: 1
preset: w4a16-g32
overrides:
  - {ops: Gemm, weights: {format: mxfp4}}
  - {nodes: /a.*, weights: {group: 64}}
  - {nodes: /b, activations: {format: i8}}
  - {nodes: /b, ops: Conv, precision: float}
)"));
  NodePrecision base = recipe.getPrecision("c", "MatMul");
  EXPECT_EQ(base.params, "weight-only");
  EXPECT_EQ(base.weights.group, 32);
  // A format brings its own group, scale and zero.
  NodePrecision gemm = recipe.getPrecision("c", "Gemm");
  EXPECT_EQ(gemm.weights.format, "mxfp4");
  EXPECT_EQ(gemm.weights.group, 0);
  EXPECT_EQ(gemm.weights.scale, "");
  NodePrecision wide = recipe.getPrecision("/a1", "MatMul");
  EXPECT_EQ(wide.weights.format, "ui4");
  EXPECT_EQ(wide.weights.group, 64);
  EXPECT_EQ(wide.weights.zero, "ui4");
  // Whoever names a format of activations does not mean floats.
  EXPECT_EQ(recipe.getPrecision("/b", "MatMul").params, "dynamic");
  // The last that matches wins; names match whole.
  EXPECT_TRUE(recipe.getPrecision("/b", "Conv").isFloat());
  EXPECT_EQ(recipe.getPrecision("/b1", "MatMul").params, "weight-only");
  EXPECT_EQ(
      writeRecipe(llvm::cantFail(parseRecipe("r.yaml", writeRecipe(recipe)))),
      writeRecipe(recipe));
}

TEST(Recipes, NamesMayHoldWhatExpressionsReserve) {
  OverrideRecipe rule;
  rule.nodes = "a.b(c)";
  EXPECT_TRUE(rule.matches("a.b(c)", ""));
  EXPECT_FALSE(rule.matches("axb(c)d", ""));
}

TEST(Recipes, QuantizeSomeNodesOfAFloatProgram) {
  Recipe recipe = llvm::cantFail(parseRecipe("r.yaml", R"(
version: 1
overrides: [{nodes: a, weights: {format: i8}, activations: {format: i8}, precision: static}]
)"));
  EXPECT_FALSE(recipe.isFloat());
  EXPECT_TRUE(recipe.needsCalibration());
  EXPECT_TRUE(recipe.getPrecision("b", "Conv").isFloat());
}

TEST(Recipes, AreWrittenWithEveryKey) {
  std::string text = writeRecipe(llvm::cantFail(getPreset("fp32")));
  for (llvm::StringRef key :
       {"version", "preset", "weights", "activations", "transforms",
        "calibration", "rounding", "overrides", "group", "mode", "smooth",
        "percentile", "scale-rule"})
    EXPECT_TRUE(llvm::StringRef(text).contains((key + ":").str())) << key.str();
}

TEST(Recipes, RefusesValuesThatNoPassUnderstands) {
  for (auto [text, part] : {
           std::pair{"weights: {format: i9}", "weights.format expects i2, "},
           {"weights: {format: i8, scale: f64}", "weights.scale expects f32"},
           {"weights: {format: ui4, zero: f16}", "weights.zero expects ui4"},
           {"weights: {group: -1}",
            "weights.group expects a number from 0 to 65536"},
           {"weights: {group: many}", "line 2"},
           {"activations: {mode: sometimes}", "activations.mode expects none"},
           {"activations: {format: i9}", "activations.format expects i2, "},
           {"activations: {mode: static, format: mxfp4}",
            "activations.format expects no blocks where activations are "
            "static"},
           {"activations: {max-static-cost: -1}",
            "activations.max-static-cost"},
           {"transforms: {smooth: '1.5'}", "transforms.smooth expects off"},
           {"calibration: {range: widest}", "calibration.range expects search"},
           {"calibration: {percentile: 0}", "calibration.percentile expects"},
           {"rounding: {scale-rule: up}", "rounding.scale-rule expects floor"},
           {"rounding: {pow2: up}", "rounding.pow2 expects nearest"},
           {"rounding: {pow2-scales: m3}", "rounding.pow2-scales expects m1"},
           {"rounding: {activation: up}",
            "rounding.activation expects nearest"},
       })
    expectProblem((llvm::Twine("version: 1\n") + text + "\n").str(), part);
}

// Each would be read and mean nothing: codes that are all 0, scales that are
// bytes of another type, or keys that no node has.
TEST(Recipes, RefusesKeysThatContradict) {
  for (auto [text, part] : {
           std::pair{"weights: {format: i16}", "weights.format expects i2, "},
           {"weights: {format: f8E4M3FN}", "mxfp8-e4m3"},
           {"weights: {format: f4E2M1FN, group: 32}", "mxfp4"},
           {"weights: {format: i8}\nactivations: {mode: dynamic, format: i16}",
            "activations.format expects i2, "},
           {"preset: w4a16-g32\ntransforms: {smooth: '0.5'}",
            "transforms.smooth expects activations in codes; write off"},
           {"transforms: {smooth: log}", "transforms.smooth expects"},
           {"preset: w8a8\ntransforms: {awq: true}",
            "transforms.awq expects float activations and weights in codes; "
            "write false, or activations.mode: none"},
           {"preset: w8a8-dynamic\ntransforms: {stretch: true}",
            "transforms.stretch expects static activations; write false"},
           {"weights: {format: ui8}",
            "weights.format expects a zero beside 'ui8', which has no negative "
            "values; write zero: ui8, or format: i8"},
           {"weights: {format: ui4, group: 32, zero: ui8}",
            "weights.zero expects ui4, the type of the codes, but found 'ui8'; "
            "write zero: ui4"},
           {"weights: {format: i8, zero: ui8}", "weights.zero expects i8"},
           {"weights: {format: mxint8, zero: i8}",
            "weights.zero expects integers without blocks, but found 'mxint8'"},
           {"weights: {format: mxfp4, scale: f32}",
            "weights.scale expects f8E8M0FNU, the scale of 'mxfp4', but found "
            "'f32'; leave scale out"},
           {"weights: {format: nvfp4, scale: f8E8M0FNU}",
            "weights.scale expects f8E4M3FN, the scale of 'nvfp4'"},
           {"preset: mxfp8-e4m3\nactivations: {scale: f32}",
            "activations.scale expects f8E8M0FNU, the scale of 'mxfp8-e4m3'"},
           {"weights: {format: i8}\nactivations: {mode: dynamic, format: ui8}",
            "activations.format expects signed codes where activations are "
            "dynamic, but found 'ui8'; write format: i8, or static"},
           {"preset: w8a8\nactivations: {format: ui8}\n"
            "overrides: [{nodes: a, precision: dynamic}]",
            "override 'a': activations.format expects signed codes"},
           {"preset: mxfp4\noverrides: [{nodes: a, precision: static}]",
            "override 'a': activations.format expects no blocks"},
           {"weights: {format: i8}\nactivations: {mode: dynamic, scale: "
            "f8E8M0FNU}",
            "activations.scale expects f32 where activations are dynamic"},
           {"activations: {mode: dynamic}",
            "activations.mode expects weights.format beside 'dynamic'; write "
            "weights.format: i8, or a preset"},
           {"weights: {group: 32}", "weights.format is empty, so group, scale "
                                    "and zero mean nothing"},
           {"preset: w4a16-g32\nactivations: {format: mxint8}",
            "activations.mode is none, so format and scale mean nothing; write "
            "mode: dynamic"},
       })
    expectProblem((llvm::Twine("version: 1\n") + text + "\n").str(), part);
}

TEST(Recipes, TakesWhatOverridesGiveAMeaning) {
  for (llvm::StringRef text : {
           "activations: {mode: dynamic}\n"
           "overrides: [{ops: MatMul, weights: {format: i8}}]",
           "preset: w4a16-g32\nactivations: {format: mxint8}\n"
           "overrides: [{ops: MatMul, precision: dynamic}]",
           "preset: w8a8\nactivations: {format: ui8}",
           "preset: w8a8\nweights: {format: ui8, zero: ui8}",
           "preset: w8a8\nweights: {zero: i8}",
           "weights: {format: mxfp4, scale: f8E8M0FNU}",
       }) {
    auto recipe = parseRecipe("r.yaml", ("version: 1\n" + text + "\n").str());
    EXPECT_TRUE(bool(recipe)) << llvm::toString(recipe.takeError());
  }
}

TEST(Recipes, SurvivesHostileText) {
  expectProblem("", "r.yaml: ");
  expectProblem(std::string(70000, 'x'),
                "expects a recipe of at most 65536 bytes");
  expectProblem(std::string(60000, '['), "is nested too deeply");
  expectProblem(std::string("version: 1\n\0\xff\xfe", 14), "r.yaml: ");
  std::string steps = "version: 1\n";
  for (int depth = 0; depth < 200; ++depth)
    steps += std::string(depth, ' ') + "a:\n";
  expectProblem(steps, "r.yaml: ");
}

TEST(Recipes, SaysWhatFileCannotBeRead) {
  auto recipe = readRecipe("/does/not/exist.yaml");
  ASSERT_FALSE(bool(recipe));
  ExitCode code;
  std::string message = takeMessage(recipe.takeError(), code);
  EXPECT_NE(message.find("/does/not/exist.yaml"), std::string::npos);
  EXPECT_EQ(code, ExitCode::NoResource);
}

//===- RecipeReference.cpp - The reference of recipe files ----------------===//
//
// What docs/recipe.md holds.
//
//===----------------------------------------------------------------------===//

#include "RecipeKeys.h"
#include "qopt/Pipelines/RecipeRules.h"
#include "llvm/Support/raw_ostream.h"

using namespace qopt;
using llvm::StringRef;

/// A bar would end a cell of a table.
static std::string escapeCell(StringRef text) {
  std::string escaped;
  for (char c : text)
    escaped += c == '|' ? std::string("\\|") : std::string(1, c);
  return escaped;
}

static std::string quoteCode(StringRef text) {
  return text.empty() ? "empty" : "`" + escapeCell(text) + "`";
}

/// The keys of a section; `opening` and `closing` stand around the example.
template <typename Section>
static void writeSection(llvm::raw_ostream &os, StringRef title, StringRef text,
                         StringRef opening, StringRef closing,
                         Section section = Section()) {
  os << "\n## " << title << "\n\n"
     << text << "\n\n"
     << "| key | takes | default | what it does | example |\n"
     << "|---|---|---|---|---|\n";
  auto writeKey = [&](const auto &key, const std::string &initial) {
    os << "| `" << key.name << "` | " << escapeCell(key.values.describe())
       << " | " << quoteCode(initial) << " | " << key.meaning << " | "
       << quoteCode(("{version: 1, preset: " + key.preset + ", " + opening +
                     key.name + ": " + key.example + closing + "}")
                        .str())
       << " |\n";
  };
  if (const MethodOptions *options = getMethodOptions(section))
    for (const MethodOptions::Entry &entry : options->entries)
      writeKey(*entry.declaration, formatValue(entry.value));
  for (const RecipeKey<Section> &key : getRecipeKeys<Section>())
    writeKey(key, getText(key, section));
}

std::string qopt::writeRecipeReference() {
  std::string text;
  llvm::raw_string_ostream os(text);
  os << R"(# Recipes

<!-- `ninja -C build recipe` writes this page from the table of keys. -->

A recipe is a YAML file that starts from a preset and changes what it names:

```
version: 1
preset: w8a8
rounding:
  clip-search: false
overrides:
  - {nodes: '/conv_.*', weights: {format: i4, group: 32, scale: f16}, precision: dynamic}
  - {ops: Gemm, precision: float}
```

`version` is 1 and must be there. `preset` is one of `qopt-compile
--list-presets`; without it the recipe starts from `fp32`. `effort` says which
methods the preset takes: `default`; `fast`, which searches neither ranges nor
factors; or `best`, which takes what costs most and helps on the models of
`benchmarks/methods.py`: `gptq` for weights of small floats and of four bits or
fewer; rotations in blocks of 32 where activations have codes and for MX weights;
`awq` for integers of four bits behind float activations. Every other key is
optional. `qopt-compile --recipe FILE --dump-recipe` prints all keys with the values in
force. The defaults below are those of `fp32`; presets set some of them. Each example
is a whole recipe.
)";
  writeSection<WeightRecipe>(os, "weights", "How weights are stored.",
                             "weights: {", "}");
  writeSection<ActivationRecipe>(
      os, "activations", "How activations in front of products are stored.",
      "activations: {", "}");
  os << R"(
`max-static-cost` compares the step of one range for all data with the step of
each row's own, in the mean over rows of the decibels: a loud first token does not
make the quiet ones static. A row is what has a scale where it is dynamic: the
last axis, or a sample of a convolution. What ranges clip in samples that were
held back counts too. The default, 6 dB, is one bit. On a CPU it costs no time:
MiniLM with 11 of 36 products dynamic, and PP-OCR's recognizer with 6 of 47, take
the processor time of all static ones within 1 %, and MiniLM's mean cosine to the
float model is .9987 where all static ones have .9978. A large number keeps every
range static, for files that go to machines without dynamic scales.
)";
  writeSection(os, "transforms", "What is rewritten before numbers are chosen.",
               "transforms: {", "}", Recipe().transforms);
  for (const auto &transformation : getMethods().getTransformations())
    os << "\n### " << transformation->getName() << "\n\n"
       << transformation->getDescription();
  writeSection<CalibrationRecipe>(os, "calibration",
                                  "What becomes of the samples of `--calib`.",
                                  "calibration: {", "}");
  os << R"(
Every fourth sample is held back from all that ranges are made of. `search` rounds
all samples in each of five ranges: the extremes of the others, those without 0.001,
0.01 and 0.1 % of the values, and the one of the least squared error. What a range
costs is the noise over the signal of a row, each channel times the squares of the
weights that it meets in the products that read it, in the mean over rows and then
over samples. The extremes stay unless another range is cheaper by more than the
standard error of that mean; they always do where there are fewer than four samples,
and where scales are powers of two, whose steps would have to be halved. This cuts
the tails in front of most convolutions, where they are few of the many values of an
image, and little of a transformer, some of whose rows are made of them. `min-max`
takes the extremes,
`percentile` the share of the values that the other key says, and `squared-error`
the range of the least squared error, all of them for every tensor.
)";
  writeSection(os, "rounding", "How numbers are rounded.", "rounding: {", "}",
               Recipe().rounding);
  writeSection<CacheRecipe>(os, "kv-cache",
                            "What is kept between the runs of a decoder.",
                            "kv-cache: {", "}");
  os << R"(
With `i8` each row of what a run adds, the keys or values of one head and token, is
rounded by itself, to codes and a scale that is a 127th of its largest magnitude.
Both are states: an input `past` of floats becomes one of codes and another,
`past.scale`, and so do outputs. With `f16` it becomes one of f16. The cache takes
about a quarter of the memory, or half; where attention reads it as it is, floats
are never made of all of it. Where samples are given, what that costs is a part of
the error of the outputs that the report shows. States that grow along their last
axis, that are made otherwise than by adding behind the past, or whose past another
op reads, keep their type, with a warning; a model without any other is refused.
)";
  writeSection<PolicyRecipe>(os, "policy",
                             "Where the compiler leaves what was asked for.",
                             "policy: {", "}");
  os << R"(
Where there are samples, and outputs are below `min-output-sqnr` on those that
nothing was fitted to, each product with codes of fewer than 8 bits is tried by
itself on up to eight samples, all others in float. Those that cost most are taken
in 8 bits until the outputs are expected to be good enough: `mxint8` in place of
floats, `i8` in the same groups in place of integers. Then the program is
quantized and measured again, up to four times. The report has the reason for each
(`asked`, `planned`), and the compiler says how many they are. Nodes that an override
names, codes that came with the model, and blocks that would cross groups of channels
stay; so does all of a round that does not make the worst output better. `0` keeps what was asked for.
)";
  writeSection<OverrideRecipe>(
      os, "overrides",
      "A list. Each entry says what some nodes are to be; where several match "
      "a "
      "node\nthe last one counts. One that matches no node is an error, and "
      "the "
      "compiler says\nhow many nodes each matched. Names of nodes are those of "
      "the model, or `Op#index`\nfor a node without a name; the report lists "
      "them.",
      "overrides: [{", "}]");
  writeSection<WeightRecipe>(os, "overrides: weights",
                             "With `format` the recipe's weights do not count "
                             "for these nodes; without "
                             "it, what is\nnamed replaces the recipe's.",
                             "overrides: [{nodes: '.*', weights: {", "}}]");
  writeSection<OverrideActivations>(
      os, "overrides: activations",
      "With `format` the recipe's activations do not count for these nodes.",
      "overrides: [{nodes: '.*', activations: {", "}}]");
  os << "\n## Keys together\n\nA recipe that breaks one of these rules is "
        "refused.\n\n";
  for (const RecipeRule &rule : getRecipeRules())
    os << "- `" << rule.key << "` " << rule.text << ".\n";
  for (const auto &transformation : getMethods().getTransformations())
    if (std::string rule = describeRule(*transformation); !rule.empty())
      os << "- `transforms." << transformation->getName() << "` " << rule
         << ".\n";
  return text;
}

//===- NumericsHarness.cpp - Holds passes to their Numerics lines ---------===//
//
// Claims come from the .td files: the descriptions are not in the binaries.
//
//===----------------------------------------------------------------------===//

#include "NumericsHarness.h"
#include "qopt/Transforms/Methods.h"
#include "llvm/Support/MemoryBuffer.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::test;

static constexpr llvm::StringLiteral kPassFiles[] = {
    "dialects/QOpt/Transforms/Passes.td",
    "dialects/QOpt/Quantization/QuantizationPasses.td",
    "lib/Transforms/Passes.td", "lib/Conversion/QOptToQKernel/Passes.td"};

/// The text of the `Numerics:` paragraph of a pass or a transformation.
static std::string readNumerics(StringRef flag) {
  for (const auto &transformation : getMethods().getTransformations())
    if (transformation->getName() == flag)
      return transformation->getDescription()
          .split("Numerics:")
          .second.ltrim()
          .str();
  for (StringRef file : kPassFiles) {
    auto buffer = llvm::MemoryBuffer::getFile(
        (Twine(QOPT_SOURCE_DIR) + "/" + file).str());
    if (!buffer)
      continue;
    StringRef text = (*buffer)->getBuffer();
    size_t at = text.find(("Pass<\"" + flag + "\"").str());
    if (at == StringRef::npos)
      continue;
    text = text.substr(at);
    text = text.substr(0, text.find("\ndef "));
    size_t line = text.find("Numerics:");
    if (line == StringRef::npos)
      break;
    text = text.substr(line + StringRef("Numerics:").size());
    return text.substr(0, text.find("}]")).ltrim().str();
  }
  ADD_FAILURE() << "no Numerics line of " << flag.str();
  return "lossy";
}

Claim test::readClaim(StringRef flag, bool isPow2) {
  std::string text = readNumerics(flag);
  StringRef numerics = text;
  if (isPow2 && numerics.contains("with pow2 factors exact"))
    return Claim::Exact;
  if (numerics.starts_with("exact"))
    return Claim::Exact;
  if (numerics.starts_with("bounded"))
    return Claim::Bounded;
  EXPECT_TRUE(numerics.starts_with("lossy")) << text;
  return Claim::Lossy;
}

static double relativeError(const HostTensor &expected,
                            const HostTensor &actual) {
  double largest = 0, difference = 0;
  for (auto [e, a] :
       llvm::zip_equal(expected.as<float>(), actual.as<float>())) {
    largest = std::max<double>(largest, std::abs(e));
    difference = std::max<double>(difference, std::abs(double(e) - a));
  }
  return largest == 0 ? difference : difference / largest;
}

void test::checkNumerics(const NumericsCase &numerics, const std::string &text,
                         ArrayRef<int64_t> dims) {
  SCOPED_TRACE(numerics.flag);
  FloatProgram program(text, dims);
  numerics.prepare(program);
  constexpr unsigned kInputs = 3;
  std::vector<HostTensor> inputs, expected;
  for (unsigned i = 0; i < kInputs; ++i) {
    // Batches of another size take the same path.
    SmallVector<int64_t> inputDims(dims);
    inputDims[0] = dims[0] + i;
    inputs.push_back(normalTensor(inputDims, 500 + i));
    expected.push_back(program.evaluate(inputs.back()));
  }
  std::string before = program.print();
  program.run(numerics.passes);
  EXPECT_NE(before, program.print()) << "the pass did nothing";
  program.run(numerics.lower);
  Claim claim = readClaim(numerics.flag, numerics.isPow2);
  for (unsigned i = 0; i < kInputs; ++i) {
    HostTensor actual = program.evaluate(inputs[i]);
    ASSERT_EQ(expected[i].getDims(), actual.getDims());
    if (claim == Claim::Exact)
      EXPECT_TRUE(expected[i].getBytes() == actual.getBytes())
          << "not bit-exact: " << relativeError(expected[i], actual) << "\n"
          << program.print();
    else
      EXPECT_LE(relativeError(expected[i], actual), numerics.tolerance)
          << program.print();
  }
}

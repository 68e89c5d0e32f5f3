//===- ContractHarness.cpp - Kernels against Reference --------------------===//
//
// Codes take all values, the extreme ones often: they are what saturates.
//
//===----------------------------------------------------------------------===//

#include "ContractHarness.h"

#include "../../Support/TemporaryFolder.h"
#include "AmxEmulation.h"
#include "dialects/QKernel/IR/QKernelOps.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Parser/Parser.h"
#include "qopt/Emit/CpuTier.h"
#include "qopt/Emit/LinkModel.h"
#include "qopt/Execution/ModelRunner.h"
#include "qopt/Reference/Interpreter.h"
#include "qopt/Target/X86/X86Backend.h"
#include "llvm/ADT/StringExtras.h"
#include "gtest/gtest.h"
#include <chrono>
#include <cstdlib>
#include <random>

using namespace mlir;
using namespace qopt;

static bool runsNatively(StringRef tier) {
  return llvm::any_of(getNativeCpuTiers(), [&](const CpuTier *known) {
    return known->name == tier;
  });
}

namespace {
class Case {
public:
  Case(StringRef text, ArrayRef<int64_t> dims) : random(1) {
    context
        .loadDialect<QOptDialect, kernel::QKernelDialect, func::FuncDialect>();
    module = parseSourceString<ModuleOp>(text, &context);
    if (!module)
      return;
    program = module->lookupSymbol<func::FuncOp>("main");
    for (BlockArgument argument : program.getArguments())
      values.push_back(makeValue(argument, dims));
    insertConstants();
  }

  explicit operator bool() const { return bool(module); }

  /// True when AMX is of use: it has products of integers only.
  bool hasProductsOfCodes() {
    return module
        ->walk([](Operation *op) {
          bool isProduct = isa<MatMulOp, ConvOp>(op) &&
                           cast<RankedTensorType>(op->getResult(0).getType())
                               .getElementType()
                               .isInteger(32);
          return isProduct ? WalkResult::interrupt() : WalkResult::advance();
        })
        .wasInterrupted();
  }

  SmallVector<HostTensor> evaluateReference() {
    SmallVector<HostTensor> outputs;
    OwningOpRef<ModuleOp> copy(cast<ModuleOp>(module->getOperation()->clone()));
    auto main = copy->lookupSymbol<func::FuncOp>("main");
    IRRewriter rewriter(&context);
    SmallVector<Operation *> kernels;
    main.walk([&](Operation *op) {
      if (kernel::isKernel(op))
        kernels.push_back(op);
    });
    for (Operation *op : kernels)
      kernel::decompose(op, rewriter);
    if (llvm::Error error = evaluate(main, inputs, outputs))
      ADD_FAILURE() << llvm::toString(std::move(error));
    return outputs;
  }

  /// Compiles for the tiers that are named, or all that are no extension.
  bool compile(const std::string &path, ArrayRef<StringRef> tiers) {
    SmallVector<TargetConfig> configs;
    for (StringRef tier : tiers)
      configs.push_back({tier.str()});
    auto compiled = runsNatively("amx")
                        ? X86Backend().compile(*module, configs)
                        : test::compileWithEmulatedTiles(*module, configs);
    if (failed(compiled))
      return false;
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
    StringRef bytes(reinterpret_cast<const char *>(compiled->weights.data()),
                    compiled->weights.size());
    llvm::Error error = linkModel(
        objects, description,
        [&](WeightsWriter &writer) { return writer.write(bytes); }, path);
    if (error)
      ADD_FAILURE() << llvm::toString(std::move(error));
    return true;
  }

  SmallVector<HostTensor> inputs;

private:
  void describe(TypeRange types, const std::string &name,
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

  int64_t uniform(int64_t low, int64_t high) {
    return std::uniform_int_distribution<int64_t>(low, high)(random);
  }

  HostTensor makeValue(BlockArgument argument, ArrayRef<int64_t> &dims) {
    auto type = cast<RankedTensorType>(argument.getType());
    SmallVector<int64_t> shape(type.getShape());
    for (int64_t &dim : shape)
      if (ShapedType::isDynamic(dim)) {
        dim = dims.front();
        dims = dims.drop_front();
      }
    ElementType element = *getHostElementType(type.getElementType());
    HostTensor tensor = llvm::cantFail(HostTensor::allocate(element, shape));
    auto codes = program.getArgAttrOfType<DenseI32ArrayAttr>(
        argument.getArgNumber(), "test.codes");
    if (codes)
      for (uint8_t &value : tensor.asMutable<uint8_t>())
        value = codes[uniform(0, codes.size() - 1)];
    else
      fill(tensor, type.getElementType());
    return tensor;
  }

  void fill(HostTensor &tensor, Type type) {
    if (type.isF32()) {
      for (float &value : tensor.asMutable<float>())
        value = uniform(-2000, 2000) / 1024.0f + uniform(-99, 99) * 0x1p-20f;
    } else if (type.isInteger(32)) {
      for (int32_t &value : tensor.asMutable<int32_t>())
        value = uniform(-100000, 100000);
    } else if (type.isInteger(64)) {
      for (int64_t &value : tensor.asMutable<int64_t>())
        value = uniform(-9, 9);
    } else if (type.isInteger(1)) {
      for (uint8_t &value : tensor.asMutable<uint8_t>())
        value = uniform(0, 1);
    } else if (type.isBF16()) {
      for (uint16_t &value : tensor.asMutable<uint16_t>())
        value = uniform(0, 1) << 15 | uniform(120, 130) << 7 | uniform(0, 127);
    } else if (type.isF16()) {
      // Positive scales between 2^-7 and 2^-3.
      for (uint16_t &value : tensor.asMutable<uint16_t>())
        value = uniform(8, 12) << 10 | uniform(0, 1023);
    } else if (isa<Float8E8M0FNUType>(type)) {
      for (uint8_t &value : tensor.asMutable<uint8_t>())
        value = uniform(0, 30) ? uniform(115, 135) : uniform(0, 254);
    } else {
      unsigned bits = type.getIntOrFloatBitWidth();
      int64_t extremes[] = {0, (1 << bits) - 1, 1 << (bits - 1),
                            (1 << (bits - 1)) - 1};
      bool isFloat = isa<FloatType>(type);
      for (uint8_t &value : tensor.asMutable<uint8_t>()) {
        value = uniform(0, 2) ? uniform(0, (1 << bits) - 1)
                              : extremes[uniform(0, 3)];
        // No infinities and NaNs: what they do is tested by themselves.
        if (isFloat && bits == 8 && (value & 0x78) == 0x78)
          value &= 0xBF;
      }
    }
  }

  void insertConstants() {
    OpBuilder b = OpBuilder::atBlockBegin(&program.getBody().front());
    llvm::BitVector erased(program.getNumArguments());
    for (unsigned i = 0; i < program.getNumArguments(); ++i) {
      if (!program.getArgAttr(i, "test.constant")) {
        inputs.push_back(values[i]);
        continue;
      }
      BlockArgument argument = program.getArgument(i);
      Value constant =
          ConstantOp::create(b, argument.getLoc(), argument.getType(),
                             makeConstantValue(values[i], &context));
      argument.replaceAllUsesWith(constant);
      erased.set(i);
    }
    (void)program.eraseArguments(erased);
  }

  MLIRContext context;
  OwningOpRef<ModuleOp> module;
  func::FuncOp program;
  SmallVector<HostTensor> values;
  std::mt19937 random;
};
} // namespace

static std::string bitsOf(const HostTensor &tensor, int64_t index) {
  unsigned bytes = getBytesPerElement(tensor.getType());
  std::string text;
  for (unsigned i = bytes; i-- > 0;)
    text += llvm::utohexstr(uint8_t(tensor.getData()[index * bytes + i]),
                            /*LowerCase=*/true, /*Width=*/2);
  return text;
}

static bool isNaN(const HostTensor &tensor, int64_t index) {
  return tensor.getType() == ElementType::F32 &&
         std::isnan(tensor.as<float>()[index]);
}

static void expectEqual(const HostTensor &expected, const HostTensor &actual,
                        const std::string &where) {
  ASSERT_EQ(expected.getDims(), actual.getDims()) << where;
  unsigned bytes = getBytesPerElement(expected.getType());
  for (int64_t i = 0; i < expected.getNumElements(); ++i) {
    if (!std::memcmp(expected.getData() + i * bytes,
                     actual.getData() + i * bytes, bytes) ||
        (isNaN(expected, i) && isNaN(actual, i)))
      continue;
    ADD_FAILURE() << where << ": element " << i << " of "
                  << expected.getNumElements() << ", expected "
                  << bitsOf(expected, i) << ", but found " << bitsOf(actual, i);
    return;
  }
}

/// NaN everywhere would hide any mistake.
static void expectNumbers(const HostTensor &tensor) {
  int64_t numbers = 0;
  for (int64_t i = 0; i < tensor.getNumElements(); ++i)
    numbers += !isNaN(tensor, i);
  EXPECT_GE(2 * numbers, tensor.getNumElements());
}

void test::expectEqualToReference(StringRef text, ArrayRef<int64_t> dims) {
  Case test(text, dims);
  ASSERT_TRUE(bool(test));
  SmallVector<HostTensor> expected = test.evaluateReference();
  for (const HostTensor &tensor : expected)
    expectNumbers(tensor);
  TemporaryFolder folder;
  SmallVector<StringRef> tiers = {"x86-64-v3", "x86-64-v4"};
  if (test.hasProductsOfCodes())
    tiers.push_back("amx");
  std::string path = folder.file("model.so");
  ASSERT_TRUE(test.compile(path, tiers));
  for (StringRef tier : tiers) {
    ASSERT_EQ(setenv("QOPT_CPU", tier.data(), 1), 0);
    auto runner = ModelRunner::open(path);
    ASSERT_TRUE(bool(runner)) << llvm::toString(runner.takeError());
    if ((*runner)->getChosenTier() != tier) {
      EXPECT_NE(tier, "x86-64-v3") << "every machine of the tests has it";
      continue;
    }
    for (int threads : {1, 2, 3, 7}) {
      (*runner)->setThreads(threads);
      SmallVector<HostTensor> results;
      llvm::Error error = (*runner)->run(test.inputs, results);
      ASSERT_FALSE(bool(error)) << llvm::toString(std::move(error));
      ASSERT_EQ(results.size(), expected.size());
      for (auto [i, result] : llvm::enumerate(results))
        expectEqual(expected[i], result,
                    tier.str() + ", " + std::to_string(threads) +
                        " threads, output " + std::to_string(i));
    }
  }
  unsetenv("QOPT_CPU");
}

std::string test::messageOfRun(StringRef text, ArrayRef<int64_t> dims) {
  Case test(text, dims);
  TemporaryFolder folder;
  std::string path = folder.file("model.so");
  if (!test || !test.compile(path, {"x86-64-v3"}))
    return "does not compile";
  auto runner = ModelRunner::open(path);
  if (!runner)
    return llvm::toString(runner.takeError());
  SmallVector<HostTensor> results;
  if (llvm::Error error = (*runner)->run(test.inputs, results))
    return llvm::toString(std::move(error));
  return "";
}

double test::measure(StringRef text, StringRef tier, int threads) {
  Case test(text, {});
  TemporaryFolder folder;
  std::string path = folder.file("model.so");
  if (!test || !test.compile(path, {tier}))
    return -1;
  auto runner = ModelRunner::open(path);
  if (!runner) {
    ADD_FAILURE() << llvm::toString(runner.takeError());
    return -1;
  }
  (*runner)->setThreads(threads);
  double best = 1e9;
  for (int i = 0; i < 30; ++i) {
    auto start = std::chrono::steady_clock::now();
    llvm::consumeError((*runner)->runWithoutResults(test.inputs));
    std::chrono::duration<double, std::milli> time =
        std::chrono::steady_clock::now() - start;
    best = std::min(best, time.count());
  }
  return best;
}

//===- TargetCase.cpp - A program for a target and Reference --------------===//
//
// The same values in each run, and on each target.
//
//===----------------------------------------------------------------------===//

#include "TargetCase.h"
#include "dialects/QKernel/IR/QKernelOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Parser/Parser.h"
#include "qopt/Emit/LinkModel.h"
#include "qopt/Reference/Interpreter.h"
#include "llvm/ADT/StringExtras.h"
#include "gtest/gtest.h"
#include <cmath>
#include <cstring>

using namespace mlir;
using namespace qopt;
using namespace qopt::test;

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

int64_t TargetCase::uniform(int64_t low, int64_t high) {
  return std::uniform_int_distribution<int64_t>(low, high)(random);
}

void TargetCase::fill(HostTensor &tensor, Type type) {
  if (type.isF32()) {
    for (float &value : tensor.asMutable<float>())
      value = uniform(-2000, 2000) / 1024.0f + uniform(-99, 99) * 0x1p-20f;
  } else if (type.isF64()) {
    for (double &value : tensor.asMutable<double>())
      value = uniform(-2000, 2000) / 1024.0 + uniform(-99, 99) * 0x1p-40;
  } else if (type.isInteger(32)) {
    for (int32_t &value : tensor.asMutable<int32_t>())
      value = uniform(-100000, 100000);
  } else if (type.isInteger(64)) {
    for (int64_t &value : tensor.asMutable<int64_t>())
      value = uniform(-9, 9);
  } else if (type.isInteger(16)) {
    for (int16_t &value : tensor.asMutable<int16_t>())
      value = uniform(-30000, 30000);
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
      value =
          uniform(0, 2) ? uniform(0, (1 << bits) - 1) : extremes[uniform(0, 3)];
      // No infinities and NaNs: what they do is tested by themselves.
      if (isFloat && bits == 8 && (value & 0x78) == 0x78)
        value &= 0xBF;
    }
  }
}

HostTensor TargetCase::makeValue(BlockArgument argument,
                                 ArrayRef<int64_t> &dims) {
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
  if (codes && element == ElementType::I64)
    for (int64_t &value : tensor.asMutable<int64_t>())
      value = codes[uniform(0, codes.size() - 1)];
  else if (codes)
    for (uint8_t &value : tensor.asMutable<uint8_t>())
      value = codes[uniform(0, codes.size() - 1)];
  else
    fill(tensor, type.getElementType());
  return tensor;
}

//===----------------------------------------------------------------------===//
// The program
//===----------------------------------------------------------------------===//

TargetCase::TargetCase(StringRef text, ArrayRef<int64_t> dims) {
  context.loadDialect<QOptDialect, kernel::QKernelDialect, func::FuncDialect,
                      scf::SCFDialect, arith::ArithDialect,
                      tensor::TensorDialect>();
  module = parseSourceString<ModuleOp>(text, &context);
  if (!module)
    return;
  program = module->lookupSymbol<func::FuncOp>("main");
  SmallVector<HostTensor> values;
  for (BlockArgument argument : program.getArguments())
    values.push_back(makeValue(argument, dims));
  insertConstants(values);
}

void TargetCase::insertConstants(ArrayRef<HostTensor> values) {
  OpBuilder b = OpBuilder::atBlockBegin(&program.getBody().front());
  llvm::BitVector erased(program.getNumArguments());
  for (auto [i, argument] : llvm::enumerate(program.getArguments())) {
    if (!program.getArgAttr(i, "test.constant")) {
      inputs.push_back(values[i]);
      continue;
    }
    argument.replaceAllUsesWith(
        ConstantOp::create(b, argument.getLoc(), argument.getType(),
                           makeConstantValue(values[i], &context)));
    erased.set(i);
  }
  (void)program.eraseArguments(erased);
}

static bool isNaN(const HostTensor &tensor, int64_t index) {
  return tensor.getType() == ElementType::F32 &&
         std::isnan(tensor.as<float>()[index]);
}

/// NaN everywhere would hide any mistake.
static void expectNumbers(const HostTensor &tensor) {
  int64_t numbers = 0;
  for (int64_t i = 0; i < tensor.getNumElements(); ++i)
    numbers += !isNaN(tensor, i);
  EXPECT_GE(2 * numbers, tensor.getNumElements());
}

SmallVector<HostTensor> TargetCase::evaluateReference() {
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
  for (const HostTensor &tensor : outputs)
    expectNumbers(tensor);
  return outputs;
}

//===----------------------------------------------------------------------===//
// The artefact
//===----------------------------------------------------------------------===//

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

llvm::Error TargetCase::link(const CompiledProgram &compiled,
                             const std::string &path) {
  ProgramDescription description;
  description.name = "test";
  description.manifest = "{}";
  describe(program.getArgumentTypes(), "in", description.inputs);
  describe(program.getResultTypes(), "out", description.outputs);
  std::vector<StringRef> objects;
  for (const CompiledVariant &variant : compiled.variants) {
    objects.emplace_back(variant.bytes.data(), variant.bytes.size());
    description.tiers.push_back(
        {variant.cpu, variant.entry, variant.requiredFeatures});
  }
  return linkModel(
      objects, description, *compiled.machine,
      [&](WeightsWriter &writer) {
        return writer.write(llvm::toStringRef(compiled.weights));
      },
      path);
}

void TargetCase::expectRuns(ModelRunner &runner, ArrayRef<HostTensor> expected,
                            ArrayRef<int> threads, const std::string &where,
                            double bound) {
  for (int count : threads) {
    runner.setThreads(count);
    SmallVector<HostTensor> results;
    llvm::Error error = runner.run(inputs, results);
    ASSERT_FALSE(bool(error)) << llvm::toString(std::move(error));
    ASSERT_EQ(results.size(), expected.size());
    for (auto [i, result] : llvm::enumerate(results))
      expectEqual(expected[i], result,
                  where + ", " + std::to_string(count) + " threads, output " +
                      std::to_string(i),
                  bound);
  }
}

//===----------------------------------------------------------------------===//
// Comparison
//===----------------------------------------------------------------------===//

static std::string bitsOf(const HostTensor &tensor, int64_t index) {
  unsigned bytes = getBytesPerElement(tensor.getType());
  std::string text;
  for (unsigned i = bytes; i-- > 0;)
    text += llvm::utohexstr(uint8_t(tensor.getData()[index * bytes + i]),
                            /*LowerCase=*/true, /*Width=*/2);
  return text;
}

/// An element of f32 or f64.
static double readReal(const HostTensor &tensor, int64_t index) {
  return tensor.getType() == ElementType::F64 ? tensor.as<double>()[index]
                                              : tensor.as<float>()[index];
}

static double findLargest(const HostTensor &tensor) {
  double largest = 0;
  for (int64_t i = 0; i < tensor.getNumElements(); ++i)
    largest = std::max(largest, std::abs(readReal(tensor, i)));
  return largest;
}

void test::expectEqual(const HostTensor &expected, const HostTensor &actual,
                       const std::string &where, double bound) {
  ASSERT_EQ(expected.getDims(), actual.getDims()) << where;
  ASSERT_EQ(expected.getType(), actual.getType()) << where;
  bool isBounded = bound > 0 && (expected.getType() == ElementType::F32 ||
                                 expected.getType() == ElementType::F64);
  double distance = isBounded ? bound * findLargest(expected) : 0;
  unsigned bytes = getBytesPerElement(expected.getType());
  for (int64_t i = 0; i < expected.getNumElements(); ++i) {
    if (!std::memcmp(expected.getData() + i * bytes,
                     actual.getData() + i * bytes, bytes) ||
        (isNaN(expected, i) && isNaN(actual, i)) ||
        (isBounded &&
         std::abs(readReal(expected, i) - readReal(actual, i)) <= distance))
      continue;
    ADD_FAILURE() << where << ": element " << i << " of "
                  << expected.getNumElements() << ", expected "
                  << bitsOf(expected, i) << ", but found " << bitsOf(actual, i);
    return;
  }
}

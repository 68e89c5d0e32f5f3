//===- Shader.cpp - One compute shader being written ----------------------===//
//
// Float operations are marked NoContraction: a driver that fused two of them
// would round once less than the formula says.
//
//===----------------------------------------------------------------------===//

#include "Shader.h"
#include "ExactPolicy.h"
#include "dialects/QOpt/IR/Formats.h"
#include "dialects/QOpt/Numerics/ElementwiseOps.h"
#include "mlir/Conversion/ArithToSPIRV/ArithToSPIRV.h"
#include "mlir/Conversion/MathToSPIRV/MathToSPIRV.h"
#include "mlir/Conversion/SCFToSPIRV/SCFToSPIRV.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/SPIRV/IR/SPIRVDialect.h"
#include "mlir/Dialect/SPIRV/IR/TargetAndABI.h"
#include "mlir/Dialect/SPIRV/Transforms/Passes.h"
#include "mlir/Dialect/SPIRV/Transforms/SPIRVConversion.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/SPIRV/Serialization.h"
#include "mlir/Transforms/DialectConversion.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::vulkan;
using numerics::ValueKind;

/// Bits of the runtime's vulkan::Feature.
enum : int64_t {
  kStorage8Bit = 1,
  kStorage16Bit = 2,
  kInt64 = 4,
  kFloat64 = 8
};

static constexpr int32_t kGroupSize = 64;
/// Groups along x that one step along y counts for; the runtime dispatches so.
static constexpr int64_t kGroupsPerRow = 32768;

static spirv::TargetEnvAttr targetEnv(MLIRContext *context) {
  using spirv::Capability;
  using spirv::Extension;
  auto triple = spirv::VerCapExtAttr::get(
      spirv::Version::V_1_3,
      {Capability::Shader, Capability::Int8, Capability::Int16,
       Capability::Int64, Capability::Float64,
       Capability::StorageBuffer8BitAccess,
       Capability::StorageBuffer16BitAccess},
      {Extension::SPV_KHR_storage_buffer_storage_class,
       Extension::SPV_KHR_8bit_storage, Extension::SPV_KHR_16bit_storage},
      context);
  return spirv::TargetEnvAttr::get(triple,
                                   spirv::getDefaultResourceLimits(context),
                                   spirv::ClientAPI::Vulkan);
}

Shader::Shader(MLIRContext *context, Location loc)
    : IntegerBuilder(own, loc), own(context), entry(context) {
  OpBuilder top(context);
  module = spirv::ModuleOp::create(top, loc, spirv::AddressingModel::Logical,
                                   spirv::MemoryModel::GLSL450);
  (*module)->setAttr(spirv::getTargetEnvAttrName(), targetEnv(context));
  top.setInsertionPointToStart(module->getBody());
  function =
      spirv::FuncOp::create(top, loc, "main", top.getFunctionType({}, {}));
  entry.setInsertionPointToStart(function.addEntryBlock());
  b = entry;
}

//===----------------------------------------------------------------------===//
// Numbers
//===----------------------------------------------------------------------===//

static std::optional<int64_t> known(Value value) {
  APInt number;
  if (matchPattern(value, m_ConstantInt(&number)))
    return number.getSExtValue();
  return std::nullopt;
}

Value Shader::i32(int64_t value) {
  return arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(int32_t(value)));
}
Value Shader::f32(float value) {
  return arith::ConstantOp::create(b, loc, b.getF32FloatAttr(value));
}

Value Shader::host(Value number) {
  if (std::optional<int64_t> value = known(number))
    return i32(*value);
  Value &loaded = loadedNumbers[number];
  if (loaded)
    return loaded;
  Value base = bindingPointer(0, b.getI32Type());
  auto constant = [&](int32_t value) {
    return spirv::ConstantOp::create(entry, loc, b.getI32Type(),
                                     b.getI32IntegerAttr(value));
  };
  Value place = spirv::AccessChainOp::create(
      entry, loc, base,
      ValueRange{constant(0), constant(int32_t(numbers.size()))});
  numbers.push_back(number);
  return loaded = spirv::LoadOp::create(entry, loc, place);
}

SmallVector<Value> Shader::host(ValueRange list) {
  SmallVector<Value> result;
  for (Value number : list)
    result.push_back(host(number));
  return result;
}

Value Shader::both(Value x, Value y) {
  return b.createOrFold<arith::AndIOp>(loc, x, y);
}
Value Shader::linearize(ValueRange coordinates, ValueRange dims) {
  Value index = i32(0);
  for (auto [coordinate, dim] : llvm::zip_equal(coordinates, dims))
    index = add(mul(index, dim), coordinate);
  return index;
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

/// Bits of a word of `element` in memory; elements of 64 bits are two words.
static unsigned wordBits(Type element) {
  if (element.isIndex())
    return 32;
  unsigned bits = element.getIntOrFloatBitWidth();
  return bits <= 8 ? 8 : bits <= 16 ? 16 : 32;
}

static Type wordType(Type element) {
  if (element.isF32())
    return element;
  return IntegerType::get(element.getContext(), wordBits(element));
}

static bool isTwoWords(Type element) {
  return element.isIndex() || element.getIntOrFloatBitWidth() == 64;
}

Value Shader::bindingPointer(unsigned binding, Type memory) {
  if (binding == 0 && parameterPointer)
    return parameterPointer;
  MLIRContext *context = b.getContext();
  if (memory.getIntOrFloatBitWidth() == 8)
    features |= kStorage8Bit;
  if (memory.getIntOrFloatBitWidth() == 16)
    features |= kStorage16Bit;
  auto array =
      spirv::RuntimeArrayType::get(memory, memory.getIntOrFloatBitWidth() / 8);
  auto block = spirv::StructType::get(
      array, 0, {},
      spirv::StructType::StructDecorationInfo(spirv::Decoration::Block,
                                              UnitAttr::get(context)));
  auto type =
      spirv::PointerType::get(block, spirv::StorageClass::StorageBuffer);
  OpBuilder top = OpBuilder::atBlockBegin(module->getBody());
  std::string name = "b" + std::to_string(binding);
  auto variable = spirv::GlobalVariableOp::create(top, loc, TypeAttr::get(type),
                                                  top.getStringAttr(name),
                                                  FlatSymbolRefAttr());
  variable->setAttr("descriptor_set", top.getI32IntegerAttr(0));
  variable->setAttr("binding", top.getI32IntegerAttr(binding));
  Value pointer = spirv::AddressOfOp::create(entry, loc, variable);
  if (binding == 0)
    parameterPointer = pointer;
  return pointer;
}

Value Shader::pointer(Value handle, Type memory, Value index) {
  Value &base = pointers[{handle, memory}];
  if (!base) {
    handles.push_back(handle);
    base = bindingPointer(unsigned(handles.size()), memory);
  }
  // The member of a struct must be a constant of SPIR-V already.
  Value member =
      spirv::ConstantOp::create(b, loc, b.getI32Type(), b.getI32IntegerAttr(0));
  return spirv::AccessChainOp::create(b, loc, base, ValueRange{member, index});
}

SmallVector<Value> Shader::loadRaw(Value handle, Type element, Value index) {
  Type word = wordType(element);
  auto load = [&](Value at) -> Value {
    return spirv::LoadOp::create(b, loc, pointer(handle, word, at));
  };
  if (!isTwoWords(element))
    return {load(index)};
  Value first = mul(index, i32(2));
  return {load(first), load(add(first, i32(1)))};
}

void Shader::storeRaw(ValueRange words, Value handle, Type element,
                      Value index) {
  Type word = wordType(element);
  Value first = isTwoWords(element) ? mul(index, i32(2)) : index;
  for (auto [i, value] : llvm::enumerate(words))
    spirv::StoreOp::create(b, loc, pointer(handle, word, add(first, i32(i))),
                           value);
}

SmallVector<Value> Shader::constantRaw(Type element, uint64_t bits) {
  auto makeWord = [&](uint64_t number) -> Value {
    unsigned width = wordBits(element);
    Value word = arith::ConstantOp::create(
        b, loc,
        IntegerAttr::get(b.getIntegerType(width),
                         APInt(64, number).trunc(width)));
    return element.isF32()
               ? arith::BitcastOp::create(b, loc, element, word).getResult()
               : word;
  };
  if (!isTwoWords(element))
    return {makeWord(bits)};
  return {makeWord(bits), makeWord(bits >> 32)};
}

Value Shader::load(Value handle, Type element, Value index) {
  SmallVector<Value> words = loadRaw(handle, element, index);
  if (element.isF32())
    return words[0];
  ExactPolicy policy(b, loc);
  if (isTwoWords(element)) {
    Value low = policy.extendUnsigned(words[0], 64);
    Value high = policy.extendSigned(words[1], 64);
    Value bits = policy.orI(low, policy.shl(high, policy.l(32)));
    return element.isF64() ? policy.doubleOf(bits) : bits;
  }
  if (element.isInteger(32) &&
      *numerics::getValueKind(element) == ValueKind::Long)
    return policy.extendUnsigned(words[0], 64);
  Value bits = policy.extendUnsigned(words[0]);
  if (element.isF16() || element.isBF16())
    return numerics::decodeFloatCode(policy, bits, *elementFormatOf(element));
  if (element.isInteger(1))
    return policy.neI(bits, policy.i(0));
  auto integer = dyn_cast<IntegerType>(element);
  if (!integer || integer.isUnsigned() || integer.getWidth() == 32)
    return bits;
  return numerics::wrapInt(policy, bits, element);
}

/// The bits of `value` in an i32.
static Value encodeBits(ExactPolicy &policy, Value value, Type element) {
  if (element.isF16() || element.isBF16())
    return numerics::encodeFloatCode(policy, value, *elementFormatOf(element));
  if (element.isInteger(1))
    return policy.select(value, policy.i(1), policy.i(0));
  unsigned bits = element.getIntOrFloatBitWidth();
  if (bits < 8)
    return policy.andI(value, policy.i((1 << bits) - 1));
  return value;
}

Value Shader::roundTo(Value value, Type element) {
  if (!element.isF16() && !element.isBF16())
    return value;
  ExactPolicy policy(b, loc);
  ElementFormat format = *elementFormatOf(element);
  return numerics::decodeFloatCode(policy, encodeBits(policy, value, element),
                                   format);
}

void Shader::store(Value value, Value handle, Type element, Value index) {
  ExactPolicy policy(b, loc);
  if (value.getType().isF64())
    value = policy.bitsOf(value);
  if (value.getType().isInteger(64)) {
    SmallVector<Value> words{policy.truncate(value, 32)};
    if (isTwoWords(element))
      words.push_back(policy.truncate(policy.shrU(value, policy.l(32)), 32));
    return storeRaw(words, handle, element, index);
  }
  if (!element.isF32())
    value =
        policy.truncate(encodeBits(policy, value, element), wordBits(element));
  storeRaw(value, handle, element, index);
}

//===----------------------------------------------------------------------===//
// Control
//===----------------------------------------------------------------------===//

SmallVector<Value>
Shader::loop(Value low, Value high, Value step, ValueRange inits,
             llvm::function_ref<SmallVector<Value>(Value, ValueRange)> body) {
  auto loop = scf::ForOp::create(b, loc, low, high, step, inits);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  SmallVector<Value> next =
      body(loop.getInductionVar(), loop.getRegionIterArgs());
  if (inits.empty())
    b.setInsertionPoint(loop.getBody()->getTerminator());
  else
    scf::YieldOp::create(b, loc, next);
  return loop.getResults();
}

void Shader::loop(Value low, Value high, Value step,
                  llvm::function_ref<void(Value)> body) {
  loop(low, high, step, {}, [&](Value index, ValueRange) {
    body(index);
    return SmallVector<Value>();
  });
}

SmallVector<Value>
Shader::ifElse(Value condition, ValueRange otherwise,
               llvm::function_ref<SmallVector<Value>()> then) {
  auto op = scf::IfOp::create(b, loc, otherwise.getTypes(), condition,
                              /*addThenBlock=*/true, /*addElseBlock=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(op.thenBlock());
  SmallVector<Value> values = then();
  scf::YieldOp::create(b, loc, values);
  b.setInsertionPointToStart(op.elseBlock());
  scf::YieldOp::create(b, loc, otherwise);
  return op.getResults();
}

void Shader::ifThen(Value condition, llvm::function_ref<void()> then) {
  auto op = scf::IfOp::create(b, loc, condition, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(op.thenBlock());
  then();
}

//===----------------------------------------------------------------------===//
// The whole
//===----------------------------------------------------------------------===//

Value Shader::begin(Value count) {
  Type vector = VectorType::get({3}, b.getI32Type());
  OpBuilder top = OpBuilder::atBlockBegin(module->getBody());
  auto variable = spirv::GlobalVariableOp::create(
      top, loc,
      TypeAttr::get(
          spirv::PointerType::get(vector, spirv::StorageClass::Input)),
      top.getStringAttr("invocation"), FlatSymbolRefAttr());
  variable->setAttr("built_in", top.getStringAttr("GlobalInvocationId"));
  Value limit = host(count);
  b = entry;
  Value id = spirv::LoadOp::create(
      b, loc, spirv::AddressOfOp::create(b, loc, variable));
  auto part = [&](int32_t axis) {
    return spirv::CompositeExtractOp::create(b, loc, id, {axis});
  };
  Value x = part(0), y = part(1);
  Value index = add(mul(y, i32(kGroupSize * kGroupsPerRow)), x);
  auto op = scf::IfOp::create(b, loc, less(index, limit),
                              /*withElseRegion=*/false);
  entry.setInsertionPoint(op);
  b.setInsertionPointToStart(op.thenBlock());
  return index;
}

LogicalResult Shader::convert() {
  MLIRContext *context = module->getContext();
  SPIRVTypeConverter types(targetEnv(context));
  ScfToSPIRVContext scfContext;
  RewritePatternSet patterns(context);
  arith::populateArithToSPIRVPatterns(types, patterns);
  populateMathToSPIRVPatterns(types, patterns);
  populateSCFToSPIRVPatterns(types, scfContext, patterns);
  // Knows which ops need a capability that is not there, as those of OpenCL do.
  auto target = SPIRVConversionTarget::get(targetEnv(context));
  return applyFullConversion(*module, *target, std::move(patterns));
}

FailureOr<SmallVector<uint32_t>> Shader::finish() {
  OpBuilder end = OpBuilder::atBlockEnd(&function.getBody().front());
  spirv::ReturnOp::create(end, loc);
  if (failed(convert()))
    return failure();
  module->walk([&](Operation *op) {
    for (Type type : op->getResultTypes())
      features |= type.isInteger(64) ? kInt64 : type.isF64() ? kFloat64 : 0;
    if (isa<spirv::FAddOp, spirv::FSubOp, spirv::FMulOp>(op))
      op->setAttr("no_contraction", UnitAttr::get(op->getContext()));
  });
  OpBuilder top = OpBuilder::atBlockEnd(module->getBody());
  spirv::EntryPointOp::create(top, loc, spirv::ExecutionModel::GLCompute,
                              function,
                              ArrayRef<Attribute>{FlatSymbolRefAttr::get(
                                  top.getContext(), "invocation")});
  spirv::ExecutionModeOp::create(
      top, loc, function, spirv::ExecutionMode::LocalSize, {kGroupSize, 1, 1});
  PassManager pm(module->getContext(), spirv::ModuleOp::getOperationName());
  pm.addPass(spirv::createSPIRVUpdateVCEPass());
  SmallVector<uint32_t> code;
  if (failed(pm.run(*module)) || failed(spirv::serialize(*module, code)))
    return failure();
  return code;
}

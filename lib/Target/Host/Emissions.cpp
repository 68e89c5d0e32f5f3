//===- Emissions.cpp - Functions of launches that are alike ---------------===//
//
// Kernels ask whether dims are known and whether they are equal; both are told
// by numbers and by places in the list of all dims.
//
//===----------------------------------------------------------------------===//

#include "Emissions.h"
#include "dialects/QKernel/Transforms/KernelFunctions.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::host;

bool host::isConstantCapture(Value capture) {
  return capture.getDefiningOp<arith::ConstantOp>();
}

//===----------------------------------------------------------------------===//
// The functions of a launch
//===----------------------------------------------------------------------===//

static SmallVector<const void *> describe(ValueRange captures) {
  return llvm::map_to_vector(captures, [](Value capture) -> const void * {
    if (auto constant = capture.getDefiningOp<arith::ConstantOp>())
      return constant.getValue().getAsOpaquePointer();
    return capture.getType().getAsOpaquePointer();
  });
}

LLVM::LLVMFuncOp HostProgram::Emitted::find(size_t index, StringRef name,
                                            ValueRange captures) const {
  if (index >= functions.size() || functions[index].name != name ||
      functions[index].captures != describe(captures))
    return nullptr;
  return functions[index].function;
}

void HostProgram::Emitted::add(size_t index, StringRef name,
                               ValueRange captures, LLVM::LLVMFuncOp function) {
  if (index == functions.size())
    functions.push_back({function, name.str(), describe(captures)});
}

//===----------------------------------------------------------------------===//
// Launches that are alike
//===----------------------------------------------------------------------===//

namespace {
/// What a kernel can find out of the operands of a launch.
class LaunchKey {
public:
  explicit LaunchKey(Operation *kernel) { add(kernel); }

  void add(const void *unique) {
    words.push_back(reinterpret_cast<intptr_t>(unique));
  }
  /// Of each its number, or the first of all that it equals.
  void add(ArrayRef<Value> numbers) {
    for (Value value : numbers) {
      std::optional<int64_t> number = knownNumber(value);
      words.push_back(number.has_value());
      words.push_back(
          number ? *number
                 : places.insert({value, places.size()}).first->second);
    }
  }

  std::vector<int64_t> words;

private:
  llvm::DenseMap<Value, int64_t> places;
};
} // namespace

HostProgram::Emitted &HostProgram::Emissions::find(
    kernel::LaunchOp launch, Operation *kernel,
    llvm::function_ref<SmallVector<Value>(unsigned)> numbersOf) {
  LaunchKey key(kernel);
  key.add(launch.getStepAttr().getAsOpaquePointer());
  for (auto [i, operand] : llvm::enumerate(launch.getInputs())) {
    key.add(operand.getType().getAsOpaquePointer());
    SmallVector<Value> numbers = numbersOf(i);
    key.add(ArrayRef<Value>(numbers));
    // Short lists that are constants are numbers to kernels too.
    auto constant = operand.getDefiningOp<ConstantOp>();
    if (constant && kernel::isShortList(constant.getType()))
      key.add(constant.getValue().getAsOpaquePointer());
  }
  // What lies with slots is written otherwise.
  for (Type type : launch.getDestinations().getTypes())
    key.add(type.getAsOpaquePointer());
  return emitted[key.words];
}

std::string HostProgram::Emissions::makeName(StringRef kernel, StringRef name) {
  std::string symbol = (kernel + ".").str();
  for (char c : name)
    symbol += isalnum(static_cast<unsigned char>(c)) ? c : '_';
  int64_t number = counts[symbol]++;
  return number ? symbol + "." + std::to_string(number) : symbol;
}

//===- ProgramDescription.cpp - What a model says about itself --*- C++ -*-===//
//
// Mirrors the structs in lib/Runtime/Program.h and qopt_model.h field by field;
// all fields are pointers or 64-bit numbers, so there is no padding to match.
//
//===----------------------------------------------------------------------===//

#include "qopt/Emit/ProgramDescription.h"

#include "lib/Runtime/Program.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/DerivedTypes.h"
#include "llvm/IR/Module.h"

using namespace qopt;
using llvm::Constant;
using llvm::StringRef;

static_assert(sizeof(qopt_value_info) == 5 * 8 &&
                  sizeof(qopt_rt_tier) == 3 * 8 &&
                  sizeof(qopt_rt_program) == 11 * 8 &&
                  sizeof(qopt_rt_state) == 5 * 8,
              "buildProgramDescriptor writes these fields");

namespace {
/// Makes the constants of the tables.
class TableBuilder {
public:
  explicit TableBuilder(llvm::Module &module)
      : module(module), context(module.getContext()) {}

  Constant *number(int64_t value) {
    return llvm::ConstantInt::get(llvm::Type::getInt64Ty(context), value,
                                  /*IsSigned=*/true);
  }
  Constant *text(StringRef value) {
    return global(llvm::ConstantDataArray::getString(context, value));
  }
  Constant *record(llvm::ArrayRef<Constant *> fields) {
    return llvm::ConstantStruct::getAnon(context, fields);
  }
  /// A pointer to the elements, which have one type.
  Constant *array(llvm::ArrayRef<Constant *> elements) {
    if (elements.empty())
      return llvm::ConstantPointerNull::get(llvm::PointerType::get(context, 0));
    auto *type = llvm::ArrayType::get(elements[0]->getType(), elements.size());
    return global(llvm::ConstantArray::get(type, elements));
  }
  Constant *values(llvm::ArrayRef<ValueDescription> values);
  Constant *tiers(llvm::ArrayRef<TierDescription> tiers);
  Constant *states(llvm::ArrayRef<StateDescription> states);

private:
  Constant *global(Constant *value) {
    auto *variable = new llvm::GlobalVariable(
        module, value->getType(), /*isConstant=*/true,
        llvm::GlobalValue::PrivateLinkage, value, "table");
    // Not unnamed_addr: what nothing compares needs no merging either.
    return variable;
  }

  llvm::Module &module;
  llvm::LLVMContext &context;
};
} // namespace

Constant *TableBuilder::values(llvm::ArrayRef<ValueDescription> values) {
  llvm::SmallVector<Constant *> records;
  for (const ValueDescription &value : values) {
    llvm::SmallVector<Constant *> dims, symbols;
    for (auto [axis, dim] : llvm::enumerate(value.dims)) {
      dims.push_back(number(dim));
      symbols.push_back(
          text(axis < value.symbols.size() ? value.symbols[axis] : ""));
    }
    records.push_back(record({text(value.name), array(dims), array(symbols),
                              number(value.dims.size()),
                              number(static_cast<int64_t>(value.type))}));
  }
  return array(records);
}

Constant *TableBuilder::tiers(llvm::ArrayRef<TierDescription> tiers) {
  auto *type = llvm::FunctionType::get(llvm::Type::getInt32Ty(context),
                                       /*isVarArg=*/false);
  llvm::SmallVector<Constant *> records;
  for (const TierDescription &tier : tiers) {
    // Only the address is taken, so the parameters do not matter.
    auto *entry = llvm::cast<llvm::Function>(
        module.getOrInsertFunction(tier.entry, type).getCallee());
    entry->setVisibility(llvm::GlobalValue::HiddenVisibility);
    records.push_back(
        record({text(tier.name), entry, number(tier.requiredFeatures)}));
  }
  return array(records);
}

Constant *TableBuilder::states(llvm::ArrayRef<StateDescription> states) {
  llvm::SmallVector<Constant *> records;
  for (const StateDescription &state : states)
    records.push_back(
        record({number(state.input), number(state.output), number(state.axis),
                number(state.capacity), number(state.isAppended)}));
  return array(records);
}

void qopt::buildProgramDescriptor(llvm::Module &module,
                                  const ProgramDescription &description) {
  TableBuilder builder(module);
  Constant *program = builder.record(
      {builder.number(QOPT_RT_PROGRAM_VERSION), builder.text(description.name),
       builder.text(description.manifest),
       builder.number(description.inputs.size()),
       builder.values(description.inputs),
       builder.number(description.outputs.size()),
       builder.values(description.outputs),
       builder.number(description.tiers.size()),
       builder.tiers(description.tiers),
       builder.number(description.states.size()),
       builder.states(description.states)});
  auto *variable = new llvm::GlobalVariable(
      module, program->getType(), /*isConstant=*/true,
      llvm::GlobalValue::ExternalLinkage, program, "qopt_rt_program_desc");
  variable->setVisibility(llvm::GlobalValue::HiddenVisibility);
}

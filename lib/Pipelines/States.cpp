//===- States.cpp - Outputs that feed inputs of the next run --------------===//
//
// `present.0.key` is what `past_key_values.0.key` is next. What has such names
// and does not fit is no state; what a user names has to fit.
//
//===----------------------------------------------------------------------===//

#include "States.h"
#include "dialects/QKernel/IR/QKernelOps.h"
#include "dialects/QOpt/IR/States.h"
#include "qopt/Support/CodedError.h"
#include "llvm/ADT/STLExtras.h"

using namespace qopt;
using llvm::StringRef;

/// What follows `present` or `past` in the names that exporters give.
static std::optional<StringRef> dropPrefix(StringRef name,
                                           llvm::ArrayRef<StringRef> prefixes) {
  for (StringRef prefix : prefixes)
    if (name.consume_front(prefix))
      return name;
  return std::nullopt;
}

static std::optional<size_t> findName(llvm::ArrayRef<ValueDescription> values,
                                      StringRef name) {
  for (auto [index, value] : llvm::enumerate(values))
    if (value.name == name)
      return index;
  return std::nullopt;
}

static StringRef symbolOf(const ValueDescription &value, size_t axis) {
  return axis < value.symbols.size() ? StringRef(value.symbols[axis])
                                     : StringRef();
}

/// Whether an input beside `index` has a dim of this name: then it is no
/// length.
static bool isDimOfOthers(const ProgramDescription &program, size_t index,
                          StringRef symbol) {
  for (auto [i, value] : llvm::enumerate(program.inputs))
    if (i != index && value.dims.size() != program.inputs[index].dims.size() &&
        llvm::is_contained(value.symbols, symbol))
      return true;
  return false;
}

namespace {
/// The axis that grows, or why the two are no state.
struct Fit {
  int64_t axis = -1;
  std::string problem;
};
} // namespace

static Fit fit(const ProgramDescription &program, size_t output, size_t input) {
  const ValueDescription &from = program.outputs[output];
  const ValueDescription &to = program.inputs[input];
  if (from.type != to.type || from.dims.size() != to.dims.size())
    return {-1, "they differ in rank or type of elements"};
  llvm::SmallVector<int64_t> growing;
  for (size_t axis = 0; axis < to.dims.size(); ++axis) {
    StringRef before = symbolOf(to, axis), behind = symbolOf(from, axis);
    if (to.dims[axis] >= 0 && from.dims[axis] == to.dims[axis])
      continue;
    if (to.dims[axis] >= 0 && from.dims[axis] >= 0)
      return {-1, "they differ in dim " + std::to_string(axis)};
    bool isSame = to.dims[axis] < 0 && !before.empty() && before == behind;
    bool isShared = !before.empty() && isDimOfOthers(program, input, before);
    if (to.dims[axis] < 0 && !isSame && !isShared)
      growing.push_back(axis);
  }
  if (growing.size() > 1)
    return {-1, "more than one of their dims may grow"};
  return {growing.empty() ? -1 : growing.front(), ""};
}

static void addByName(ProgramDescription &program, int64_t capacity) {
  for (auto [index, output] : llvm::enumerate(program.outputs)) {
    auto rest = dropPrefix(output.name, {"present_key_values", "present"});
    if (!rest)
      continue;
    for (StringRef prefix : {"past_key_values", "past"}) {
      auto input = findName(program.inputs, (prefix + *rest).str());
      if (!input)
        continue;
      Fit found = fit(program, index, *input);
      if (found.problem.empty())
        program.states.push_back({static_cast<int64_t>(*input),
                                  static_cast<int64_t>(index), found.axis,
                                  capacity});
      break;
    }
  }
}

/// The state that the scales of the state `text` are, which is kept in codes;
/// empty where it has none.
static std::string findScales(const ProgramDescription &program,
                              StringRef text) {
  auto [from, to] = text.split('=');
  std::string found;
  for (unsigned number = 0;; ++number) {
    std::string output = makeScaleName(from, number),
                input = makeScaleName(to, number);
    bool isOutput = findName(program.outputs, output).has_value();
    bool isInput = findName(program.inputs, input).has_value();
    // Names of others come before those that were made.
    if (!isOutput && !isInput)
      return found;
    if (isOutput && isInput)
      found = output + "=" + input;
  }
}

/// Whether `text` names the scales that a state is to have when it is kept in
/// codes.
static bool namesScales(const ProgramDescription &program, StringRef text) {
  auto [from, to] = text.split('=');
  auto isOf = [](StringRef scales) {
    return [scales](const ValueDescription &value) {
      return makeScaleName(value.name, 0) == scales;
    };
  };
  return llvm::any_of(program.outputs, isOf(from)) &&
         llvm::any_of(program.inputs, isOf(to));
}

static llvm::Error addNamed(ProgramDescription &program, StringRef text,
                            int64_t capacity) {
  auto [from, to] = text.split('=');
  auto output = findName(program.outputs, from);
  auto input = findName(program.inputs, to);
  if (!output || !input)
    return makeError(ExitCode::BadUse,
                     "--state expects OUTPUT=INPUT, but found '" + text +
                         "': the model has no " +
                         (output ? "input \"" + to : "output \"" + from) +
                         "\"" +
                         (namesScales(program, text)
                              ? "\nnote: leave it out: the scales of a state "
                                "that is kept in codes follow by themselves"
                              : ""));
  auto isTaken = [&](const StateDescription &state) {
    return state.input == static_cast<int64_t>(*input) ||
           state.output == static_cast<int64_t>(*output);
  };
  llvm::erase_if(program.states, isTaken);
  Fit found = fit(program, *output, *input);
  if (!found.problem.empty())
    return makeError(ExitCode::BadUse,
                     "--state '" + text + "': " + found.problem);
  program.states.push_back({static_cast<int64_t>(*input),
                            static_cast<int64_t>(*output), found.axis,
                            capacity});
  return llvm::Error::success();
}

llvm::Error qopt::findStates(ProgramDescription &program,
                             const StateOptions &options) {
  addByName(program, options.capacity);
  for (StringRef text : options.named) {
    if (llvm::Error error = addNamed(program, text, options.capacity))
      return error;
    if (std::string scales = findScales(program, text); !scales.empty())
      if (llvm::Error error = addNamed(program, scales, options.capacity))
        return error;
  }
  for (StateDescription &state : program.states)
    state.isAppended = llvm::is_contained(options.appended, state.output);
  return llvm::Error::success();
}

/// What the argument of a state is marked with.
static mlir::Attribute makeMark(mlir::MLIRContext *context,
                                const StateDescription &state) {
  return mlir::DenseI64ArrayAttr::get(context, {state.output, state.axis});
}

void qopt::markStates(mlir::func::FuncOp main,
                      llvm::ArrayRef<StateDescription> states) {
  for (unsigned i = 0; i < main.getNumArguments(); ++i)
    main.removeArgAttr(i, kStateAttrName);
  for (const StateDescription &state : states)
    if (state.axis >= 0)
      main.setArgAttr(state.input, kStateAttrName,
                      makeMark(main.getContext(), state));
}

llvm::Error qopt::checkAppended(mlir::ModuleOp module,
                                const ProgramDescription &program) {
  llvm::SmallVector<int32_t> appended = findAppended(module);
  for (auto variant : module.getOps<kernel::VariantOp>()) {
    auto main = variant.lookupSymbol<mlir::func::FuncOp>("main");
    for (const StateDescription &state : program.states)
      if (llvm::is_contained(appended, state.output) &&
          main.getArgAttr(state.input, kStateAttrName) !=
              makeMark(module.getContext(), state))
        return makeError(
            ExitCode::BadUse,
            "output \"" + program.outputs[state.output].name +
                "\" goes on from another input than \"" +
                program.inputs[state.input].name +
                "\" in the program of the phase file\nnote: give --state as "
                "where the file was made");
  }
  return llvm::Error::success();
}

llvm::SmallVector<int32_t> qopt::findAppended(mlir::ModuleOp module) {
  llvm::SmallVector<int32_t> outputs;
  module.walk([&](kernel::AppendMemoryOp op) {
    outputs.push_back(static_cast<int32_t>(op.getIndex()));
  });
  return outputs;
}

//===- CheckOptions.cpp - Flags that exclude each other -------------------===//
//
// Everything that can be told of without reading a model is told of first.
//
//===----------------------------------------------------------------------===//

#include "Compilation.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace mlir;
using namespace qopt;

static std::string describe(EmitKind emit) {
  switch (emit) {
  case EmitKind::Shared:
    return "a shared library";
  case EmitKind::Object:
    return "an object file";
  case EmitKind::LLVMIR:
    return "a file of LLVM IR";
  case EmitKind::Assembly:
    return "a file of assembly";
  case EmitKind::QdqOnnx:
    return "an ONNX model";
  }
  llvm_unreachable("an unknown form");
}

llvm::Error Compilation::checkOptions() {
  backend = options.target.empty() ? targets.findDefault()
                                   : targets.find(options.target);
  if (!backend) {
    std::string names;
    for (const auto &known : targets.backends())
      names += (names.empty() ? "" : ", ") + known->getName().str();
    return makeError(ExitCode::BadUse, "unknown target '" + options.target +
                                           "'; the targets are " + names);
  }
  if (llvm::Error error = chooseConfigs())
    return error;
  bool isOnnx = options.emit == EmitKind::QdqOnnx;
  if (isOnnx && !options.cpus.empty())
    return makeError(ExitCode::BadUse,
                     "--emit=qdq-onnx writes a model for any machine, so --cpu "
                     "means nothing\nnote: leave one of them out");
  if (options.emit != EmitKind::Shared && !isOnnx && configs.size() != 1)
    return makeError(ExitCode::BadUse,
                     describe(options.emit) + " holds one tier, but " +
                         llvm::Twine(configs.size()) + " were named");
  if (options.startFrom && options.stopAfter &&
      *options.stopAfter <= *options.startFrom)
    return makeError(ExitCode::BadUse, "nothing is left to do from " +
                                           getName(*options.startFrom) +
                                           " to " +
                                           getName(*options.stopAfter));
  if (llvm::Error error = checkStop())
    return error;
  if (isOnnx && options.startFrom && *options.startFrom >= Phase::Quantize)
    return makeError(ExitCode::BadUse,
                     "--emit=qdq-onnx takes the program before its ops work on "
                     "codes\nnote: start from the model, or from a file of a "
                     "phase before quantize");
  if (options.startFrom && !options.shapes.empty())
    return makeError(ExitCode::BadUse,
                     "--shapes fixes dims when a model is imported, and "
                     "--start-from goes on after that\n"
                     "note: give --shapes where the phase file is made");
  if (options.accuracyGate && options.startFrom &&
      *options.startFrom > Phase::Import)
    return makeError(
        ExitCode::BadUse,
        "the accuracy gate compares with the float model; start from "
        "the model or from a file of phase import");
  for (const std::string &input : {options.model, options.calibration})
    if (!input.empty() && llvm::sys::fs::equivalent(options.output, input))
      return makeError(ExitCode::BadUse,
                       "the output '" + options.output +
                           "' is an input; name another file");
  return checkOutputName();
}

/// What ends early may not be asked for what comes later.
llvm::Error Compilation::checkStop() {
  auto refuse = [&](const llvm::Twine &flag, const llvm::Twine &why,
                    const llvm::Twine &note) {
    return makeError(ExitCode::BadUse,
                     flag + " and --stop-after=" + getName(*options.stopAfter) +
                         " exclude each other: " + why + "\nnote: " + note);
  };
  if (options.emit == EmitKind::QdqOnnx && options.failOnFallback == "slow")
    return makeError(ExitCode::BadUse,
                     "--fail-on-fallback=slow is about kernels, and "
                     "--emit=qdq-onnx makes none\n"
                     "note: give --fail-on-fallback or --fail-on-fallback=any");
  if (!options.stopAfter)
    return llvm::Error::success();
  if (options.namesCode)
    return refuse("--emit", "the program after a phase is MLIR",
                  "leave one of them out");
  if (options.accuracyGate && *options.stopAfter < Phase::Quantize)
    return refuse("--accuracy-gate", "accuracy is measured in quantize",
                  "stop after quantize or later");
  if (!options.failOnFallback.empty() && *options.stopAfter < Phase::Kernels)
    return refuse("--fail-on-fallback", "precisions are checked in kernels",
                  "stop after kernels");
  return llvm::Error::success();
}

/// Every tier once, the least demanding first.
llvm::Error Compilation::chooseConfigs() {
  ArrayRef<Machine> known = backend->getMachines();
  std::vector<std::string> cpus = options.cpus;
  if (cpus.empty())
    cpus = {"native"};
  SmallVector<const Machine *> asked;
  for (StringRef cpu : cpus) {
    asked.push_back(cpu == "native" ? &findNativeMachine()
                                    : backend->findMachine(cpu));
    if (asked.back())
      continue;
    auto names = llvm::map_range(
        known, [](const Machine &machine) { return machine.name; });
    return makeError(ExitCode::BadUse,
                     backend->getName() + " has no machine \"" + cpu +
                         "\"; known are " + llvm::join(names, ", "));
  }
  for (const Machine &machine : known)
    if (llvm::is_contained(asked, &machine))
      configs.push_back({machine.name.str()});
  return llvm::Error::success();
}

/// A name that promises another form is a flag that was forgotten.
llvm::Error Compilation::checkOutputName() const {
  StringRef extension = llvm::sys::path::extension(options.output);
  bool isOnnx = options.emit == EmitKind::QdqOnnx && !options.stopAfter;
  if (extension == ".onnx" && !isOnnx)
    return makeError(ExitCode::BadUse,
                     options.output + ": is the name of an ONNX model, but " +
                         describe(options.emit) +
                         " is asked for\nnote: give --emit=qdq-onnx, or a name "
                         "that does not end in .onnx");
  if (extension == ".mlir" && !options.stopAfter)
    return makeError(ExitCode::BadUse,
                     options.output +
                         ": is the name of a program of a phase, "
                         "but " +
                         describe(options.emit) +
                         " is asked for\nnote: give --stop-after=PHASE, or a "
                         "name that does not end in .mlir");
  return llvm::Error::success();
}

/// The best machine that is here, or the target's baseline.
const Machine &Compilation::findNativeMachine() const {
  const Machine *best = backend->findBestHere();
  return best ? *best : backend->getMachines().front();
}

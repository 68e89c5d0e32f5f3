//===- RunDescribe.cpp - What a program says of itself --------------------===//
//
// In text a dim of any size is its symbol, or `?`.
//
//===----------------------------------------------------------------------===//

#include "RunDescribe.h"

#include "qopt/Execution/DescribeModel.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/raw_ostream.h"

using namespace qopt;
using llvm::StringRef;

llvm::json::Object qopt::describeProgram(const RunProgram &program) {
  llvm::json::Object description = program.describe();
  description["inputs"] = describeValues(program.getInputs());
  description["outputs"] = describeValues(program.getOutputs());
  return description;
}

static void printValues(StringRef title, llvm::ArrayRef<ModelValue> values,
                        llvm::raw_ostream &os) {
  os << title << ":\n";
  for (const ModelValue &value : values) {
    os << "  " << value.name << ": ";
    for (auto [dim, symbol] : llvm::zip_equal(value.dims, value.symbols)) {
      if (dim >= 0)
        os << dim << "x";
      else
        os << (symbol.empty() ? "?" : symbol) << "x";
    }
    os << getName(value.type) << "\n";
  }
}

void qopt::printDescription(const RunProgram &program, bool isJson,
                            llvm::raw_ostream &os) {
  if (isJson) {
    os << llvm::json::Value(describeProgram(program)) << "\n";
    return;
  }
  printValues("inputs", program.getInputs(), os);
  printValues("outputs", program.getOutputs(), os);
  llvm::json::Object more = program.describe();
  if (llvm::json::Array *tiers = more.getArray("tiers")) {
    os << "tiers:\n";
    for (const llvm::json::Value &value : *tiers) {
      const llvm::json::Object &tier = *value.getAsObject();
      os << "  " << *tier.getString("name")
         << (*tier.getBoolean("chosen") ? " (runs here)" : "") << ": "
         << *tier.getString("reason") << "\n";
    }
  }
  if (llvm::json::Value *manifest = more.get("manifest"))
    os << "manifest:\n" << llvm::formatv("{0:2}", *manifest) << "\n";
}

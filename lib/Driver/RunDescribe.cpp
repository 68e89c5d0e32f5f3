//===- RunDescribe.cpp - What a program says of itself --------------------===//
//
// In text a dim of any size is its symbol, or `?`. The text fits on a screen;
// JSON has everything.
//
//===----------------------------------------------------------------------===//

#include "RunDescribe.h"

#include "qopt/Execution/DescribeModel.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/raw_ostream.h"
#include <map>

using namespace qopt;
using llvm::StringRef;

/// Models with caches have dozens of inputs.
static constexpr size_t kMaxShownValues = 8;

llvm::json::Object qopt::describeProgram(const RunProgram &program) {
  llvm::json::Object description = program.describe();
  description["inputs"] = describeValues(program.getInputs());
  description["outputs"] = describeValues(program.getOutputs());
  return description;
}

static void printValues(StringRef title, llvm::ArrayRef<ModelValue> values,
                        llvm::raw_ostream &os) {
  os << title << ":\n";
  for (const ModelValue &value : values.take_front(kMaxShownValues)) {
    os << "  " << value.name << ": ";
    for (auto [dim, symbol] : llvm::zip_equal(value.dims, value.symbols)) {
      if (dim >= 0)
        os << dim << "x";
      else
        os << (symbol.empty() ? "?" : symbol) << "x";
    }
    os << getName(value.type) << "\n";
  }
  if (values.size() > kMaxShownValues)
    os << "  and " << values.size() - kMaxShownValues << " more\n";
}

/// How many nodes have which precision, the most frequent first.
static void printContract(const llvm::json::Array &rows,
                          llvm::raw_ostream &os) {
  std::map<std::string, int64_t> counts;
  for (const llvm::json::Value &value : rows) {
    StringRef realised;
    if (const llvm::json::Object *row = value.getAsObject())
      realised = row->getString("realised").value_or("");
    ++counts[realised.starts_with("inside ") ? "inside another"
                                             : realised.str()];
  }
  std::vector<std::pair<std::string, int64_t>> sorted(counts.begin(),
                                                      counts.end());
  llvm::stable_sort(
      sorted, [](const auto &a, const auto &b) { return a.second > b.second; });
  os << "nodes: " << rows.size();
  StringRef separator = ": ";
  for (auto &[realised, count] : sorted) {
    os << separator << count << " " << realised;
    separator = ", ";
  }
  os << "\n";
}

/// Who made the model, of what and for what.
static void printOrigin(const llvm::json::Object &description,
                        const llvm::json::Object &manifest,
                        llvm::raw_ostream &os) {
  os << "model: " << description.getString("name").value_or("");
  if (auto version = manifest.getString("qopt"))
    os << ", compiled by qopt " << *version;
  if (auto target = manifest.getString("target"))
    os << " for " << *target;
  if (auto preset = manifest.getString("preset"); preset && !preset->empty())
    os << ", preset " << *preset;
  os << "\n";
}

void qopt::printDescription(const RunProgram &program, bool isJson,
                            llvm::raw_ostream &os) {
  if (isJson) {
    os << llvm::json::Value(describeProgram(program)) << "\n";
    return;
  }
  llvm::json::Object more = program.describe();
  const llvm::json::Object *manifest = more.getObject("manifest");
  if (manifest)
    printOrigin(more, *manifest, os);
  printValues("inputs", program.getInputs(), os);
  printValues("outputs", program.getOutputs(), os);
  if (llvm::json::Array *tiers = more.getArray("tiers")) {
    os << "tiers:\n";
    for (const llvm::json::Value &value : *tiers) {
      const llvm::json::Object &tier = *value.getAsObject();
      os << "  " << *tier.getString("name")
         << (*tier.getBoolean("chosen") ? " (runs here)" : "") << ": "
         << *tier.getString("reason") << "\n";
    }
  }
  if (!manifest)
    return;
  if (const llvm::json::Array *contract = manifest->getArray("contract"))
    printContract(*contract, os);
  os << "--describe --json prints the recipe and what became of each node\n";
}

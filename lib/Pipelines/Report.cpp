//===- Report.cpp - What was done to the numbers --------------------------===//
//
// The HTML is one file without scripts, so that it can be mailed and archived.
//
//===----------------------------------------------------------------------===//

#include "qopt/Pipelines/Report.h"
#include "qopt/Support/AtomicFile.h"
#include "qopt/Support/CodedError.h"
#include "qopt/Support/Json.h"
#include "qopt/Support/Version.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/Path.h"

using namespace qopt;
namespace json = llvm::json;

int64_t Report::countPlanned(const OverrideMatch &match) const {
  return llvm::count_if(contract.getRows(), [&](const ContractRow &row) {
    return row.isPlanned && llvm::is_contained(match.nodes, row.id);
  });
}

std::string Report::describeOverrides() const {
  std::string text;
  llvm::raw_string_ostream os(text);
  for (const OverrideMatch &match : overrides) {
    int64_t planned = countPlanned(match);
    os << "override '" << match.pattern << "': " << match.nodes.size()
       << " nodes, " << planned << " of them products or tables"
       << (planned ? "" : ": it changes nothing") << "\n";
  }
  return text;
}

json::Value Report::toJson() const {
  json::Object codes;
  for (auto &[type, size] : contract.getBytes().codes)
    codes[type] = size;
  json::Object bytes{{"codes", std::move(codes)},
                     {"scales", contract.getBytes().scales},
                     {"float", contract.getBytes().floats},
                     {"total", contract.getBytes().total()},
                     {"artefact", artefactBytes}};
  json::Object macs;
  for (auto &[precision, share] : contract.shareOfMacs())
    macs[precision] = share;
  json::Array errorRows, rangeRows, costRows, accuracyRows;
  for (const OutputAccuracy &row : accuracy.outputs) {
    json::Object object = describeDistance(row);
    object["output"] = row.output;
    object["samples"] = accuracy.samples;
    object["fitted"] = accuracy.isOnFitted;
    accuracyRows.push_back(std::move(object));
  }
  for (const TensorError &row : errors)
    errorRows.push_back(
        json::Object{{"node", row.node},
                     {"tensor", row.tensor},
                     {"format", row.format},
                     {"sqnr_db", finiteOrNull(row.sqnrInDecibels)},
                     {"cosine", row.cosine}});
  for (const TensorRange &row : ranges)
    rangeRows.push_back(json::Object{{"node", row.node},
                                     {"min", row.min},
                                     {"max", row.max},
                                     {"samples", row.samples}});
  for (const PhaseCost &row : costs)
    costRows.push_back(
        json::Object{{"phase", row.phase}, {"seconds", row.seconds}});
  json::Array rescaledRows;
  for (const RescaledLayer &row : rescaled)
    rescaledRows.push_back(
        json::Object{{"node", row.node},
                     {"transform", row.transform},
                     {"rule", row.rule},
                     {"smallest_factor", row.smallestFactor},
                     {"largest_factor", row.largestFactor},
                     {"gain_db", finiteOrNull(row.gainInDecibels)}});
  json::Array overrideRows;
  for (const OverrideMatch &match : overrides)
    overrideRows.push_back(
        json::Object{{"pattern", match.pattern},
                     {"nodes", int64_t(match.nodes.size())},
                     {"planned", int64_t(countPlanned(match))}});
  return json::Object{{"version", kReportVersion},
                      {"qopt", getVersion()},
                      {"model", model},
                      {"preset", recipe.preset},
                      {"recipe", writeRecipe(recipe)},
                      {"target", target},
                      {"tiers", json::Array(tiers)},
                      {"contract", contract.toJson()},
                      {"overrides", std::move(overrideRows)},
                      {"macs", std::move(macs)},
                      {"bytes", std::move(bytes)},
                      {"ranges", std::move(rangeRows)},
                      {"rescaled", std::move(rescaledRows)},
                      {"errors", std::move(errorRows)},
                      {"accuracy", std::move(accuracyRows)},
                      {"refused", refusal.empty() ? json::Value(nullptr)
                                                  : json::Value(refusal)},
                      {"warnings", json::Array(warnings)},
                      {"compile_seconds", std::move(costRows)}};
}

/// What runs a node, on each machine where these differ.
static std::string describeKernels(const ContractRow &row) {
  auto isSame = [&](const auto &entry) { return entry.second == row.kernel; };
  if (llvm::all_of(row.kernels, isSame))
    return row.kernel;
  std::string text;
  for (auto &[machine, kernel] : row.kernels)
    text += (text.empty() ? "" : ", ") + machine + ": " + kernel;
  return text;
}

static std::string escape(llvm::StringRef text) {
  std::string escaped;
  for (char c : text)
    switch (c) {
    case '<':
      escaped += "&lt;";
      break;
    case '>':
      escaped += "&gt;";
      break;
    case '&':
      escaped += "&amp;";
      break;
    case '"':
      escaped += "&quot;";
      break;
    default:
      escaped += c;
    }
  return escaped;
}

std::string Report::toHtml() const {
  std::string text;
  llvm::raw_string_ostream os(text);
  os << "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>"
     << escape(model) << " as " << escape(recipe.preset)
     << "</title><style>body{font:14px sans-serif;margin:2em}"
        "table{border-collapse:collapse}td,th{border:1px solid #ccc;"
        "padding:2px 8px;text-align:left}tr.breach,.refused{background:#fdd}"
        "</style></head><body><h1>"
     << escape(model) << " as " << escape(recipe.preset) << "</h1>";
  if (!refusal.empty())
    os << "<h2 class=\"refused\">Refused</h2><pre>" << escape(refusal)
       << "</pre>";
  os << "<pre>"
     << escape(contract.summarize() + describeOverrides() + accuracy.describe())
     << "</pre>";
  if (!warnings.empty())
    os << "<h2>Warnings</h2><ul>";
  for (const std::string &warning : warnings)
    os << "<li>" << escape(warning);
  if (!warnings.empty())
    os << "</ul>";
  os << "<h2>Contract</h2><table><tr>"
     << "<th>node<th>op<th>asked<th>planned<th>realised<th>kernel<th>reason</"
        "tr>";
  for (const ContractRow &row : contract.getRows()) {
    const std::string kernels = describeKernels(row);
    os << (row.realised == row.planned ? "<tr>" : "<tr class=\"breach\">");
    for (const std::string *cell :
         {&row.node, &row.op, &row.asked, &row.planned, &row.realised, &kernels,
          &row.reason})
      os << "<td>" << escape(*cell);
    os << "</tr>";
  }
  os << "</table><h2>Quantized tensors</h2><table><tr><th>node<th>tensor"
        "<th>format<th>SQNR (dB)<th>cosine</tr>";
  for (const TensorError &row : errors)
    os << "<tr><td>" << escape(row.node) << "<td>" << escape(row.tensor)
       << "<td>" << escape(row.format) << "<td>"
       << llvm::format("%.1f", row.sqnrInDecibels) << "<td>"
       << (row.cosine ? llvm::formatv("{0:f6}", *row.cosine).str() : "")
       << "</tr>";
  os << "</table><h2>Rescaled layers</h2><table><tr><th>node<th>transform"
        "<th>rule<th>smallest factor<th>largest factor<th>predicted gain "
        "(dB)</tr>";
  for (const RescaledLayer &row : rescaled)
    os << "<tr><td>" << escape(row.node) << "<td>" << escape(row.transform)
       << "<td>" << escape(row.rule) << "<td>" << row.smallestFactor << "<td>"
       << row.largestFactor << "<td>"
       << llvm::format("%.1f", row.gainInDecibels) << "</tr>";
  os << "</table><h2>Calibrated ranges</h2><table><tr><th>node<th>min<th>max"
        "<th>samples</tr>";
  for (const TensorRange &row : ranges)
    os << "<tr><td>" << escape(row.node) << "<td>" << row.min << "<td>"
       << row.max << "<td>" << row.samples << "</tr>";
  os << "</table><h2>Compilation</h2><table><tr><th>phase<th>seconds</tr>";
  for (const PhaseCost &row : costs)
    os << "<tr><td>" << row.phase << "<td>" << llvm::format("%.3f", row.seconds)
       << "</tr>";
  os << "</table></body></html>\n";
  return text;
}

llvm::Error Report::makeFolder(llvm::StringRef folder) {
  if (std::error_code code = llvm::sys::fs::create_directories(folder))
    return makeError(ExitCode::NoResource, "cannot make report folder '" +
                                               folder + "': " + code.message());
  if (!llvm::sys::fs::can_write(folder) || !llvm::sys::fs::is_directory(folder))
    return makeError(ExitCode::NoResource,
                     "cannot write into report folder '" + folder + "'");
  return llvm::Error::success();
}

llvm::Error Report::write(llvm::StringRef folder) const {
  if (llvm::Error error = makeFolder(folder))
    return error;
  auto pathOf = [&](llvm::StringRef name) {
    llvm::SmallString<128> path(folder);
    llvm::sys::path::append(path, name);
    return std::string(path);
  };
  std::string text;
  llvm::raw_string_ostream(text) << llvm::formatv("{0:2}\n", toJson());
  if (llvm::Error error = writeFileAtomically(pathOf("report.json"), text))
    return error;
  return writeFileAtomically(pathOf("report.html"), toHtml());
}

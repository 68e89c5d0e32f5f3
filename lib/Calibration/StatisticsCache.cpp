//===- StatisticsCache.cpp - Statistics that are known already ------------===//
//
// An entry is a line with the hash of what follows, and the statistics as text:
// the text of a float in MLIR gives its bits back.
//
//===----------------------------------------------------------------------===//

#include "qopt/Calibration/StatisticsCache.h"
#include "mlir/AsmParser/AsmParser.h"
#include "qopt/Support/AtomicFile.h"
#include "qopt/Support/CodedError.h"
#include "qopt/Support/Digest.h"
#include "qopt/Support/MappedFile.h"
#include "qopt/Support/Version.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace mlir;
using namespace qopt;

/// Changes when an entry is written or computed in another way.
static constexpr llvm::StringLiteral kMagic = "qopt-statistics 4 ";

llvm::Expected<StatisticsCache>
StatisticsCache::open(llvm::StringRef folder, ModuleOp module,
                      const CalibrationData &data, RangeOptions options) {
  if (std::error_code code = llvm::sys::fs::create_directories(folder))
    return makeError(ExitCode::NoResource, folder + ": " + code.message());
  std::string key;
  llvm::raw_string_ostream os(key);
  os << kMagic << getVersion() << ' ' << static_cast<int>(options.rule) << ' '
     << llvm::format_hex(llvm::bit_cast<uint64_t>(options.percentile), 18)
     << ' ' << options.isPow2 << '\n';
  for (const std::string &file : data.files) {
    auto sample = MappedFile::open(file);
    if (!sample)
      return sample.takeError();
    os << formatDigest(computeSha256(sample->getText())) << '\n';
  }
  module.print(os, OpPrintingFlags().enableDebugInfo(false));
  llvm::SmallString<128> path(folder);
  llvm::sys::path::append(path, formatDigest(computeSha256(key)) + ".qstats");
  return StatisticsCache(path.str().str());
}

bool StatisticsCache::load(llvm::ArrayRef<Value> values) const {
  auto file = MappedFile::open(path);
  if (!file) {
    llvm::consumeError(file.takeError());
    return false;
  }
  auto [line, body] = file->getText().split('\n');
  if (values.empty() || !line.consume_front(kMagic) ||
      line != formatDigest(computeSha256(body)))
    return false;
  auto entries =
      dyn_cast_or_null<ArrayAttr>(parseAttribute(body, values[0].getContext()));
  if (!entries || entries.size() != values.size() ||
      !llvm::all_of(entries, llvm::IsaPred<DictionaryAttr, UnitAttr>))
    return false;
  for (auto [value, entry] : llvm::zip_equal(values, entries))
    setStatisticsAttr(value, dyn_cast<DictionaryAttr>(entry));
  return true;
}

llvm::Error StatisticsCache::store(llvm::ArrayRef<Value> values) const {
  if (values.empty())
    return llvm::Error::success();
  MLIRContext *context = values[0].getContext();
  auto entries = llvm::map_to_vector(values, [&](Value value) -> Attribute {
    // A value that no sample reached has none.
    DictionaryAttr dictionary = getStatisticsAttr(value);
    return dictionary ? Attribute(dictionary) : UnitAttr::get(context);
  });
  std::string body;
  llvm::raw_string_ostream(body) << ArrayAttr::get(context, entries);
  return writeFileAtomically(
      path, (kMagic + formatDigest(computeSha256(body)) + "\n" + body).str());
}

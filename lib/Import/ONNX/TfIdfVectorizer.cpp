//===- TfIdfVectorizer.cpp - Sequences of numbers, counted ----------------===//
//
// Every sequence is held against every place: slow for many sequences, but one
// text for all lengths and gaps.
//
//===----------------------------------------------------------------------===//

#include "Composer.h"
#include "Operators.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::importer;

namespace {
/// The sequences of one length, one behind the other, and where the first of
/// them stands among all.
struct Sequences {
  int64_t length, first;
  ArrayRef<int64_t> numbers;

  int64_t count() const { return numbers.size() / length; }
};
} // namespace

/// How often each sequence is in `x`, [rows, size], with `skip` elements
/// between its elements: [rows, sequences].
static Value countSequences(Composer &c, Value x, const Sequences &sequences,
                            int64_t skip) {
  Type word = c.getNode().getBuilder().getI64Type();
  int64_t reach = (sequences.length - 1) * (skip + 1);
  Value places = c.of<MaxOp>(c.sub(c.dimOf(x, 1), double(reach)), 0.0);
  Value all;
  for (int64_t i = 0; i < sequences.length; ++i) {
    SmallVector<int64_t> wanted;
    for (int64_t j = 0; j < sequences.count(); ++j)
      wanted.push_back(sequences.numbers[j * sequences.length + i]);
    Value start = c.integers(i * (skip + 1));
    Value part = c.unsqueeze(c.slice(x, 1, start, c.add(start, places)), 2);
    Value fits = c.test<EqualOp>(part, c.integers(wanted));
    all = all ? c.of<AndOp>(all, fits) : fits;
  }
  return all ? c.reduce(ReduceKind::Sum, c.cast(all, word), 1,
                        /*keepDims=*/false)
             : Value();
}

static LogicalResult importTfIdfVectorizer(NodeImporter &node) {
  Composer c(node);
  Type word = node.getBuilder().getI64Type(),
       f32 = node.getBuilder().getF32Type();
  Value x = node.getInput(0);
  std::string mode = node.getString("mode", "");
  int64_t shortest = node.getInt("min_gram_length", 1);
  int64_t longest = node.getInt("max_gram_length", 1);
  int64_t mostSkips = node.getInt("max_skip_count", 0);
  SmallVector<int64_t> starts = node.getInts("ngram_counts");
  SmallVector<int64_t> places = node.getInts("ngram_indexes");
  SmallVector<int64_t> pool = node.getInts("pool_int64s");
  SmallVector<float> weights = node.getFloats("weights");
  if (node.hasAttribute("pool_strings"))
    return node.fail(unsupported("strings are not supported"));
  if (mode != "TF" && mode != "IDF" && mode != "TFIDF")
    return node.fail(
        malformed("attribute \"mode\" has no value " + quote(mode)));
  if (failed(node.expectIndices(x, "X")))
    return failure();
  bool isRow = getRank(x) == 1;
  constexpr int64_t most = 1 << 20;
  if (getRank(x) < 1 || getRank(x) > 2 || shortest < 1 || longest < shortest ||
      mostSkips < 0 || mostSkips > 64 || int64_t(pool.size()) > most)
    return node.fail(
        malformed("expects X of rank 1 or 2, lengths from 1 on and "
                  "up to 64 skips"));
  // Sequences of length n are those from starts[n - 1] on.
  SmallVector<Sequences> groups;
  int64_t total = 0;
  for (size_t i = 0; i < starts.size(); ++i) {
    int64_t end = i + 1 < starts.size() ? starts[i + 1] : pool.size();
    int64_t length = i + 1;
    if (starts[i] < 0 || end < starts[i] || end > int64_t(pool.size()) ||
        (end - starts[i]) % length != 0)
      return node.fail(malformed("expects ngram_counts that cut the pool into "
                                 "sequences"));
    groups.push_back(
        {length, total, ArrayRef(pool).slice(starts[i], end - starts[i])});
    total += groups.back().count();
  }
  int64_t size = 0;
  for (int64_t place : places)
    size = std::max(size, place + 1);
  if (total != int64_t(places.size()) || size < 1 || size > most ||
      llvm::any_of(places, [](int64_t place) { return place < 0; }) ||
      (!weights.empty() && weights.size() != places.size()))
    return node.fail(malformed("expects one of ngram_indexes, and of weights, "
                               "for each sequence of the pool"));
  Value rows = c.cast(isRow ? c.unsqueeze(x, 0) : x, word);
  SmallVector<Value> counts;
  for (const Sequences &group : groups) {
    bool isCounted = group.length >= shortest && group.length <= longest;
    if (group.count() == 0)
      continue;
    Value sum;
    // Elements that stand alone have no gaps.
    int64_t skips = group.length == 1 ? 0 : mostSkips;
    for (int64_t skip = 0; isCounted && skip <= skips; ++skip) {
      Value found = countSequences(c, rows, group, skip);
      sum = sum ? c.add(sum, found) : found;
    }
    if (!sum)
      sum =
          c.expand(c.number(0, word),
                   c.concat({c.dimOf(rows, 0), c.integers(group.count())}, 0));
    counts.push_back(sum);
  }
  Value found = c.cast(c.concat(counts, 1), f32);
  if (mode != "TF") {
    Value factors = weights.empty()
                        ? c.number(1, f32)
                        : makeFloats(node.getBuilder(), node.getLoc(), weights);
    Value isFound = c.cast(c.test<GreaterOp>(found, 0.0), f32);
    found = c.mul(mode == "IDF" ? isFound : found, factors);
  }
  Value zeros = c.expand(c.number(0, f32),
                         c.concat({c.dimOf(rows, 0), c.integers(size)}, 0));
  if (!found || !zeros)
    return failure();
  Value indices =
      c.expand(c.unsqueeze(c.integers(places), 0), c.shapeOf(found));
  auto kind =
      ScatterKindAttr::get(node.getBuilder().getContext(), ScatterKind::Set);
  Value result = c.make<ScatterElementsOp>(
      {zeros, indices, found},
      {node.attr("axis", int64_t(1)), node.attr("kind", kind)});
  return node.setOutput(0, isRow ? c.squeeze(result, 0) : result);
}

ArrayRef<Operator> qopt::importer::getTfIdfOperators() {
  static constexpr Operator rows[] = {
      {"TfIdfVectorizer", 9, 1, 1, importTfIdfVectorizer, "no strings"},
  };
  return rows;
}

//===- LinearAttention.cpp - Attention with a state of one matrix ---------===//
//
// One step for each token. All is in float, whatever the tensors are of.
//
//===----------------------------------------------------------------------===//

#include "Composer.h"
#include "ControlFlow.h"
#include "Operators.h"
#include <cmath>

using namespace mlir;
using namespace qopt;
using namespace qopt::importer;

namespace {
/// The operands with the tokens in front: [tokens, batch, heads, size].
struct Tokens {
  Value query, key, value, decay, beta;
  int64_t groups;
};
} // namespace

/// `x`, [batch, tokens, heads * size], as [tokens, batch, heads, size].
static Value splitHeads(Composer &c, Value x, int64_t heads) {
  if (!x)
    return {};
  Type f32 = c.getNode().getBuilder().getF32Type();
  int64_t size = getType(x).getDimSize(2) / heads;
  return c.transpose(c.reshape(c.cast(x, f32), {0, 0, heads, size}),
                     {1, 0, 2, 3});
}

/// The heads that an operand has, checked.
static LogicalResult checkOperand(NodeImporter &node, Value x, StringRef name,
                                  ArrayRef<int64_t> multiples) {
  if (!x)
    return success();
  if (failed(node.expectFloat(x)))
    return failure();
  bool isKnown = getRank(x) == 3 && !getType(x).isDynamicDim(2);
  if (isKnown && llvm::any_of(multiples, [&](int64_t number) {
        return getType(x).getDimSize(2) % number == 0;
      }))
    return success();
  return node.fail(malformed(
      "expects " + name +
      " of [batch, tokens, heads * size] with a known last dim that the heads "
      "divide, but found " +
      toString(x.getType())));
}

/// One token: what the state becomes, and what is read from it.
static Value runToken(Composer &c, const Tokens &all, Value at, Value state,
                      Value &row) {
  auto pick = [&](Value tokens) {
    // [batch, heads, 1, size]
    return c.unsqueeze(c.gather(tokens, at, 0), 2);
  };
  Value key = pick(all.key), value = pick(all.value);
  if (all.decay)
    state = c.mul(state, c.swapAxes(c.of<ExpOp>(pick(all.decay)), 2, 3));
  if (all.beta)
    value = c.mul(pick(all.beta), c.sub(value, c.matmul(key, state)));
  state = c.add(state, c.mul(c.swapAxes(key, 2, 3), value));
  // Query heads of a group read one state.
  Value query = c.gather(all.query, at, 0);
  if (!query)
    return {};
  int64_t heads = getType(query).getDimSize(1);
  int64_t size = getType(query).getDimSize(2);
  row = c.matmul(c.reshape(query, {0, heads / all.groups, all.groups, size}),
                 state);
  return state;
}

static LogicalResult importLinearAttention(NodeImporter &node) {
  Composer c(node);
  Type f32 = node.getBuilder().getF32Type();
  Value query = node.getInput(0), key = node.getInput(1);
  Value value = node.getInput(2), past = node.getInput(3);
  Value decay = node.getInput(4), beta = node.getInput(5);
  int64_t queryHeads = node.getInt("q_num_heads", 0);
  int64_t heads = node.getInt("kv_num_heads", 0);
  std::string rule = node.getString("update_rule", "gated_delta");
  float scale = node.getFloat("scale", 0);
  node.ignoreAttribute("chunk_size");
  if (heads < 1 || queryHeads < 1 || queryHeads % heads != 0)
    return node.fail(malformed("expects q_num_heads that kv_num_heads divides, "
                               "but found " +
                               Twine(queryHeads) + " and " + Twine(heads)));
  bool decays = rule == "gated" || rule == "gated_delta";
  bool corrects = rule == "delta" || rule == "gated_delta";
  if (!decays && !corrects && rule != "linear")
    return node.fail(
        malformed("attribute \"update_rule\" has no value " + quote(rule)));
  if (decays != bool(decay) || corrects != bool(beta))
    return node.fail(malformed("expects a decay where the rule is gated and a "
                               "beta where it corrects, and none elsewhere"));
  if (failed(checkOperand(node, query, "query", {queryHeads})) ||
      failed(checkOperand(node, key, "key", {heads})) ||
      failed(checkOperand(node, value, "value", {heads})) ||
      failed(checkOperand(node, decay, "decay", {heads})) ||
      failed(checkOperand(node, beta, "beta", {heads, 1})))
    return failure();
  int64_t keySize = getType(key).getDimSize(2) / heads;
  int64_t valueSize = getType(value).getDimSize(2) / heads;
  if (getType(query).getDimSize(2) != keySize * queryHeads)
    return node.fail(malformed("expects heads of one size in query and key, "
                               "but found " +
                               toString(query.getType()) + " and " +
                               toString(key.getType())));
  if (past && getRank(past) != 4)
    return node.fail(malformed("expects past_state of rank 4, but found " +
                               toString(past.getType())));
  Type stateType = getElementType(past ? past : query);
  Tokens all{
      splitHeads(c, query, queryHeads),
      splitHeads(c, key, heads),
      splitHeads(c, value, heads),
      splitHeads(c, decay, heads),
      splitHeads(c, beta, beta && getType(beta).getDimSize(2) == 1 ? 1 : heads),
      queryHeads / heads};
  Value dims =
      c.concat({c.dimOf(query, 0), c.integers({heads, keySize, valueSize})}, 0);
  Value state = past ? c.cast(past, f32) : c.expand(c.number(0, f32), dims);
  if (node.getFailure() || !state)
    return failure();
  auto row = RankedTensorType::get(
      {getType(query).getDimSize(0), heads, all.groups, valueSize}, f32);
  SmallVector<Collection> rows{
      makeCollection(node, row, 0, /*isInFront=*/false)};
  Values carried{state};
  auto step = [&](Value counter, ValueRange before, Values &next) {
    Value read;
    Value after =
        runToken(c, all, toTensor(node, counter), before.front(), read);
    next = {after, read};
    return success(after && read);
  };
  if (failed(makeFor(node, getDim(node, query, 1), rows, carried, step)))
    return failure();
  double factor = scale != 0 ? scale : 1 / std::sqrt(double(keySize));
  Value joined = c.mul(c.transpose(carried[1], {1, 0, 2, 3, 4}), factor);
  joined = c.reshape(joined, {0, 0, queryHeads * valueSize});
  if (failed(node.setOutput(0, c.cast(joined, getElementType(query)))))
    return failure();
  return node.hasOutput(1) ? node.setOutput(1, c.cast(carried[0], stateType))
                           : success();
}

ArrayRef<Operator> qopt::importer::getLinearAttentionOperators() {
  static constexpr Operator rows[] = {
      {"LinearAttention", 27, 3, 6, importLinearAttention,
       "known sizes of heads"},
  };
  return rows;
}

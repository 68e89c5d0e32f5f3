//===- PatchOperators.cpp - Images from their windows ---------------------===//
//
// The dims of image and windows may be known to a run alone.
//
//===----------------------------------------------------------------------===//

#include "Composer.h"
#include "Operators.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::importer;

/// Numbers for each axis: an attribute, or `absent`.
static std::optional<SmallVector<int64_t>>
readNumbers(NodeImporter &node, StringRef name, size_t count, int64_t least,
            int64_t absent) {
  SmallVector<int64_t> numbers(count, absent);
  if (node.hasAttribute(name))
    numbers = node.getInts(name);
  if (numbers.size() == count &&
      llvm::all_of(numbers, [&](int64_t number) { return number >= least; }))
    return numbers;
  (void)node.fail(malformed("attribute " + quote(name) + " expects " +
                            Twine(count) + " numbers from " + Twine(least)));
  return std::nullopt;
}

/// The sum of all windows, each where it was cut out.
static LogicalResult importCol2Im(NodeImporter &node) {
  Composer c(node);
  Type word = node.getBuilder().getI64Type();
  Value x = node.getInput(0);
  std::optional<int64_t> count = node.getListSize(1, "image_shape");
  std::optional<int64_t> blockCount = node.getListSize(2, "block_shape");
  if (!count || !blockCount)
    return failure();
  int64_t spatial = *count;
  if (spatial < 1 || *blockCount != spatial || getRank(x) != 3)
    return node.fail(malformed("expects an input of rank 3 and as many numbers "
                               "in image_shape as in block_shape, but found " +
                               toString(x.getType()) + ", " + Twine(spatial) +
                               " and " + Twine(*blockCount)));
  auto strides = readNumbers(node, "strides", spatial, 1, 1);
  auto dilations = readNumbers(node, "dilations", spatial, 1, 1);
  auto pads = readNumbers(node, "pads", 2 * spatial, 0, 0);
  if (!strides || !dilations || !pads)
    return failure();
  Value image = c.cast(node.getInput(1), word);
  Value block = c.cast(node.getInput(2), word);
  // The place in the padded image of each element of each window: axes of the
  // window, then those of the windows.
  Value places;
  SmallVector<Value> padded;
  for (int64_t i = 0; i < spatial; ++i) {
    Value size = c.add(c.slice(image, 0, i, i + 1),
                       double((*pads)[i] + (*pads)[i + spatial]));
    Value kernel = c.slice(block, 0, i, i + 1);
    Value extent = c.mul(c.sub(kernel, 1.0), double((*dilations)[i]));
    Value windows = c.add(
        c.div(c.sub(c.sub(size, extent), 1.0), double((*strides)[i])), 1.0);
    Value inside =
        c.mul(c.range(c.integers(0), kernel), double((*dilations)[i]));
    Value starts =
        c.mul(c.range(c.integers(0), windows), double((*strides)[i]));
    SmallVector<int64_t> behindInside =
        llvm::to_vector(llvm::seq<int64_t>(1, 2 * spatial - i));
    SmallVector<int64_t> behindStarts =
        llvm::to_vector(llvm::seq<int64_t>(1, spatial - i));
    Value line = c.add(c.unsqueeze(inside, behindInside),
                       c.unsqueeze(starts, behindStarts));
    places = places ? c.add(c.mul(places, size), line) : line;
    padded.push_back(size);
  }
  Value batch = c.dimOf(x, 0);
  Value channels = c.div(c.dimOf(x, 1), c.productOf(block));
  Value lines = c.mul(batch, channels);
  Value whole = c.concat(padded, 0);
  Value zeros =
      c.expand(c.number(0, x), c.concat({lines, c.productOf(whole)}, 0));
  Value flat = c.reshape(places, -1);
  if (!flat || !zeros)
    return failure();
  Value updates = c.reshape(x, c.concat({lines, c.dimOf(flat, 0)}, 0));
  Value indices = c.expand(c.unsqueeze(flat, 0), c.shapeOf(updates));
  auto kind =
      ScatterKindAttr::get(node.getBuilder().getContext(), ScatterKind::Add);
  Value sums = c.make<ScatterElementsOp>(
      {zeros, indices, updates},
      {node.attr("axis", int64_t(1)), node.attr("kind", kind)});
  Value result = c.reshape(sums, c.concat({batch, channels, whole}, 0));
  for (int64_t i = 0; i < spatial; ++i) {
    Value start = c.integers((*pads)[i]);
    result = c.slice(result, i + 2, start,
                     c.add(start, c.slice(image, 0, i, i + 1)));
  }
  return node.setOutput(0, result);
}

ArrayRef<Operator> qopt::importer::getPatchOperators() {
  static constexpr Operator rows[] = {
      {"Col2Im", 18, 3, 3, importCol2Im},
  };
  return rows;
}

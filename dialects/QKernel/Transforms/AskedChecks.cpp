//===- AskedChecks.cpp - What a program has to have checked ---------------===//
//
// A size is compared by its factors. Products of dims wrap around, so that they
// are what their factors make only where that is known to be no larger than
// memory can be.
//
//===----------------------------------------------------------------------===//

#include "dialects/QKernel/Transforms/AskedChecks.h"
#include "dialects/QKernel/Transforms/KernelDims.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Dominance.h"
#include <map>

using namespace mlir;
using namespace qopt;
using namespace qopt::kernel;

static constexpr llvm::StringLiteral kTooLarge = "a tensor is too large";

/// How many factors are taken apart: one value may be a factor twice on each
/// level.
static constexpr size_t kMaxFactors = 64;

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

namespace {
/// A product of a number and of values; none where the number is below 0 or
/// too large.
struct Product {
  std::optional<int64_t> known = 1;
  SmallVector<Value> open;

  void multiply(int64_t number) {
    int64_t product;
    if (known && number >= 0 && !llvm::MulOverflow(*known, number, product))
      known = product;
    else
      known = std::nullopt;
  }
  void multiply(Value value) {
    if (std::optional<int64_t> number = knownNumber(value))
      multiply(*number);
    else
      open.push_back(value);
  }

  /// Takes apart those of its values that are products; returns whether there
  /// were any.
  bool expand() {
    if (open.size() > kMaxFactors)
      return false;
    SmallVector<Value> factors = std::move(open);
    open.clear();
    bool isChanged = false;
    for (Value factor : factors) {
      auto inner = factor.getDefiningOp<arith::MulIOp>();
      if (!inner) {
        open.push_back(factor);
        continue;
      }
      multiply(inner.getLhs());
      multiply(inner.getRhs());
      isChanged = true;
    }
    return isChanged;
  }

  /// Its values, in one order.
  std::vector<const void *> getKey() const {
    std::vector<const void *> key;
    for (Value value : open)
      key.push_back(value.getAsOpaquePointer());
    llvm::sort(key);
    return key;
  }
};
} // namespace

static Product countElements(ValueRange dims) {
  Product product;
  for (Value dim : dims)
    product.multiply(dim);
  return product;
}

/// The bytes whose number `check` looks at.
static Product countBytes(CheckSizeOp check) {
  auto type = cast<MemRefType>(check.getMemory());
  Product product = countElements(check.getDims());
  product.multiply(type.getElementTypeBitWidth() / 8);
  for (int64_t dim : type.getShape())
    if (!ShapedType::isDynamic(dim))
      product.multiply(dim);
  return product;
}

bool kernel::splitsDims(ValueRange from, ValueRange to) {
  Product there = countElements(from), found;
  SmallVector<Value> rest(to);
  for (size_t i = 0; i < rest.size(); ++i) {
    if (knownNumber(rest[i])) {
      found.multiply(rest[i]);
    } else if (auto *it = llvm::find(there.open, rest[i]);
               it != there.open.end()) {
      there.open.erase(it);
    } else {
      auto factors = rest[i].getDefiningOp<arith::MulIOp>();
      if (!factors || rest.size() >= kMaxFactors)
        return false;
      rest.append({factors.getLhs(), factors.getRhs()});
    }
  }
  return there.open.empty() && there.known && there.known == found.known;
}

bool kernel::haveSameFactors(ValueRange a, ValueRange b) {
  Product first = countElements(a), second = countElements(b);
  while (first.expand())
    ;
  while (second.expand())
    ;
  return first.known && first.known == second.known &&
         first.getKey() == second.getKey();
}

//===----------------------------------------------------------------------===//
// What is asked
//===----------------------------------------------------------------------===//

void AskedChecks::ask(Operation *op, Value condition, const Twine &text) {
  if (knownNumber(condition).value_or(0) != 0)
    return;
  auto asked =
      RequireOp::create(b, op->getLoc(), condition, b.getI32IntegerAttr(1),
                        /*message=*/StringAttr(), /*status=*/Value());
  asked->setAttr(kAskedAttrName, b.getUnitAttr());
  needs.push_back({asked, op->getName(), text.str()});
}

void AskedChecks::askEqual(Operation *op, ValueRange x, ValueRange y,
                           const Twine &text) {
  for (auto [a, c] : llvm::zip_equal(x, y))
    if (!isSameDim(a, c))
      ask(op,
          b.createOrFold<arith::CmpIOp>(op->getLoc(), arith::CmpIPredicate::eq,
                                        a, c),
          text);
}

void AskedChecks::askSize(Operation *op, Type element, ValueRange dims) {
  // A type has no place for numbers below 0: all dims are left open.
  SmallVector<int64_t> shape(dims.size(), ShapedType::kDynamic);
  auto asked = CheckSizeOp::create(
      b, op->getLoc(), dims, TypeAttr::get(MemRefType::get(shape, element)));
  asked->setAttr(kAskedAttrName, b.getUnitAttr());
  needs.push_back({asked, op->getName(), kTooLarge.str()});
}

void AskedChecks::askWritten(Operation *op, Operation *check) {
  check->setAttr(kAskedAttrName, b.getUnitAttr());
  StringRef text = kTooLarge;
  if (auto require = dyn_cast<RequireOp>(check))
    text = require.getMessage().value_or("");
  needs.push_back({check, op->getName(), text.str()});
}

//===----------------------------------------------------------------------===//
// Whether it holds
//===----------------------------------------------------------------------===//

namespace {
/// The checks of a program.
class Checks {
public:
  explicit Checks(func::FuncOp program) : dominance(program) {
    program.walk([&](Operation *op) {
      if (op->hasAttr(kAskedAttrName))
        return;
      if (auto check = dyn_cast<RequireOp>(op))
        conditions[check.getCondition()].push_back(op);
      if (auto check = dyn_cast<CheckSizeOp>(op)) {
        Product size = countBytes(check);
        sizes[size.getKey()].push_back({op, size.known});
      }
    });
  }

  /// Whether `condition` was checked in front of `at`, or is sure.
  bool hold(Value condition, Operation *at) {
    if (std::optional<int64_t> number = knownNumber(condition))
      return *number != 0;
    for (Operation *check : conditions.lookup(condition))
      if (dominance.properlyDominates(check, at))
        return true;
    Operation *maker = condition.getDefiningOp();
    if (auto either = dyn_cast_or_null<arith::OrIOp>(maker))
      return hold(either.getLhs(), at) || hold(either.getRhs(), at);
    auto compare = dyn_cast_or_null<arith::CmpIOp>(maker);
    return compare && compare.getPredicate() == arith::CmpIPredicate::eq &&
           isSameDim(compare.getLhs(), compare.getRhs());
  }

  /// Whether there can be memory as large as what `asked` looks at.
  bool hold(CheckSizeOp asked) {
    Product size = countBytes(asked);
    if (size.known && size.open.empty())
      return true;
    // Factors that are no more than memory can be make what they are factors
    // of no more either.
    do {
      if (hasSize(size, asked))
        return true;
    } while (size.expand());
    return false;
  }

private:
  bool hasSize(const Product &size, Operation *at) {
    auto it = sizes.find(size.getKey());
    if (it == sizes.end())
      return false;
    return llvm::any_of(it->second, [&](auto &there) {
      auto &[check, known] = there;
      return (!known || (size.known && *size.known <= *known)) &&
             dominance.properlyDominates(check, at);
    });
  }

  DominanceInfo dominance;
  llvm::DenseMap<Value, SmallVector<Operation *>> conditions;
  /// By what is not known of them, each with what is.
  std::map<std::vector<const void *>,
           SmallVector<std::pair<Operation *, std::optional<int64_t>>>>
      sizes;
};
} // namespace

LogicalResult AskedChecks::verify(func::FuncOp program) const {
  Checks checks(program);
  for (const Need &need : needs) {
    auto condition = dyn_cast<RequireOp>(need.asked);
    if (condition ? checks.hold(condition.getCondition(), need.asked)
                  : checks.hold(cast<CheckSizeOp>(need.asked)))
      continue;
    return emitError(need.asked->getLoc())
           << "'" << need.op
           << "' op expects a check in front of it: " << need.text;
  }
  return success();
}

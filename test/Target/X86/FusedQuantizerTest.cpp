//===- FusedQuantizerTest.cpp - Quantizers beside other roots -------------===//
//
// Behind norms, softmax and maps, and in front of products: the same bits as
// Reference, which runs the ops one by one.
//
//===----------------------------------------------------------------------===//

#include "ContractHarness.h"
#include "gtest/gtest.h"

using qopt::test::expectEqualToReference;

namespace {
/// A format of rows: its attribute, the codes' type, the scales' type and how
/// many of them a row of `size` has, and whether the row has one more.
struct RowFormat {
  const char *name, *codes, *scales;
  int block;
  bool hasOuterScale = false;

  std::string attribute(int axis) const {
    std::string text = "#qopt.format<\"" + std::string(name) + "\"";
    return block ? text + ", axis = " + std::to_string(axis) + ">" : text + ">";
  }
  int scalesOf(int size) const {
    return block ? (size + block - 1) / block : 1;
  }
};
} // namespace

static const RowFormat kFormats[] = {
    {"i8", "i8", "f32", 0},
    {"mxint8", "i8", "f8E8M0FNU", 32},
    {"mxfp8-e4m3", "f8E4M3FN", "f8E8M0FNU", 32},
    {"mxfp6-e3m2", "f6E3M2FN", "f8E8M0FNU", 32},
    {"mxfp4", "f4E2M1FN", "f8E8M0FNU", 32},
    {"nvfp4", "f4E2M1FN", "f8E4M3FN", 16, true},
};
static const RowFormat &kMxfp4 = kFormats[4];

static std::string tensor(const std::string &dims, const std::string &element) {
  return "tensor<" + dims + "x" + element + ">";
}

/// A kernel of rows that yields what `body` makes (%r), its codes and scales.
static std::string rowsProgram(const RowFormat &format, int size,
                               const std::string &body, bool yieldsRows) {
  std::string s = std::to_string(size);
  std::string rows = tensor("?x3x" + s, "f32"), vector = tensor(s, "f32");
  std::string codes = tensor("?x3x" + s, format.codes);
  std::string scales =
      tensor("?x3x" + std::to_string(format.scalesOf(size)), format.scales);
  std::string made = "%q, %s", yielded;
  if (format.hasOuterScale) {
    scales += ", " + tensor("?x3x1", "f32");
    made += ", %u";
  }
  std::string results =
      (yieldsRows ? rows + ", " : std::string()) + codes + ", " + scales;
  int count = 2 + yieldsRows + format.hasOuterScale;
  for (int i = 0; i < count; ++i)
    yielded += (i ? ", %k#" : "%k#") + std::to_string(i);
  return "func.func @main(%x: " + rows + ", %y: " + rows + ", %g: " + vector +
         ") -> (" + results + ") {\n%k:" + std::to_string(count) +
         " = qkernel.rows(%x, %y, %g) : (" + rows + ", " + rows + ", " +
         vector + ") -> (" + results + ") (%a: " + rows + ", %b: " + rows +
         ", %c: " + vector + ") {\n" + body + made +
         " = qopt.quantize_dynamic %r {format = " + format.attribute(2) +
         "} : (" + rows + ") -> (" + codes + ", " + scales +
         ")\nqkernel.yield " + (yieldsRows ? "%r, " : "") + made + " : " +
         results + "\n}\nreturn " + yielded + " : " + results + "\n}";
}

static std::string binary(const std::string &result, const std::string &op,
                          const std::string &x, const std::string &y,
                          int size) {
  std::string rows = tensor("?x3x" + std::to_string(size), "f32");
  return result + " = qopt." + op + " " + x + ", " + y + " : (" + rows + ", " +
         rows + ") -> " + rows + "\n";
}

static std::string layerNorm(const std::string &result, const std::string &x,
                             int size) {
  std::string s = std::to_string(size);
  std::string rows = tensor("?x3x" + s, "f32"), vector = tensor(s, "f32");
  return result + " = qopt.layer_norm " + x +
         ", %c {axis = -1 : i64, epsilon = 1.0e-5 : f32} : (" + rows + ", " +
         vector + ") -> " + rows + "\n";
}

TEST(X86FusedQuantizer, QuantizesNormalizedRows) {
  for (const RowFormat &format : kFormats)
    for (int size : {1, 16, 33, 100, 384})
      for (bool yieldsRows : {false, true}) {
        SCOPED_TRACE(std::string(format.name) + " " + std::to_string(size));
        expectEqualToReference(
            rowsProgram(format, size,
                        layerNorm("%n", "%a", size) +
                            binary("%r", "add", "%n", "%b", size),
                        yieldsRows),
            {5, 5});
      }
}

TEST(X86FusedQuantizer, QuantizesSoftmax) {
  std::string rows = tensor("?x3x50", "f32");
  std::string body = "%r = qopt.softmax %a {axis = 2 : i64} : (" + rows +
                     ") -> " + rows + "\n";
  for (const RowFormat &format : kFormats)
    expectEqualToReference(rowsProgram(format, 50, body, false), {7, 7});
}

TEST(X86FusedQuantizer, QuantizesWhatElementwiseOpsMake) {
  for (const RowFormat &format : kFormats)
    for (bool yieldsRows : {false, true}) {
      SCOPED_TRACE(format.name);
      std::string body = binary("%m", "mul", "%a", "%b", 70) +
                         binary("%r", "sub", "%m", "%a", 70);
      expectEqualToReference(rowsProgram(format, 70, body, yieldsRows), {9, 9});
      expectEqualToReference(rowsProgram(format, 70, body, yieldsRows), {0, 0});
    }
}

TEST(X86FusedQuantizer, QuantizesManyRows) {
  expectEqualToReference(
      rowsProgram(kMxfp4, 96, layerNorm("%r", "%a", 96), true), {300, 300});
}

/// A product whose kernel makes its rows from f32: with a norm or without.
static std::string product(const RowFormat &format, const std::string &batch,
                           int depth, int columns, bool hasNorm,
                           bool hasZero = false) {
  std::string k = std::to_string(depth), n = std::to_string(columns);
  std::string rows = tensor(batch + "?x" + k, "f32");
  std::string vector = tensor(k, "f32");
  std::string codes = tensor(batch + "?x" + k, format.codes);
  std::string count = std::to_string(format.scalesOf(depth));
  std::string scales = tensor(batch + "?x" + count, format.scales);
  std::string made = "%s";
  if (format.hasOuterScale) {
    scales += ", " + tensor(batch + "?x1", "f32");
    made += ", %u";
  }
  std::string weight = tensor(k + "x" + n, format.codes);
  std::string beside = format.block ? tensor(count + "x" + n, format.scales)
                                    : tensor("1x" + n, format.scales);
  std::string result = tensor(batch + "?x" + n, "f32");
  std::string norm = "%r = qopt.layer_norm %m, %c {axis = -1 : i64, epsilon = "
                     "1.0e-5 : f32} : (" +
                     rows + ", " + vector + ") -> " + rows + "\n";
  std::string sums = tensor(batch + "?x" + n, "i32");
  std::string zero = hasZero ? " zeros(%z)" : "";
  std::string zeroType = hasZero ? ", tensor<1x1xi8>" : "";
  std::string contraction =
      format.block
          ? "%p = qopt.matmul %q scales(" + made +
                "), %e scales(%f) {lhs_format = " +
                format.attribute(batch.empty() ? 1 : 2) +
                ", rhs_format = " + format.attribute(0) + "} : (" + codes +
                ", " + scales + ", " + weight + ", " + beside + ") -> " +
                result + "\n"
          : "%i = qopt.matmul %q, %e" + zero + " : (" + codes + ", " + weight +
                zeroType + ") -> " + sums + "\n%t = qopt.mul %s, %f : (" +
                scales + ", " + beside + ") -> " + result +
                "\n%p = qopt.dequantize %i scales(%t) : (" + sums + ", " +
                result + ") -> " + result + "\n";
  std::string operands = rows + ", " + vector + ", " + weight + ", " + beside;
  return "func.func @main(%x: " + rows + ", %g: " + vector + ", %w: " + weight +
         " {test.constant}, %v: " + beside +
         " {test.constant}, %o: tensor<1x1xi8> "
         "{test.constant}) -> " +
         result +
         " {\n%k = qkernel.contract(%x, %g, %w, "
         "%v, %o) : (" +
         operands + ", tensor<1x1xi8>) -> " + result + " (%a: " + rows +
         ", %c: " + vector + ", %e: " + weight + ", %f: " + beside +
         ", %z: tensor<1x1xi8>) {\n%m = qopt.mul %a, %a : (" + rows + ", " +
         rows + ") -> " + rows + "\n" +
         (hasNorm ? norm
                  : "%r = qopt.neg %m : (" + rows + ") -> " + rows + "\n") +
         "%q, " + made + " = qopt.quantize_dynamic %r {format = " +
         format.attribute(batch.empty() ? 1 : 2) + "} : (" + rows + ") -> (" +
         codes + ", " + scales + ")\n" + contraction + "%y = qopt.relu %p : (" +
         result + ") -> " + result + "\nqkernel.yield %y : " + result +
         "\n}\nreturn %k : " + result + "\n}";
}

TEST(X86FusedQuantizer, MakesTheRowsOfProducts) {
  for (const RowFormat &format : kFormats)
    for (auto [depth, columns] :
         {std::pair(64, 48), std::pair(37, 20), std::pair(96, 96)})
      for (bool hasNorm : {false, true}) {
        SCOPED_TRACE(std::string(format.name) + " " + std::to_string(depth));
        expectEqualToReference(product(format, "", depth, columns, hasNorm),
                               {13});
        expectEqualToReference(product(format, "2x", depth, columns, hasNorm),
                               {5});
      }
}

TEST(X86FusedQuantizer, MakesTheRowsOfProductsWithZeros) {
  for (int rows : {1, 7, 150})
    expectEqualToReference(product(kFormats[0], "", 70, 33, true, true),
                           {rows});
}

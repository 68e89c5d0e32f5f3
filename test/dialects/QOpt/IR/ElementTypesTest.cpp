//===- ElementTypesTest.cpp - Element types by name -----------------------===//
//
// The types of tensors in memory, those of formats and those of MLIR are one
// table: each has the others' name.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/IR/ElementTypes.h"
#include "dialects/QOpt/IR/Formats.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/MLIRContext.h"
#include "qopt-runtime/qopt_model.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace qopt;

static std::string print(Type type) {
  std::string text;
  llvm::raw_string_ostream(text) << type;
  return text;
}

TEST(ElementTypes, TypesInMemoryHaveOneOfTheirName) {
  MLIRContext context;
  for (std::string name : {
#define QOPT_NAME(name, number, bytes, text) text,
           QOPT_FOR_EACH_ELEMENT_TYPE(QOPT_NAME)
#undef QOPT_NAME
       }) {
    Type type = findMLIRType(name, &context);
    ASSERT_TRUE(type) << name;
    std::string expected = name == "bool" ? "i1" : name;
    if (expected[0] == 'u')
      expected = "ui" + expected.substr(1);
    EXPECT_EQ(print(type), expected);
  }
}

TEST(ElementTypes, FormatsHaveTheTypeOfTheirName) {
  MLIRContext context;
  for (const ElementFormatInfo &info : elementFormats()) {
    auto format = lookupElementFormat(info.name);
    ASSERT_TRUE(format);
    Type type = typeOf(*format, &context);
    EXPECT_EQ(print(type), info.name.str());
    EXPECT_EQ(type.getIntOrFloatBitWidth(), info.bits);
    EXPECT_EQ(elementFormatOf(type), format);
  }
}

TEST(ElementTypes, OtherNamesHaveNone) {
  MLIRContext context;
  for (StringRef name : {"", "i", "u", "ui", "i0", "i65", "i8x", "si8", "f7",
                         "F32", "index", "f32 "})
    EXPECT_FALSE(findMLIRType(name, &context)) << name.str();
}

//===- EmitObjectTest.cpp - LLVM IR to object code --------------*- C++ -*-===//
//
// Code is what was written and no more: nothing contracted, nothing called
// that a model lacks, and what LLVM cannot do is an error.
//
//===----------------------------------------------------------------------===//

#include "TinyModel.h"
#include "qopt/Support/CodedError.h"
#include "llvm/Object/ObjectFile.h"

using namespace qopt;

static std::string assemblyOf(const std::string &text, llvm::StringRef tier) {
  llvm::LLVMContext context;
  ObjectBytes bytes = cantFail(emitObject(
      *parseIR(context, text), findTier(tier), {"f"}, CodeForm::Assembly));
  return std::string(bytes.data(), bytes.size());
}

static std::string failureOf(llvm::Error error) {
  ExitCode code;
  std::string text = takeMessage(std::move(error), code);
  EXPECT_EQ(code, ExitCode::Internal);
  return text;
}

TEST(EmitObject, FusesOnlyWhatIsWrittenFused) {
  std::string separate = assemblyOf(R"(
    define float @f(float %a, float %b, float %c) {
      %m = fmul float %a, %b
      %s = fadd float %m, %c
      ret float %s
    })",
                                    "x86-64-v3");
  EXPECT_NE(separate.find("vmulss"), std::string::npos) << separate;
  EXPECT_NE(separate.find("vaddss"), std::string::npos) << separate;
  std::string fused = assemblyOf(R"(
    declare float @llvm.fma.f32(float, float, float)
    define float @f(float %a, float %b, float %c) {
      %s = call float @llvm.fma.f32(float %a, float %b, float %c)
      ret float %s
    })",
                                 "x86-64-v3");
  EXPECT_NE(fused.find("vfmadd"), std::string::npos) << fused;
}

TEST(EmitObject, UsesTheWideRegistersOfTheTier) {
  const char *text = R"(
    define void @f(ptr %p) {
      %a = load <16 x i32>, ptr %p
      %b = mul <16 x i32> %a, %a
      store <16 x i32> %b, ptr %p
      ret void
    })";
  EXPECT_EQ(assemblyOf(text, "x86-64-v3").find("zmm"), std::string::npos);
  EXPECT_NE(assemblyOf(text, "x86-64-v4").find("zmm"), std::string::npos);
}

TEST(EmitObject, OnlyTheExportsCanBeLinkedTo) {
  ObjectBytes bytes = cantFail(emitTinyTier("3"));
  auto object = cantFail(llvm::object::ObjectFile::createObjectFile(
      llvm::MemoryBufferRef({bytes.data(), bytes.size()}, "")));
  std::vector<std::string> globals;
  for (const llvm::object::SymbolRef &symbol : object->symbols()) {
    uint32_t flags = cantFail(symbol.getFlags());
    if ((flags & llvm::object::SymbolRef::SF_Global) &&
        !(flags & llvm::object::SymbolRef::SF_Undefined))
      globals.push_back(cantFail(symbol.getName()).str());
  }
  EXPECT_EQ(globals, std::vector<std::string>{"main.x86-64-v3"});
}

TEST(EmitObject, WhatLLVMCannotSelectIsAnError) {
  const char *text = R"(
    declare <16 x i32> @llvm.x86.avx512.vpdpbusd.512(<16 x i32>, <64 x i8>,
                                                     <64 x i8>)
    define <16 x i32> @f(<16 x i32> %a, <64 x i8> %b, <64 x i8> %c) {
      %r = call <16 x i32> @llvm.x86.avx512.vpdpbusd.512(
          <16 x i32> %a, <64 x i8> %b, <64 x i8> %c)
      ret <16 x i32> %r
    })";
  EXPECT_NE(assemblyOf(text, "x86-64-v4").find("vpdpbusd"), std::string::npos);
  for (int repetition = 0; repetition < 2; ++repetition) {
    llvm::LLVMContext context;
    std::unique_ptr<llvm::Module> module = parseIR(context, text);
    std::string failure = failureOf(
        emitObject(*module, findTier("x86-64-v3"), {"f"}).takeError());
    EXPECT_EQ(failure, "cannot generate code for x86-64-v3: Do not know how to "
                       "split the result of this operator!");
    EXPECT_TRUE(module->getFunction("f")) << "the module stays as it is";
  }
}

TEST(EmitObject, NamesTheFunctionThatAModelLacks) {
  llvm::LLVMContext context;
  ObjectBytes bytes = cantFail(emitObject(*parseIR(context, R"(
        declare float @llvm.exp.f32(float)
        define float @f(float %a) {
          %e = call float @llvm.exp.f32(float %a)
          ret float %e
        })"),
                                          findTier("x86-64-v3"), {"f"}));
  llvm::StringRef object(bytes.data(), bytes.size());
  Machine machine = findTier("x86-64-v3");
  EXPECT_EQ(failureOf(checkUndefinedSymbols(object, machine)),
            "the generated code calls 'expf', which a model does not have");
  // A device may use what its host may, and more.
  static constexpr llvm::StringLiteral own[] = {"expf"};
  Machine device;
  device.host = &machine;
  device.runtimeSymbols = own;
  EXPECT_FALSE(bool(checkUndefinedSymbols(object, device)));
}

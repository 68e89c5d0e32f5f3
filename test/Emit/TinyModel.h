//===- TinyModel.h - A model of a few lines of LLVM IR ----------*- C++ -*-===//
//
// y[i] = x[i] * weight[0] + t, where t tells which tier ran: 3 for x86-64-v3, 4
// for x86-64-v4. Both tiers have a kernel of the same name, as real ones do.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_TEST_EMIT_TINYMODEL_H
#define QOPT_TEST_EMIT_TINYMODEL_H

#include "qopt/Emit/EmitObject.h"
#include "qopt/Emit/LinkModel.h"
#include "qopt/Target/X86/X86Machines.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/AsmParser/Parser.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/SourceMgr.h"
#include "gtest/gtest.h"
#include <regex>

namespace qopt {

inline const char *const tinyModelText = R"(
declare ptr @qopt_rt_output(ptr, i32, ptr, i64, i64)
declare void @qopt_rt_parallel(ptr, ptr, ptr, i64)
declare i32 @qopt_rt_fail(ptr, i32, ptr)
declare void @qopt_rt_observe(ptr, i32, ptr, ptr, i64)
@text = constant [13 x i8] c"x has no row\00"

define void @k0(ptr %args, i64 %part, i64 %thread) noinline {
  %x = load ptr, ptr %args
  %slot1 = getelementptr i64, ptr %args, i64 1
  %y = load ptr, ptr %slot1
  %slot2 = getelementptr i64, ptr %args, i64 2
  %weights = load ptr, ptr %slot2
  %xi = getelementptr float, ptr %x, i64 %part
  %value = load float, ptr %xi
  %weight = load float, ptr %weights
  %product = fmul float %value, %weight
  %sum = fadd float %product, TIER.0
  %yi = getelementptr float, ptr %y, i64 %part
  store float %sum, ptr %yi
  ret void
}

define i32 @"main.x86-64-vTIER"(ptr %ctx, ptr %weights, ptr %inputs, ptr %0) {
  %x = load ptr, ptr %inputs
  %dimsSlot = getelementptr i64, ptr %inputs, i64 1
  %dims = load ptr, ptr %dimsSlot
  %n = load i64, ptr %dims
  %isEmpty = icmp eq i64 %n, 0
  br i1 %isEmpty, label %empty, label %go
empty:
  %code = call i32 @qopt_rt_fail(ptr %ctx, i32 1, ptr @text)
  ret i32 %code
go:
  %bytes = mul i64 %n, 4
  %y = call ptr @qopt_rt_output(ptr %ctx, i32 0, ptr %dims, i64 1, i64 %bytes)
  %isNull = icmp eq ptr %y, null
  br i1 %isNull, label %full, label %run
full:
  ret i32 4
run:
  %args = alloca [3 x i64]
  store ptr %x, ptr %args
  %slot1 = getelementptr i64, ptr %args, i64 1
  store ptr %y, ptr %slot1
  %slot2 = getelementptr i64, ptr %args, i64 2
  store ptr %weights, ptr %slot2
  call void @qopt_rt_parallel(ptr %ctx, ptr @k0, ptr %args, i64 %n)
  call void @qopt_rt_observe(ptr %ctx, i32 5, ptr %y, ptr %dims, i64 1)
  ret i32 0
}
)";

/// Parses `text` in `context`; a mistake in it ends the test.
inline std::unique_ptr<llvm::Module> parseIR(llvm::LLVMContext &context,
                                             const std::string &text) {
  llvm::SMDiagnostic diagnostic;
  std::unique_ptr<llvm::Module> module =
      llvm::parseAssemblyString(text, diagnostic, context);
  EXPECT_TRUE(module) << diagnostic.getMessage().str();
  return module;
}

/// The tier of this name.
inline const Machine &findTier(llvm::StringRef name) {
  return *llvm::find_if(getX86Machines(), [&](const Machine &machine) {
    return machine.name == name;
  });
}

/// The object of one tier.
inline llvm::Expected<ObjectBytes> emitTinyTier(const std::string &number) {
  std::string text =
      std::regex_replace(tinyModelText, std::regex("TIER"), number);
  std::string tier = "x86-64-v" + number, entry = "main." + tier;
  llvm::LLVMContext context;
  return emitObject(*parseIR(context, text), findTier(tier), {entry});
}

inline ProgramDescription describeTinyModel() {
  ProgramDescription description;
  description.name = "tiny";
  description.manifest = "{\"made\": \"by hand\"}";
  description.inputs = {{"x", ElementType::F32, {-1}, {"n"}}};
  description.outputs = {{"y", ElementType::F32, {-1}, {}}};
  for (const char *name : {"x86-64-v3", "x86-64-v4"})
    description.tiers.push_back(
        {name, std::string("main.") + name, findTier(name).requiredFeatures});
  return description;
}

/// Writes the model; `weight` is the first of 2000 weights.
inline llvm::Error linkTinyModel(llvm::StringRef path, float weight = 2.0f) {
  ObjectBytes v3 = cantFail(emitTinyTier("3"));
  ObjectBytes v4 = cantFail(emitTinyTier("4"));
  llvm::StringRef objects[] = {{v3.data(), v3.size()}, {v4.data(), v4.size()}};
  return linkModel(
      objects, describeTinyModel(), findTier("x86-64-v3"),
      [&](WeightsWriter &writer) -> llvm::Error {
        llvm::StringRef bytes(reinterpret_cast<const char *>(&weight), 4);
        if (llvm::Error error = writer.write(bytes))
          return error;
        return writer.padTo(8000);
      },
      path);
}

} // namespace qopt

#endif // QOPT_TEST_EMIT_TINYMODEL_H

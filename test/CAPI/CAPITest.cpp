//===- CAPITest.cpp - The compiler for C ------------------------*- C++ -*-===//
//
// Sees the shared library as another program does: by its C functions only.
//
//===----------------------------------------------------------------------===//

#include "qopt-c/Compile.h"
#include "qopt-c/Model.h"
#include "test/Support/TemporaryFolder.h"
#include "gtest/gtest.h"
#include <fstream>

using qopt::TemporaryFolder;

extern "C" int compileAndRunInC(const char *onnx, const char *library,
                                int64_t columns, const float *zeros,
                                float *first);

static const char *const mlp = QOPT_SOURCE_DIR "/test/models/digits-mlp.onnx";

/// The code of `error`, which is destroyed, and its text.
static int take(QoptError *error, std::string &text) {
  if (!error)
    return 0;
  int code = qoptErrorGetCode(error);
  text = qoptErrorGetText(error);
  qoptErrorDestroy(error);
  return code;
}

TEST(CAPITest, CompilesAndRunsInC) {
  TemporaryFolder folder;
  std::vector<float> zeros(64);
  float first = 0;
  EXPECT_EQ(compileAndRunInC(mlp, folder.file("m.so").c_str(), 64, zeros.data(),
                             &first),
            0);
  EXPECT_NE(first, 0);
  EXPECT_EQ(compileAndRunInC(mlp, folder.file("m.so").c_str(), 63, zeros.data(),
                             &first),
            1);
  EXPECT_EQ(compileAndRunInC("no.onnx", folder.file("m.so").c_str(), 64,
                             zeros.data(), &first),
            4);
}

TEST(CAPITest, OptionsAreThoseOfTheFlags) {
  TemporaryFolder folder;
  QoptCompileOptions *options = qoptCompileOptionsCreate();
  std::string text;
  EXPECT_EQ(take(qoptCompileOptionsSet(options, "preset", "w4a8-g32"), text),
            0);
  EXPECT_EQ(take(qoptCompileOptionsSet(options, "preset", "w5a5"), text), 2);
  EXPECT_EQ(take(qoptCompileOptionsSet(options, "speed", "high"), text), 2);
  EXPECT_EQ(text, "there is no option 'speed'");
  EXPECT_EQ(take(qoptCompileOptionsSet(options, "stop-after", "lunch"), text),
            2);
  EXPECT_EQ(text, "--stop-after expects import, prepare, calibrate, transform, "
                  "quantize, fuse, kernels or target, but found 'lunch'");
  EXPECT_EQ(
      take(qoptCompileOptionsSet(options, "recipe-text", "version: 1\n"), text),
      2);
  EXPECT_EQ(text, "--preset and --recipe exclude each other\n"
                  "note: name the preset in the recipe");
  EXPECT_EQ(take(qoptCompileOptionsSet(options, "emit", "steam"), text), 2);
  EXPECT_EQ(text, "--emit expects shared, object, llvm, asm, mlir or qdq-onnx, "
                  "but found 'steam'");
  EXPECT_EQ(take(qoptCompileOptionsSet(options, "shapes", "x:?xa"), text), 2);
  EXPECT_EQ(text, "--shapes 'x:?xa': expects a size or ?, but found 'a'");
  QoptText *report = nullptr;
  ASSERT_EQ(
      take(qoptModelCompile(mlp, folder.file("m.so").c_str(), options, &report),
           text),
      0)
      << text;
  EXPECT_NE(std::string(qoptTextGet(report)).find("\"w4a8-g32\""),
            std::string::npos);
  qoptTextDestroy(report);
  qoptCompileOptionsDestroy(options);
}

TEST(CAPITest, EmitsWhatTheCommandEmits) {
  // What each file begins with.
  struct {
    const char *emit;
    std::string start;
  } const forms[] = {{"shared", "\x7f"
                                "ELF"},
                     {"object", "\x7f"
                                "ELF"},
                     {"llvm", "; ModuleID"},
                     {"asm", "\t"},
                     {"mlir", "#"},
                     {"qdq-onnx", "\x08\x0a"}};
  for (const auto &form : forms) {
    TemporaryFolder folder;
    QoptCompileOptions *options = qoptCompileOptionsCreate();
    std::string text, path = folder.file("out");
    EXPECT_EQ(take(qoptCompileOptionsSet(options, "emit", form.emit), text), 0)
        << text;
    ASSERT_EQ(take(qoptModelCompile(mlp, path.c_str(), options, nullptr), text),
              0)
        << text;
    std::ifstream stream(path, std::ios::binary);
    std::string start(form.start.size(), 0);
    stream.read(start.data(), start.size());
    EXPECT_EQ(start, form.start) << form.emit;
    qoptCompileOptionsDestroy(options);
  }
}

TEST(CAPITest, DescribesModels) {
  TemporaryFolder folder;
  std::string text, path = folder.file("m.so");
  ASSERT_EQ(take(qoptModelCompile(mlp, path.c_str(), nullptr, nullptr), text),
            0)
      << text;
  QoptModel *model = nullptr;
  ASSERT_EQ(take(qoptModelLoad(path.c_str(), &model), text), 0) << text;
  ASSERT_EQ(qoptModelGetNumInputs(model), 1);
  ASSERT_EQ(qoptModelGetNumOutputs(model), 1);
  qopt_value_info input = qoptModelGetInput(model, 0);
  EXPECT_STREQ(input.name, "x");
  ASSERT_EQ(input.rank, 2);
  EXPECT_EQ(input.dims[0], -1);
  EXPECT_EQ(input.dims[1], 64);
  EXPECT_STREQ(input.symbols[0], "batch");
  EXPECT_STREQ(qoptElementTypeGetName(qopt_element_type(input.element_type)),
               "f32");
  EXPECT_NE(std::string(qoptModelDescribe(model)).find("\"logits\""),
            std::string::npos);
  EXPECT_EQ(take(qoptModelSetThreads(model, -1), text), 2);

  // An input that claims more bytes than there are.
  const int64_t dims[] = {2, 64};
  std::vector<float> data(64);
  qopt_tensor tensor = {data.data(), dims, 2, 0, 0, 64 * sizeof(float)};
  QoptResults *results = nullptr;
  EXPECT_EQ(take(qoptModelRun(model, &tensor, &results), text), 1);
  EXPECT_EQ(text, "input \"x\" of 2x64 f32 does not fit its 256 bytes");
  qoptModelDestroy(model);
}

TEST(CAPITest, FixesShapes) {
  TemporaryFolder folder;
  std::string text, path = folder.file("m.so");
  QoptCompileOptions *options = qoptCompileOptionsCreate();
  EXPECT_EQ(take(qoptCompileOptionsSet(options, "shapes", "x:3x?"), text), 0);
  ASSERT_EQ(take(qoptModelCompile(mlp, path.c_str(), options, nullptr), text),
            0)
      << text;
  qoptCompileOptionsDestroy(options);
  QoptModel *model = nullptr;
  ASSERT_EQ(take(qoptModelLoad(path.c_str(), &model), text), 0) << text;
  for (qopt_value_info value :
       {qoptModelGetInput(model, 0), qoptModelGetOutput(model, 0)}) {
    EXPECT_EQ(value.dims[0], 3);
    EXPECT_STREQ(value.symbols[0], "");
  }
  qoptModelDestroy(model);
}

TEST(CAPITest, DescribesTheTargets) {
  QoptText *text = qoptTargetsDescribe();
  std::string rows = qoptTextGet(text);
  qoptTextDestroy(text);
  EXPECT_EQ(rows.rfind("[{\"detail\":", 0), 0u) << rows;
  EXPECT_NE(rows.find("\"runs_here\":true"), std::string::npos) << rows;
}

TEST(CAPITest, TypesThatNumpyLacksAreBitPatterns) {
  EXPECT_EQ(qoptElementTypeGetNumpyType(QOPT_ELEMENT_BF16), QOPT_ELEMENT_U16);
  EXPECT_EQ(qoptElementTypeGetNumpyType(QOPT_ELEMENT_F4E2M1FN),
            QOPT_ELEMENT_U8);
  EXPECT_EQ(qoptElementTypeGetName(0), nullptr);
  EXPECT_STREQ(qoptGetVersion(), "0.1.0");
}

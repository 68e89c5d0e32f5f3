//===- PhaseFilesTest.cpp - Programs as files between phases --------------===//
//
// What is read is what was written, or an error; a failure leaves no file.
//
//===----------------------------------------------------------------------===//

#include "qopt/Pipelines/PhaseFiles.h"
#include "Programs.h"
#include "dialects/QOpt/IR/QOptOps.h"
#include "mlir/Parser/Parser.h"
#include "qopt/Support/AtomicFile.h"
#include "qopt/Support/CodedError.h"
#include "llvm/Support/MemoryBuffer.h"
#include "gtest/gtest.h"

using namespace qopt;
using namespace qopt::test;

/// A program with one weight of `count` bytes that no file holds.
static mlir::OwningOpRef<mlir::ModuleOp> makeProgram(mlir::MLIRContext &context,
                                                     int64_t count) {
  context.loadDialect<mlir::func::FuncDialect, QOptDialect>();
  mlir::Location loc = mlir::UnknownLoc::get(&context);
  mlir::OwningOpRef<mlir::ModuleOp> module(mlir::ModuleOp::create(loc));
  mlir::OpBuilder builder(module->getBodyRegion());
  auto type = mlir::RankedTensorType::get({count}, builder.getI8Type());
  auto main = mlir::func::FuncOp::create(builder, loc, "main",
                                         builder.getFunctionType({}, {type}));
  builder.setInsertionPointToStart(main.addEntryBlock());
  std::vector<uint8_t> bytes(count);
  for (int64_t i = 0; i < count; ++i)
    bytes[i] = static_cast<uint8_t>(i * 7);
  WeightStore &store =
      context.getOrLoadDialect<QOptDialect>()->getWeightStore();
  auto weight = WeightAttr::get(&context, store.addOwned(std::move(bytes)));
  mlir::Value value = ConstantOp::create(builder, loc, type, weight);
  mlir::func::ReturnOp::create(builder, loc, value);
  return module;
}

static std::string contentOf(const std::string &path) {
  auto buffer = llvm::MemoryBuffer::getFile(path);
  return buffer ? (*buffer)->getBuffer().str() : "no file";
}

static std::string problemOfReading(const std::string &path) {
  auto context = makeContext();
  auto module = readPhaseFile(path, *context);
  if (module)
    return "no problem";
  ExitCode code;
  std::string message = takeMessage(module.takeError(), code);
  EXPECT_EQ(code, ExitCode::BadData) << message;
  return message;
}

TEST(PhaseFiles, KeepWeightsInAFileBeside) {
  TemporaryFolder folder;
  std::string path = folder.file("p.mlir");
  {
    auto context = makeContext();
    auto module = makeProgram(*context, 5000);
    ASSERT_FALSE(bool(writePhaseFile(*module, path)));
  }
  EXPECT_EQ(contentOf(path + ".weights").size(), 5000u);
  EXPECT_LT(contentOf(path).size(), 1000u);
  auto context = makeContext();
  auto module = readPhaseFile(path, *context);
  ASSERT_TRUE(bool(module)) << llvm::toString(module.takeError());
  (*module)->walk([](ConstantOp op) {
    llvm::ArrayRef<uint8_t> bytes =
        mlir::cast<WeightAttr>(op.getValue()).getBlob()->bytes;
    ASSERT_EQ(bytes.size(), 5000u);
    EXPECT_EQ(bytes[4999], static_cast<uint8_t>(4999 * 7));
  });
}

TEST(PhaseFiles, AreTheSameAfterReadingAndWriting) {
  TemporaryFolder folder;
  auto context = makeContext();
  auto module = makeProgram(*context, 5000);
  ASSERT_FALSE(bool(writePhaseFile(*module, folder.file("a.mlir"))));
  auto other = makeContext();
  auto read = readPhaseFile(folder.file("a.mlir"), *other);
  ASSERT_TRUE(bool(read));
  ASSERT_FALSE(bool(writePhaseFile(**read, folder.file("b.mlir"))));
  EXPECT_EQ(contentOf(folder.file("a.mlir")), contentOf(folder.file("b.mlir")));
  // The weights lie where they lay.
  EXPECT_FALSE(llvm::sys::fs::exists(folder.file("b.mlir.weights")));
}

TEST(PhaseFiles, HoldSmallWeightsThemselves) {
  TemporaryFolder folder;
  auto context = makeContext();
  auto module = makeProgram(*context, 100);
  ASSERT_FALSE(bool(writePhaseFile(*module, folder.file("p.mlir"))));
  EXPECT_FALSE(llvm::sys::fs::exists(folder.file("p.mlir.weights")));
  EXPECT_EQ(problemOfReading(folder.file("p.mlir")), "no problem");
}

TEST(PhaseFiles, RefuseWeightsThatChanged) {
  TemporaryFolder folder;
  std::string path = folder.file("p.mlir");
  auto context = makeContext();
  auto module = makeProgram(*context, 5000);
  ASSERT_FALSE(bool(writePhaseFile(*module, path)));
  std::string weights = contentOf(path + ".weights");
  weights[17] ^= 1;
  ASSERT_FALSE(bool(writeFileAtomically(path + ".weights", weights)));
  EXPECT_NE(
      problemOfReading(path).find("weight in '" + path +
                                  ".weights' has changed: expects sha256 "),
      std::string::npos);
  ASSERT_FALSE(
      bool(writeFileAtomically(path + ".weights", weights.substr(0, 100))));
  EXPECT_NE(problemOfReading(path).find("does not hold 5000 bytes at offset 0"),
            std::string::npos);
  llvm::sys::fs::remove(path + ".weights");
  EXPECT_NE(problemOfReading(path).find("cannot read weight from '"),
            std::string::npos);
}

TEST(PhaseFiles, LeaveNothingWhereTheTextCannotBe) {
  TemporaryFolder folder;
  auto context = makeContext();
  auto module = makeProgram(*context, 5000);
  llvm::Error error = writePhaseFile(*module, folder.file("none/p.mlir"));
  EXPECT_TRUE(bool(error));
  llvm::consumeError(std::move(error));
  EXPECT_FALSE(llvm::sys::fs::exists(folder.file("none")));
}

TEST(PhaseFiles, LeaveNothingWhereTheWeightsCannotBe) {
  TemporaryFolder folder;
  ASSERT_FALSE(llvm::sys::fs::create_directory(folder.file("p.mlir.weights")));
  auto context = makeContext();
  auto module = makeProgram(*context, 5000);
  llvm::Error error = writePhaseFile(*module, folder.file("p.mlir"));
  EXPECT_TRUE(bool(error));
  llvm::consumeError(std::move(error));
  std::error_code code;
  int count = 0;
  for (llvm::sys::fs::directory_iterator it(folder.path(), code), end;
       it != end && !code; it.increment(code))
    ++count;
  EXPECT_EQ(count, 1);
}

TEST(PhaseFiles, SayWhatIsWrongWithText) {
  TemporaryFolder folder;
  std::string path = folder.file("p.mlir");
  for (auto [text, part] :
       {std::pair{std::string("func.func @main("), "expected"},
        {std::string(100000, '('), "is nested too deeply"},
        {std::string("\0\xff", 2), "p.mlir"}}) {
    ASSERT_FALSE(bool(writeFileAtomically(path, text)));
    EXPECT_NE(problemOfReading(path).find(part), std::string::npos);
  }
}

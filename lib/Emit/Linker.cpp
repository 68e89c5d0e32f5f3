//===- Linker.cpp - lld, in process -----------------------------*- C++ -*-===//
//
// lld has global state: one link at a time in a process. It reads and writes
// files only, so everything goes through a temporary folder; no path gets into
// the result.
//
//===----------------------------------------------------------------------===//

#include "Linker.h"

#include "lld/Common/Driver.h"
#include "qopt/Support/AtomicFile.h"
#include "qopt/Support/CodedError.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/raw_ostream.h"
#include <mutex>

LLD_HAS_DRIVER(elf)

using namespace qopt;
using llvm::StringRef;

namespace {
/// A folder that is gone at the end of the scope.
class LinkFolder {
public:
  ~LinkFolder() {
    if (!path.empty())
      llvm::sys::fs::remove_directories(path);
  }

  llvm::Error create() {
    if (std::error_code code =
            llvm::sys::fs::createUniqueDirectory("qopt-link", path))
      return makeError(ExitCode::NoResource,
                       "cannot make a temporary folder to link in: " +
                           code.message());
    return llvm::Error::success();
  }
  /// Writes a file and adds its path to the arguments, behind `flag`.
  llvm::Error add(const llvm::Twine &name, StringRef bytes,
                  StringRef flag = "") {
    std::string file = (path + "/" + name).str();
    arguments.push_back((flag + file).str());
    return writeFileAtomically(file, bytes);
  }

  llvm::SmallString<128> path;
  std::vector<std::string> arguments;
};
} // namespace

static llvm::Error runLinker(llvm::ArrayRef<std::string> arguments) {
  static std::mutex mutex;
  static bool isUsable = true;
  std::lock_guard<std::mutex> lock(mutex);
  if (!isUsable)
    return makeError(ExitCode::Internal,
                     "the linker crashed before and cannot be used again");
  std::vector<const char *> pointers;
  for (const std::string &argument : arguments)
    pointers.push_back(argument.c_str());
  std::string output, errors;
  llvm::raw_string_ostream outputStream(output), errorStream(errors);
  lld::Result result = lld::lldMain(pointers, outputStream, errorStream,
                                    {{lld::Gnu, &lld::elf::link}});
  isUsable = result.canRunAgain;
  if (result.retCode == 0)
    return llvm::Error::success();
  bool isDiskFull = StringRef(errors).contains("No space left");
  return makeError(isDiskFull ? ExitCode::NoResource : ExitCode::Internal,
                   "linking the model failed: " + StringRef(errors).rtrim());
}

llvm::Expected<std::unique_ptr<llvm::MemoryBuffer>>
qopt::linkSharedLibrary(llvm::ArrayRef<StringRef> objects,
                        const Platform &platform) {
  LinkFolder folder;
  if (llvm::Error error = folder.create())
    return std::move(error);
  std::string output = (folder.path + "/model.so").str();
  folder.arguments = {"ld.lld",
                      "-shared",
                      "--gc-sections",
                      "-zdefs",
                      "-znow",
                      "--hash-style=gnu",
                      "--build-id=sha1",
                      "--exclude-libs=ALL",
                      "--threads=1",
                      "--soname=model.so",
                      "--strip-debug",
                      "-o",
                      output};
  if (llvm::Error error =
          folder.add("exports", "{ global: qopt_model_get_api; local: *; };",
                     "--version-script="))
    return std::move(error);
  for (size_t i = 0; i < objects.size(); ++i)
    if (llvm::Error error = folder.add(llvm::Twine(i) + ".o", objects[i]))
      return std::move(error);
  if (llvm::Error error = folder.add("runtime.o", platform.getRuntimeObject()))
    return std::move(error);
  if (llvm::Error error = folder.add("libc.so.6", platform.getLibcStub()))
    return std::move(error);
  if (llvm::Error error = runLinker(folder.arguments))
    return std::move(error);
  llvm::ErrorOr<std::unique_ptr<llvm::MemoryBuffer>> library =
      llvm::MemoryBuffer::getFile(output, /*IsText=*/false,
                                  /*RequiresNullTerminator=*/false,
                                  /*IsVolatile=*/true);
  if (!library)
    return makeError(ExitCode::NoResource, "cannot read the linked model: " +
                                               library.getError().message());
  return std::move(*library);
}

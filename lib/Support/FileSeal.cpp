//===- FileSeal.cpp - A digest that ends a file ---------------------------===//
//
// A mark of 16 bytes, then the digest. What comes in front of them is not
// looked at, so a seal fits behind any file whose readers go by offsets.
//
//===----------------------------------------------------------------------===//

#include "qopt/Support/FileSeal.h"
#include "qopt/Support/CodedError.h"
#include "qopt/Support/Digest.h"
#include "qopt/Support/MappedFile.h"
#include "llvm/ADT/StringExtras.h"

using namespace qopt;
using llvm::StringRef;

static constexpr StringRef kMark("qopt-digest-v1\0\0", 16);

llvm::Error qopt::seal(AtomicFile &file) {
  StringRef unfinished = file.getUnfinishedPath();
  if (unfinished.empty())
    return llvm::Error::success();
  auto written = MappedFile::open(unfinished);
  if (!written)
    return written.takeError();
  Digest digest = computeSha256(written->getText());
  if (llvm::Error error = file.write(kMark))
    return error;
  return file.write(llvm::toStringRef(digest));
}

llvm::Error qopt::verifySeal(StringRef path) {
  auto file = MappedFile::open(path);
  if (!file)
    return file.takeError();
  StringRef text = file->getText();
  size_t sealSize = kMark.size() + Digest().size();
  StringRef end = text.take_back(sealSize);
  if (!end.consume_front(kMark))
    return makeError(ExitCode::BadData,
                     path +
                         ": has no digest at its end; was it cut, or is it no "
                         "compiled model?\nnote: qopt-compile MODEL.onnx -o "
                         "MODEL.so makes such a file");
  Digest found = computeSha256(text.drop_back(sealSize));
  if (llvm::equal(found, llvm::arrayRefFromStringRef(end)))
    return llvm::Error::success();
  return makeError(ExitCode::BadData,
                   path +
                       ": was changed after it was compiled: its digest is " +
                       formatDigest(found) +
                       ", which is not the one at its end\nnote: compile the "
                       "model again, or copy the file again");
}

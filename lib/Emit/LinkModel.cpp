//===- LinkModel.cpp - Objects and weights to a model -----------*- C++ -*-===//
//
// Weights follow the linked library in the same file. Where they are is known
// only then, so the descriptor in the library is filled in at the end, and so
// is the build id, which otherwise would not depend on the weights. A digest of
// the whole ends the file.
//
//===----------------------------------------------------------------------===//

#include "qopt/Emit/LinkModel.h"

#include "Linker.h"
#include "lib/Runtime/Program.h"
#include "qopt/Emit/EmitObject.h"
#include "qopt/Support/AtomicFile.h"
#include "qopt/Support/CodedError.h"
#include "qopt/Support/FileSeal.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/Object/ObjectFile.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/SHA1.h"
#include <cstring>

using namespace qopt;
using llvm::StringRef;

static constexpr uint64_t kPageSize = 4096;

llvm::Error WeightsWriter::write(StringRef bytes) {
  if (digests == ModelDigests::Written)
    hash.update(bytes);
  position += bytes.size();
  return file.write(bytes);
}

std::array<uint8_t, 32> WeightsWriter::finish() {
  if (digests == ModelDigests::Absent)
    return {};
  return hash.final();
}

llvm::Error WeightsWriter::padTo(uint64_t offset) {
  assert(offset >= position && "weights are written in order");
  static const char zeros[kPageSize] = {};
  while (position < offset) {
    uint64_t count = std::min<uint64_t>(offset - position, sizeof(zeros));
    if (llvm::Error error = write(StringRef(zeros, count)))
      return error;
  }
  return llvm::Error::success();
}

/// The object with the table that describes the program.
static llvm::Expected<ObjectBytes>
emitDescriptor(const ProgramDescription &description, const Machine &machine) {
  llvm::LLVMContext context;
  llvm::Module module("program", context);
  buildProgramDescriptor(module, description);
  return emitObject(module, machine.getHost(), {"qopt_rt_program_desc"});
}

/// The bytes of section `name` of `library`, which must be `size`.
static llvm::Expected<StringRef> findSection(const llvm::MemoryBuffer &library,
                                             StringRef name, size_t size) {
  auto file = llvm::object::ObjectFile::createObjectFile(library);
  if (!file)
    return file.takeError();
  for (const llvm::object::SectionRef &section : (*file)->sections()) {
    llvm::Expected<StringRef> sectionName = section.getName();
    if (!sectionName)
      return sectionName.takeError();
    if (*sectionName != name)
      continue;
    llvm::Expected<StringRef> contents = section.getContents();
    if (contents && contents->size() != size)
      break;
    return contents;
  }
  return makeError(ExitCode::Internal,
                   "the linked model has no usable section " + name);
}

/// Writes the weights behind the library and says where they are.
static llvm::Expected<qopt_rt_trailer>
appendTrailer(AtomicFile &file, WeightsSource weights, ModelDigests digests) {
  qopt_rt_trailer trailer = {QOPT_RT_TRAILER_MARK, 0, 0, {}};
  trailer.offset = llvm::alignTo(file.getSize(), kPageSize);
  if (llvm::Error error = file.writeZeros(trailer.offset - file.getSize()))
    return std::move(error);
  WeightsWriter writer(file, digests);
  if (llvm::Error error = weights(writer))
    return std::move(error);
  trailer.size = writer.getPosition();
  llvm::copy(writer.finish(), trailer.sha256);
  uint64_t padding = qopt_rt_trailer_copy_offset(trailer) - file.getSize();
  if (llvm::Error error = file.writeZeros(padding))
    return std::move(error);
  StringRef copy(reinterpret_cast<const char *>(&trailer), sizeof(trailer));
  if (llvm::Error error = file.write(copy))
    return std::move(error);
  return trailer;
}

/// Fills in what was not known when `library` was linked.
static llvm::Error patchLibrary(AtomicFile &file,
                                const llvm::MemoryBuffer &library,
                                const qopt_rt_trailer &trailer) {
  StringRef bytes(reinterpret_cast<const char *>(&trailer), sizeof(trailer));
  llvm::Expected<StringRef> descriptor =
      findSection(library, ".qopt.trailer", sizeof(trailer));
  if (!descriptor)
    return descriptor.takeError();
  if (llvm::Error error =
          file.overwrite(descriptor->data() - library.getBufferStart(), bytes))
    return error;

  // A note: 16 bytes of header, then a SHA-1.
  llvm::Expected<StringRef> note =
      findSection(library, ".note.gnu.build-id", 16 + 20);
  if (!note)
    return note.takeError();
  StringRef buildId = note->drop_front(16);
  llvm::SHA1 hash;
  hash.update(buildId);
  hash.update(bytes);
  std::array<uint8_t, 20> newId = hash.final();
  return file.overwrite(
      buildId.data() - library.getBufferStart(),
      StringRef(reinterpret_cast<const char *>(newId.data()), newId.size()));
}

llvm::Error qopt::linkModel(llvm::ArrayRef<StringRef> objects,
                            const ProgramDescription &description,
                            const Machine &machine, WeightsSource weights,
                            StringRef path, ModelDigests digests) {
  for (StringRef object : objects)
    if (llvm::Error error = checkUndefinedSymbols(object, machine))
      return error;
  llvm::Expected<ObjectBytes> descriptor = emitDescriptor(description, machine);
  if (!descriptor)
    return descriptor.takeError();
  llvm::SmallVector<StringRef> inputs(objects);
  inputs.push_back({descriptor->data(), descriptor->size()});
  llvm::Expected<std::unique_ptr<llvm::MemoryBuffer>> library =
      linkSharedLibrary(inputs, *machine.getHost().platform);
  if (!library)
    return library.takeError();

  llvm::Expected<std::unique_ptr<AtomicFile>> file =
      AtomicFile::create(path, AtomicFile::Mode::Executable);
  if (!file)
    return file.takeError();
  if (llvm::Error error = (*file)->write((*library)->getBuffer()))
    return error;
  llvm::Expected<qopt_rt_trailer> trailer =
      appendTrailer(**file, weights, digests);
  if (!trailer)
    return trailer.takeError();
  if (llvm::Error error = patchLibrary(**file, **library, *trailer))
    return error;
  if (digests == ModelDigests::Written)
    if (llvm::Error error = seal(**file))
      return error;
  return (*file)->commit();
}

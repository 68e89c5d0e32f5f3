//===- LoadableFile.cpp - Whether a library can be mapped -----------------===//

#include "LoadableFile.h"
#include "llvm/ADT/STLExtras.h"
#include <cstring>
#include <elf.h>
#include <fcntl.h>
#include <optional>
#include <unistd.h>
#include <vector>

using namespace qopt;

/// True where `size` bytes at `offset` do not lie within the first `end`.
static bool exceeds(uint64_t offset, uint64_t size, uint64_t end) {
  return offset > end || size > end - offset;
}

static bool readHeader(int file, Elf64_Ehdr &header) {
  return ::pread(file, &header, sizeof(header), 0) == sizeof(header) &&
         std::memcmp(header.e_ident, ELFMAG, SELFMAG) == 0 &&
         header.e_ident[EI_CLASS] == ELFCLASS64 &&
         header.e_phentsize == sizeof(Elf64_Phdr);
}

static bool isCut(int file, uint64_t size, const Elf64_Ehdr &header) {
  std::vector<Elf64_Phdr> segments(header.e_phnum);
  uint64_t bytes = segments.size() * sizeof(Elf64_Phdr);
  if (exceeds(header.e_phoff, bytes, size) ||
      ::pread(file, segments.data(), bytes, header.e_phoff) !=
          static_cast<ssize_t>(bytes))
    return true;
  return llvm::any_of(segments, [&](const Elf64_Phdr &segment) {
    return segment.p_type == PT_LOAD &&
           exceeds(segment.p_offset, segment.p_filesz, size);
  });
}

/// The kind of processor that this program was built for.
static std::optional<unsigned> getOwnMachine() {
  Elf64_Ehdr header;
  int file = ::open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  bool isRead = file >= 0 && readHeader(file, header);
  if (file >= 0)
    ::close(file);
  return isRead ? std::optional<unsigned>(header.e_machine) : std::nullopt;
}

std::string qopt::findLoadFault(int file, uint64_t size) {
  Elf64_Ehdr header;
  if (!readHeader(file, header))
    return "";
  std::optional<unsigned> own = getOwnMachine();
  if (own && header.e_machine != *own)
    return "the file is for another kind of processor (ELF machine " +
           std::to_string(header.e_machine) + ", this one is " +
           std::to_string(*own) + ")";
  if (isCut(file, size, header))
    return "the file was cut: it ends before what it holds does";
  return "";
}

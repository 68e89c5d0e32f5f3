//===- LoadableFile.cpp - Whether a library can be mapped -----------------===//

#include "LoadableFile.h"
#include "llvm/ADT/STLExtras.h"
#include <cstring>
#include <elf.h>
#include <unistd.h>
#include <vector>

using namespace qopt;

/// True where `size` bytes at `offset` do not lie within the first `end`.
static bool exceeds(uint64_t offset, uint64_t size, uint64_t end) {
  return offset > end || size > end - offset;
}

bool qopt::isCut(int file, uint64_t size) {
  Elf64_Ehdr header;
  if (::pread(file, &header, sizeof(header), 0) != sizeof(header) ||
      std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
      header.e_ident[EI_CLASS] != ELFCLASS64 ||
      header.e_phentsize != sizeof(Elf64_Phdr))
    return false;
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

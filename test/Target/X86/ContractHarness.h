//===- ContractHarness.h - Kernels against Reference ------------*- C++ -*-===//
//
// Compiles a program, runs it on every tier of the machine with several numbers
// of threads and compares each output bit for bit with Reference. Where the
// machine has no AMX, the code of that tier runs with emulated tiles.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_TEST_TARGET_X86_CONTRACTHARNESS_H
#define QOPT_TEST_TARGET_X86_CONTRACTHARNESS_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include <string>

namespace qopt::test {

/// `text` is a module with @main. Its arguments get random values of their
/// types; those marked `{test.constant}` become constants, and of codes marked
/// `{test.codes = array<i32: ...>}` each is one of these. Dims that are `?` get
/// the values of `dims`, in order.
void expectEqualToReference(llvm::StringRef text,
                            llvm::ArrayRef<int64_t> dims = {});

/// The text with which a run fails; "" when it does not. Values and dims are as
/// above.
std::string messageOfRun(llvm::StringRef text,
                         llvm::ArrayRef<int64_t> dims = {});

/// Milliseconds of a run on `tier`, the best of several.
double measure(llvm::StringRef text, llvm::StringRef tier, int threads);

} // namespace qopt::test

#endif

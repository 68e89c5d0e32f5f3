//===- Npz.h - Files of numpy arrays ----------------------------*- C++ -*-===//
//
// Reads and writes .npy and .npz. Strict: pickles are refused, every size is
// checked against the bytes that are there, and no size in a file makes us
// allocate more than the file can hold.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_SUPPORT_NPZ_H
#define QOPT_SUPPORT_NPZ_H

#include "qopt/Support/HostTensor.h"
#include "llvm/ADT/StringRef.h"
#include <vector>

namespace qopt {

/// Reads one array from the bytes of a .npy file. `what` names it in messages.
/// Arrays in Fortran order are brought into C order.
llvm::Expected<HostTensor> parseNpy(llvm::StringRef bytes,
                                    llvm::StringRef what);

/// The header that a .npy file with these elements begins with. Types that
/// numpy does not have become bit patterns.
std::string makeNpyHeader(ElementType type, llvm::ArrayRef<int64_t> dims);

/// Reads all arrays from the bytes of a .npz file, in the file's order, with
/// their names without `.npy`.
llvm::Expected<std::vector<NamedTensor>> parseNpz(llvm::StringRef bytes,
                                                  llvm::StringRef what);

llvm::Expected<HostTensor> readNpy(llvm::StringRef path);
llvm::Expected<std::vector<NamedTensor>> readNpz(llvm::StringRef path);

/// Writes one array, or several under their names (uncompressed). The bytes
/// depend on nothing but the arguments.
llvm::Error writeNpy(llvm::StringRef path, const HostTensor &tensor);
llvm::Error writeNpz(llvm::StringRef path, llvm::ArrayRef<NamedTensor> tensors);

} // namespace qopt

#endif // QOPT_SUPPORT_NPZ_H

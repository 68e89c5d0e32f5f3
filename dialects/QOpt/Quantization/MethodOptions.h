//===- MethodOptions.h - What a method may be told --------------*- C++ -*-===//
//
// A rounding method or a transformation declares its options once, in its own
// file. The keys of recipes, their checks, --dump-recipe and the reference are
// derived from that; the options of a pass know no ranges, words and examples.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_QUANTIZATION_METHODOPTIONS_H
#define DIALECTS_QOPT_QUANTIZATION_METHODOPTIONS_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace qopt {

/// What an option takes.
struct OptionValues {
  /// Texts; empty with `isPattern` or a number.
  std::vector<llvm::StringRef> words;
  /// The empty text too, which leaves the choice to the format or the preset.
  bool mayBeEmpty = false;
  /// An extended regular expression.
  bool isPattern = false;
  /// A number from `least` to `most`.
  struct Range {
    double least, most;
    /// `least` itself is too small.
    bool isOpen = false;
  };
  std::optional<Range> range = std::nullopt;

  /// `floor, ceil, even`.
  std::string describe() const;
  /// What is wrong with a value.
  std::optional<std::string> findProblem(llvm::StringRef text) const;
};

/// The words alone.
OptionValues oneOf(std::vector<llvm::StringRef> words);
OptionValues flag();
/// A number from `least` to `most`.
OptionValues number(double least, double most);
/// A number above 0 and not above 1.
OptionValues shareAboveZero();

using OptionValue = std::variant<bool, int64_t, double, std::string>;

/// A number as people write it, from which it is read again as it was.
std::string formatNumber(double value);
std::string formatValue(const OptionValue &value);

/// The declaration of an option.
struct MethodOption {
  llvm::StringLiteral name;
  OptionValue initial;
  OptionValues values;
  std::string meaning;
  /// A value for the reference, and the preset that it changes.
  llvm::StringLiteral example;
  llvm::StringLiteral preset = "w8a8";
};

/// The values of declared options. The declarations outlive them.
class MethodOptions {
public:
  struct Entry {
    const MethodOption *declaration;
    OptionValue value;
  };

  MethodOptions() = default;
  explicit MethodOptions(llvm::ArrayRef<const MethodOption *> declarations);

  /// The value of an option, which is declared with this type.
  template <typename T> const T &get(llvm::StringRef name) const {
    return std::get<T>(find(name).value);
  }
  const OptionValue &getValue(llvm::StringRef name) const {
    return find(name).value;
  }
  void set(llvm::StringRef name, OptionValue value);

  /// Takes texts as in `damping=0.05`. Fails for what is not declared or does
  /// not take its value.
  llvm::Error read(llvm::ArrayRef<std::string> texts);
  /// What `read` takes, an entry for each option.
  std::vector<std::string> write() const;

  std::vector<Entry> entries;

private:
  const Entry &find(llvm::StringRef name) const;
};

} // namespace qopt

#endif

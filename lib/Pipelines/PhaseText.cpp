//===- PhaseText.cpp - What the text of a phase file may ask for ----------===//
//
// The text is looked at as the lexer sees it: no bracket counts in a string or
// a comment. Aliases are defined before other aliases use them.
//
//===----------------------------------------------------------------------===//

#include "PhaseText.h"

#include "qopt/Support/CodedError.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/MathExtras.h"

using namespace qopt;
using llvm::StringRef;

/// Levels that fit on the stack many times.
static constexpr uint64_t kMaxDepth = 256;

/// All aliases may stand for this much text whatever the size of the file, and
/// beyond it for a multiple of its size.
static constexpr uint64_t kMaxFreeSize = 256 << 20;
static constexpr uint64_t kMaxGrowth = 16;

namespace {
/// What a piece of text is, with the aliases in it replaced.
struct Extent {
  uint64_t depth = 0, size = 0;
};

class TextScan {
public:
  TextScan(StringRef text, StringRef path) : rest(text), path(path) {}

  llvm::Error run();

private:
  llvm::Error fail(const llvm::Twine &what) const {
    return makeError(ExitCode::BadData, path + ": " + what);
  }
  StringRef take(llvm::function_ref<bool(char)> isPart);
  void skipString();
  llvm::Error readAlias();
  llvm::Error open(uint64_t levels);

  StringRef rest, path;
  uint64_t depth = 0, size = 0;
  llvm::StringMap<Extent> aliases;
  /// The alias that is being defined; empty for none.
  StringRef defined;
  Extent extent;
};
} // namespace

static bool isWordPart(char c) {
  return llvm::isAlnum(c) || c == '_' || c == '$' || c == '.';
}

/// Drops and returns the characters at the front that are like `isPart`.
StringRef TextScan::take(llvm::function_ref<bool(char)> isPart) {
  StringRef word = rest.take_while(isPart);
  rest = rest.drop_front(word.size());
  return word;
}

/// Drops a string, which ends with its line at the latest.
void TextScan::skipString() {
  size_t i = 1;
  while (i < rest.size() && rest[i] != '"' && rest[i] != '\n')
    i += rest[i] == '\\' ? 2 : 1;
  rest = rest.drop_front(std::min(i + 1, rest.size()));
}

llvm::Error TextScan::open(uint64_t levels) {
  extent.depth = std::max(extent.depth, depth + levels);
  if (depth + levels > kMaxDepth)
    return fail("is nested too deeply");
  return llvm::Error::success();
}

/// Reads `#name` or `!name`: a use, or where a definition begins.
llvm::Error TextScan::readAlias() {
  StringRef start = rest;
  rest = rest.drop_front();
  size_t length =
      !rest.empty() && llvm::isDigit(rest.front())
          ? take(llvm::isDigit).size()
          : take([](char c) { return isWordPart(c) || c == '-'; }).size();
  StringRef name = start.take_front(1 + length);
  StringRef next = rest.ltrim();
  if (depth == 0 && next.starts_with("=") && !next.starts_with("==")) {
    if (!defined.empty())
      aliases[defined] = extent;
    defined = name;
    extent = Extent();
    return llvm::Error::success();
  }
  auto known = aliases.find(name);
  if (known == aliases.end())
    return llvm::Error::success();
  extent.size = llvm::SaturatingAdd(extent.size, known->second.size);
  size = llvm::SaturatingAdd(size, known->second.size);
  return open(known->second.depth);
}

llvm::Error TextScan::run() {
  const uint64_t maxSize = kMaxFreeSize + kMaxGrowth * rest.size();
  if (rest.starts_with("ML\xEFR"))
    return fail("expects text, but found bytecode");
  while (!rest.empty()) {
    const size_t before = rest.size();
    const char c = rest.front();
    if (c == '"') {
      skipString();
    } else if (rest.starts_with("//")) {
      rest = rest.drop_until([](char c) { return c == '\n'; });
    } else if (rest.starts_with("->")) {
      rest = rest.drop_front(2);
    } else if (c == '#' || c == '!') {
      if (llvm::Error error = readAlias())
        return error;
    } else if (isWordPart(c)) {
      StringRef word = take(isWordPart);
      // Their expressions nest without brackets.
      if (word == "affine_map" || word == "affine_set")
        return fail("expects no " + word);
    } else {
      rest = rest.drop_front();
      if (StringRef("([{<").contains(c)) {
        if (llvm::Error error = open(1))
          return error;
        ++depth;
      } else if (StringRef(")]}>").contains(c) && depth > 0) {
        --depth;
      }
    }
    extent.size = llvm::SaturatingAdd(extent.size, before - rest.size());
    if (size > maxSize)
      return fail("its aliases stand for more than " + llvm::Twine(maxSize) +
                  " characters");
  }
  return llvm::Error::success();
}

llvm::Error qopt::checkPhaseText(StringRef text, StringRef path) {
  return TextScan(text, path).run();
}

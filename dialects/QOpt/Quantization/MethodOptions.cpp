//===- MethodOptions.cpp - What a method may be told ----------------------===//

#include "dialects/QOpt/Quantization/MethodOptions.h"
#include "qopt/Support/CodedError.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/Regex.h"
#include "llvm/Support/raw_ostream.h"
#include <limits>

using namespace qopt;
using llvm::StringRef;

//===----------------------------------------------------------------------===//
// What an option takes
//===----------------------------------------------------------------------===//

std::string OptionValues::describe() const {
  if (isPattern)
    return "an extended regular expression";
  std::string text = llvm::join(words, ", ");
  if (!range)
    return text;
  text += text.empty() ? "a number " : " or a number ";
  text += (range->isOpen ? "above " : "from ") + formatNumber(range->least);
  if (range->most == std::numeric_limits<double>::infinity())
    return text + " upwards";
  return text + (range->isOpen ? " and not above " : " to ") +
         formatNumber(range->most);
}

std::optional<std::string> OptionValues::findProblem(StringRef text) const {
  if (mayBeEmpty && text.empty())
    return std::nullopt;
  if (isPattern) {
    std::string problem;
    if (llvm::Regex(text).isValid(problem))
      return std::nullopt;
    return ("'" + text + "' is no regular expression: " + problem).str();
  }
  double number;
  if (llvm::is_contained(words, text) ||
      (range && !text.getAsDouble(number) && number <= range->most &&
       (range->isOpen ? number > range->least : number >= range->least)))
    return std::nullopt;
  return ("expects " + describe() + ", but found '" + text + "'").str();
}

OptionValues qopt::oneOf(std::vector<StringRef> words) { return {words}; }

OptionValues qopt::flag() { return oneOf({"true", "false"}); }

OptionValues qopt::number(double least, double most) {
  return {{}, false, false, OptionValues::Range{least, most}};
}

OptionValues qopt::shareAboveZero() {
  return {{}, false, false, OptionValues::Range{0, 1, /*isOpen=*/true}};
}

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

std::string qopt::formatNumber(double value) {
  auto format = [&](const char *form) {
    std::string text;
    llvm::raw_string_ostream(text) << llvm::format(form, value);
    return text;
  };
  std::string text = format("%.9g");
  double read;
  return !StringRef(text).getAsDouble(read) && read == value ? text
                                                             : format("%.17g");
}

std::string qopt::formatValue(const OptionValue &value) {
  if (const bool *truth = std::get_if<bool>(&value))
    return *truth ? "true" : "false";
  if (const std::string *text = std::get_if<std::string>(&value))
    return *text;
  if (const int64_t *count = std::get_if<int64_t>(&value))
    return std::to_string(*count);
  return formatNumber(std::get<double>(value));
}

/// The value that `text` stands for, of the type of `like`; nothing where it is
/// none.
static std::optional<OptionValue> readValue(StringRef text,
                                            const OptionValue &like) {
  if (std::holds_alternative<std::string>(like))
    return text.str();
  if (std::holds_alternative<bool>(like))
    return text == "true"    ? std::optional<OptionValue>(true)
           : text == "false" ? std::optional<OptionValue>(false)
                             : std::nullopt;
  int64_t count;
  if (std::holds_alternative<int64_t>(like))
    return text.getAsInteger(10, count) ? std::nullopt
                                        : std::optional<OptionValue>(count);
  double real;
  return text.getAsDouble(real) ? std::nullopt
                                : std::optional<OptionValue>(real);
}

MethodOptions::MethodOptions(
    llvm::ArrayRef<const MethodOption *> declarations) {
  for (const MethodOption *declaration : declarations)
    entries.push_back({declaration, declaration->initial});
}

const MethodOptions::Entry &MethodOptions::find(StringRef name) const {
  for (const Entry &entry : entries)
    if (entry.declaration->name == name)
      return entry;
  llvm_unreachable("a method asks for an option that it does not declare");
}

void MethodOptions::set(StringRef name, OptionValue value) {
  auto &entry = const_cast<Entry &>(find(name));
  assert(entry.value.index() == value.index());
  entry.value = std::move(value);
}

llvm::Error MethodOptions::read(llvm::ArrayRef<std::string> texts) {
  for (StringRef text : texts) {
    auto [name, value] = text.split('=');
    auto entry = llvm::find_if(entries, [&, name = name](const Entry &entry) {
      return entry.declaration->name == name;
    });
    if (entry == entries.end())
      return makeError(ExitCode::BadUse, "unknown option '" + name + "'");
    auto problem = entry->declaration->values.findProblem(value);
    auto read = readValue(value, entry->value);
    if (problem || !read)
      return makeError(ExitCode::BadUse,
                       name + " " +
                           problem.value_or("expects a whole number, but "
                                            "found '" +
                                            value.str() + "'"));
    entry->value = std::move(*read);
  }
  return llvm::Error::success();
}

std::vector<std::string> MethodOptions::write() const {
  std::vector<std::string> texts;
  for (const Entry &entry : entries)
    texts.push_back(
        (entry.declaration->name + "=" + formatValue(entry.value)).str());
  return texts;
}

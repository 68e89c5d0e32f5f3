//===- QOptAttrs.cpp - Attributes of the qopt dialect ---------------------===//
//
// Text forms of formats and weights. A weight's text names a file; parsing maps
// that part of the file again and checks its hash.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/IR/Formats.h"
#include "dialects/QOpt/IR/QOptDialect.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace mlir;
using namespace qopt;

//===----------------------------------------------------------------------===//
// FormatAttr
//===----------------------------------------------------------------------===//

static bool isBareName(StringRef name) {
  return !name.empty() && llvm::isAlpha(name.front()) &&
         llvm::all_of(name,
                      [](char c) { return llvm::isAlnum(c) || c == '_'; });
}

void FormatAttr::print(AsmPrinter &printer) const {
  printer << "<";
  if (isBareName(getName()))
    printer << getName();
  else
    printer << '"' << getName() << '"';
  if (getAxis() >= 0)
    printer << ", axis = " << getAxis();
  if (getBlock() > 0)
    printer << ", block = " << getBlock();
  if (getScale())
    printer << ", scale = " << getScale();
  if (getZero())
    printer << ", zero = " << getZero();
  printer << ">";
}

Attribute FormatAttr::parse(AsmParser &parser, Type) {
  std::string name;
  int64_t axis = -1, block = 0;
  Type scale, zero;
  if (parser.parseLess() || parser.parseKeywordOrString(&name))
    return {};
  while (succeeded(parser.parseOptionalComma())) {
    StringRef key;
    SMLoc where = parser.getCurrentLocation();
    if (parser.parseKeyword(&key) || parser.parseEqual())
      return {};
    ParseResult parsed =
        llvm::StringSwitch<function_ref<ParseResult()>>(key)
            .Case("axis", [&] { return parser.parseInteger(axis); })
            .Case("block", [&] { return parser.parseInteger(block); })
            .Case("scale", [&] { return parser.parseType(scale); })
            .Case("zero", [&] { return parser.parseType(zero); })
            .Default([&]() -> ParseResult {
              return parser.emitError(where,
                                      "expects axis, block, scale or zero, but "
                                      "found ")
                     << key;
            })();
    if (parsed)
      return {};
  }
  if (parser.parseGreater())
    return {};
  return parser.getChecked<FormatAttr>(parser.getContext(), name, axis, block,
                                       scale, zero);
}

LogicalResult FormatAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                                 StringRef name, int64_t axis, int64_t block,
                                 Type scale, Type zero) {
  // format_c1
  if (!lookupFormat(name))
    return emitError() << "unknown format '" << name << "'";
  // format_c2
  if (axis < -1)
    return emitError() << "expects an axis of 0 or more, but found " << axis;
  // format_c3
  if (block < 0)
    return emitError() << "expects a block of 1 or more, but found " << block;
  return success();
}

bool FormatAttr::isBlocked() const { return getBlockSize() > 0; }

int64_t FormatAttr::getBlockSize() const {
  return getBlock() > 0 ? getBlock() : lookupFormat(getName())->block;
}

Type FormatAttr::getElementType() const {
  return typeOf(lookupFormat(getName())->element, getContext());
}

SmallVector<Type> FormatAttr::getScaleTypes() const {
  SmallVector<Type> types;
  for (ElementFormat format : lookupFormat(getName())->scales)
    types.push_back(typeOf(format, getContext()));
  if (getScale() && !types.empty())
    types.front() = getScale();
  return types;
}

//===----------------------------------------------------------------------===//
// WeightAttr
//===----------------------------------------------------------------------===//

void WeightAttr::print(AsmPrinter &printer) const {
  const WeightBlob &blob = *getBlob();
  printer << "<\"";
  if (blob.file.empty() && blob.bytes.size() <= kMaxHexBytes)
    printer << "hex:" << llvm::toHex(blob.bytes, /*LowerCase=*/true);
  else
    printer << blob.file << "@" << blob.offsetInBytes << "+"
            << blob.bytes.size() << ":" << blob.sha256;
  printer << "\">";
}

/// Maps `length` bytes at `offset` of `file` into the store.
static const WeightBlob *mapWeight(AsmParser &parser, SMLoc where,
                                   WeightStore &store, StringRef file,
                                   uint64_t offset, uint64_t length) {
  // A length that the file does not have, or a device, must not be read.
  llvm::sys::fs::file_status status;
  std::error_code code = llvm::sys::fs::status(file, status);
  bool isInFile = !code && llvm::sys::fs::is_regular_file(status) &&
                  offset <= status.getSize() &&
                  length <= status.getSize() - offset;
  if (!isInFile) {
    InFlightDiagnostic problem =
        parser.emitError(where) << "cannot read weight from '" << file << "': ";
    if (code)
      problem << code.message();
    else
      problem << "it does not hold " << length << " bytes at offset " << offset;
    return nullptr;
  }
  auto buffer = llvm::MemoryBuffer::getFileSlice(file, length, offset);
  if (!buffer) {
    parser.emitError(where, "cannot read weight from '")
        << file << "': " << buffer.getError().message();
    return nullptr;
  }
  std::shared_ptr<llvm::MemoryBuffer> owner = std::move(*buffer);
  ArrayRef<uint8_t> bytes(
      reinterpret_cast<const uint8_t *>(owner->getBufferStart()),
      owner->getBufferSize());
  return store.addMapped(bytes, owner, file, offset);
}

Attribute WeightAttr::parse(AsmParser &parser, Type) {
  std::string text;
  SMLoc where = parser.getCurrentLocation();
  if (parser.parseLess() || parser.parseString(&text) || parser.parseGreater())
    return {};
  MLIRContext *context = parser.getContext();
  WeightStore &store =
      context->getOrLoadDialect<QOptDialect>()->getWeightStore();
  StringRef rest = text;
  if (rest.consume_front("hex:")) {
    std::string bytes;
    if (!llvm::tryGetFromHex(rest, bytes)) {
      parser.emitError(where, "expects hexadecimal digits after 'hex:'");
      return {};
    }
    return WeightAttr::get(context, store.addOwned(std::vector<uint8_t>(
                                        bytes.begin(), bytes.end())));
  }
  auto [location, hash] = rest.rsplit(':');
  auto [file, range] = location.rsplit('@');
  auto [offsetText, lengthText] = range.split('+');
  uint64_t offset, length;
  if (offsetText.getAsInteger(10, offset) ||
      lengthText.getAsInteger(10, length)) {
    parser.emitError(where, "expects 'file@offset+length:sha256' or 'hex:...'");
    return {};
  }
  if (const WeightBlob *known = store.lookup(hash))
    return WeightAttr::get(context, known);
  const WeightBlob *blob =
      mapWeight(parser, where, store, file, offset, length);
  if (!blob)
    return {};
  if (blob->sha256 != hash || blob->bytes.size() != length) {
    parser.emitError(where, "weight in '")
        << file << "' has changed: expects sha256 " << hash << ", but found "
        << blob->sha256;
    return {};
  }
  return WeightAttr::get(context, blob);
}

#define GET_ATTRDEF_CLASSES
#include "dialects/QOpt/IR/QOptAttrs.cpp.inc"

void QOptDialect::registerAttributes() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/QOpt/IR/QOptAttrs.cpp.inc"
      >();
}

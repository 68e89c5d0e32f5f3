//===- Npy.cpp - One numpy array --------------------------------*- C++ -*-===//
//
// The header is a Python dictionary. Only the form that numpy writes is
// accepted: three known keys, each once, in any order.
//
//===----------------------------------------------------------------------===//

#include "qopt/Support/AtomicFile.h"
#include "qopt/Support/CodedError.h"
#include "qopt/Support/MappedFile.h"
#include "qopt/Support/Npz.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Endian.h"
#include <cstring>

using namespace qopt;
using llvm::StringRef;

/// Far more than three keys take; numpy itself stops at 10000.
static constexpr uint64_t kMaxHeaderSize = 65535;
static constexpr StringRef kNpyMagic("\x93NUMPY", 6);

namespace {
struct TypeCode {
  StringRef text;
  ElementType type;
};

struct NpyHeader {
  ElementType type = ElementType::F32;
  llvm::SmallVector<int64_t, 6> dims;
  bool isFortranOrder = false;
  /// Where the elements begin.
  size_t size = 0;
};

/// Reads the dictionary in the header, token by token.
class HeaderParser {
public:
  HeaderParser(StringRef text, StringRef what) : rest(text), what(what) {}

  llvm::Error parse(NpyHeader &header);

private:
  llvm::Error fail(const llvm::Twine &reason) const {
    return makeError(ExitCode::BadData, what + ": bad .npy header: " + reason);
  }
  bool consume(char token) {
    rest = rest.ltrim(" \n");
    return rest.consume_front(StringRef(&token, 1));
  }
  llvm::Error parseString(StringRef &value);
  llvm::Error parseEntry(NpyHeader &header);
  llvm::Error parseType(NpyHeader &header);
  llvm::Error parseOrder(NpyHeader &header);
  llvm::Error parseShape(NpyHeader &header);

  StringRef rest;
  StringRef what;
  bool hasType = false, hasOrder = false, hasShape = false;
};
} // namespace

static const TypeCode kTypeCodes[] = {
    {"|b1", ElementType::BOOL}, {"|i1", ElementType::I8},
    {"|u1", ElementType::U8},   {"<i2", ElementType::I16},
    {"<u2", ElementType::U16},  {"<i4", ElementType::I32},
    {"<u4", ElementType::U32},  {"<i8", ElementType::I64},
    {"<u8", ElementType::U64},  {"<f2", ElementType::F16},
    {"<f4", ElementType::F32},  {"<f8", ElementType::F64},
};

llvm::Error HeaderParser::parseString(StringRef &value) {
  rest = rest.ltrim(" \n");
  if (rest.empty() || (rest[0] != '\'' && rest[0] != '"'))
    return fail("expected a string");
  size_t end = rest.find(rest[0], 1);
  if (end == StringRef::npos)
    return fail("a string does not end");
  value = rest.slice(1, end);
  rest = rest.drop_front(end + 1);
  return llvm::Error::success();
}

llvm::Error HeaderParser::parseType(NpyHeader &header) {
  rest = rest.ltrim(" \n");
  if (rest.starts_with("["))
    return fail("arrays of records are not supported");
  StringRef code;
  if (llvm::Error error = parseString(code))
    return error;
  for (const TypeCode &entry : kTypeCodes) {
    // numpy also writes '<i1' and '=b1' for single bytes on request.
    if (code == entry.text || (code.size() == 3 && entry.text[0] == '|' &&
                               code.drop_front() == entry.text.drop_front())) {
      header.type = entry.type;
      return llvm::Error::success();
    }
  }
  if (code.contains('O'))
    return fail("the array holds Python objects (a pickle), which are never "
                "loaded");
  if (code.starts_with(">"))
    return fail("element type '" + code +
                "' is big-endian; store the array in little-endian order");
  return fail("element type '" + code + "' is not supported");
}

llvm::Error HeaderParser::parseOrder(NpyHeader &header) {
  rest = rest.ltrim(" \n");
  if (rest.consume_front("False"))
    header.isFortranOrder = false;
  else if (rest.consume_front("True"))
    header.isFortranOrder = true;
  else
    return fail("expected True or False for 'fortran_order'");
  return llvm::Error::success();
}

llvm::Error HeaderParser::parseShape(NpyHeader &header) {
  if (!consume('('))
    return fail("expected a tuple for 'shape'");
  while (!consume(')')) {
    rest = rest.ltrim(" \n");
    uint64_t dim;
    StringRef digits = rest.take_while(llvm::isDigit);
    if (digits.empty() || digits.getAsInteger(10, dim) || dim > INT64_MAX)
      return fail("expected a size in 'shape'");
    // numpy itself stops at 64.
    if (header.dims.size() == 64)
      return fail("more than 64 dims");
    header.dims.push_back(dim);
    rest = rest.drop_front(digits.size());
    rest.consume_front("L");
    if (consume(','))
      continue;
    if (consume(')'))
      break;
    return fail("expected ',' or ')' in 'shape'");
  }
  return llvm::Error::success();
}

llvm::Error HeaderParser::parseEntry(NpyHeader &header) {
  StringRef key;
  if (llvm::Error error = parseString(key))
    return error;
  if (!consume(':'))
    return fail("expected ':'");
  if (key == "descr" && !hasType) {
    hasType = true;
    return parseType(header);
  }
  if (key == "fortran_order" && !hasOrder) {
    hasOrder = true;
    return parseOrder(header);
  }
  if (key == "shape" && !hasShape) {
    hasShape = true;
    return parseShape(header);
  }
  return fail("unexpected or repeated key '" + key + "'");
}

llvm::Error HeaderParser::parse(NpyHeader &header) {
  if (!consume('{'))
    return fail("expected '{'");
  while (!consume('}')) {
    if (llvm::Error error = parseEntry(header))
      return error;
    if (consume(','))
      continue;
    if (consume('}'))
      break;
    return fail("expected ',' or '}'");
  }
  if (!rest.trim(" \n").empty())
    return fail("bytes behind the dictionary");
  if (!hasType || !hasOrder || !hasShape)
    return fail("a key of 'descr', 'fortran_order', 'shape' is missing");
  return llvm::Error::success();
}

static llvm::Expected<NpyHeader> parseHeader(StringRef bytes, StringRef what) {
  auto fail = [&](const llvm::Twine &reason) {
    return makeError(ExitCode::BadData, what + ": " + reason);
  };
  if (!bytes.starts_with(kNpyMagic))
    return fail("is not a .npy file");
  if (bytes.size() < 10)
    return fail("the .npy header is cut short");
  unsigned version = static_cast<unsigned char>(bytes[6]);
  if (version < 1 || version > 3)
    return fail("unknown .npy version " + llvm::Twine(version));
  size_t start = version == 1 ? 10 : 12;
  if (bytes.size() < start)
    return fail("the .npy header is cut short");
  uint64_t length = version == 1
                        ? llvm::support::endian::read16le(bytes.data() + 8)
                        : llvm::support::endian::read32le(bytes.data() + 8);
  if (length > bytes.size() - start)
    return fail("the .npy header is cut short");
  if (length > kMaxHeaderSize)
    return fail("expects a .npy header of " + llvm::Twine(kMaxHeaderSize) +
                " bytes or fewer, but found " + llvm::Twine(length));

  NpyHeader header;
  HeaderParser parser(bytes.substr(start, length), what);
  if (llvm::Error error = parser.parse(header))
    return std::move(error);
  header.size = start + length;
  return header;
}

/// The elements of `source`, whose first dim varies fastest, in C order.
static void copyFromFortranOrder(llvm::ArrayRef<int64_t> dims, unsigned width,
                                 const char *source, char *target) {
  llvm::SmallVector<int64_t, 6> index(dims.size(), 0), strides(dims.size());
  int64_t stride = width;
  int64_t count = 1;
  for (size_t axis = 0; axis < dims.size(); ++axis) {
    strides[axis] = stride;
    stride *= dims[axis];
    count *= dims[axis];
  }
  int64_t offset = 0;
  for (int64_t i = 0; i < count; ++i) {
    std::memcpy(target + i * width, source + offset, width);
    for (size_t axis = dims.size(); axis-- > 0;) {
      offset += strides[axis];
      if (++index[axis] < dims[axis])
        break;
      offset -= strides[axis] * dims[axis];
      index[axis] = 0;
    }
  }
}

llvm::Expected<HostTensor> qopt::parseNpy(StringRef bytes, StringRef what) {
  llvm::Expected<NpyHeader> header = parseHeader(bytes, what);
  if (!header)
    return header.takeError();
  StringRef elements = bytes.drop_front(header->size);
  std::optional<uint64_t> size = computeSizeInBytes(header->type, header->dims);
  if (!size)
    return makeError(ExitCode::BadData, what + ": the size of an array of " +
                                            formatDims(header->dims) +
                                            " overflows");
  if (*size != elements.size())
    return makeError(ExitCode::BadData,
                     what + ": an array of " + formatDims(header->dims) + " " +
                         getName(header->type) + " takes " +
                         llvm::Twine(*size) + " bytes, but found " +
                         llvm::Twine(elements.size()));
  if (!header->isFortranOrder || header->dims.size() < 2)
    return HostTensor::copy(header->type, header->dims,
                            {elements.data(), elements.size()});

  llvm::Expected<HostTensor> tensor =
      HostTensor::allocate(header->type, header->dims);
  if (tensor && *size != 0)
    copyFromFortranOrder(header->dims, getBytesPerElement(header->type),
                         elements.data(), tensor->getMutableData());
  return tensor;
}

std::string qopt::makeNpyHeader(ElementType type,
                                llvm::ArrayRef<int64_t> dims) {
  StringRef code;
  for (const TypeCode &entry : kTypeCodes)
    if (entry.type == getNumpyType(type))
      code = entry.text;
  std::string text =
      ("{'descr': '" + code + "', 'fortran_order': False, 'shape': (").str();
  for (size_t axis = 0; axis < dims.size(); ++axis)
    text += (axis == 0 ? "" : " ") + std::to_string(dims[axis]) +
            (axis + 1 < dims.size() || dims.size() == 1 ? "," : "");
  text += "), }";
  // Magic, version and length take ten bytes; elements begin at a multiple of
  // 64.
  text.resize(llvm::alignTo(10 + text.size() + 1, 64) - 10 - 1, ' ');
  text += '\n';
  char length[2];
  llvm::support::endian::write16le(length, text.size());
  return kNpyMagic.str() + std::string("\x01\x00", 2) + std::string(length, 2) +
         text;
}

llvm::Expected<HostTensor> qopt::readNpy(StringRef path) {
  llvm::Expected<MappedFile> file = MappedFile::open(path);
  if (!file)
    return file.takeError();
  return parseNpy(file->getText(), path);
}

llvm::Error qopt::writeNpy(StringRef path, const HostTensor &tensor) {
  llvm::Expected<std::unique_ptr<AtomicFile>> file = AtomicFile::create(path);
  if (!file)
    return file.takeError();
  if (llvm::Error error =
          (*file)->write(makeNpyHeader(tensor.getType(), tensor.getDims())))
    return error;
  if (llvm::Error error =
          (*file)->write({tensor.getData(), tensor.getSizeInBytes()}))
    return error;
  return (*file)->commit();
}

//===- WeightQuantizer.cpp - Codes and scales of a weight -----------------===//
//
// A weight is seen as groups of elements that share a scale; each group is
// gathered, quantized and scattered on its own.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/Quantization/WeightQuantizer.h"
#include "dialects/QOpt/IR/Formats.h"
#include "dialects/QOpt/IR/HostConstants.h"
#include "qopt/Support/CodedError.h"
#include <cmath>
#include <limits>

using namespace mlir;
using namespace qopt;

/// Ranges tried by the clip search: the full one and 39 that are smaller, each
/// by a hundredth.
static constexpr int kClipSteps = 40;

/// Block scales of NVFP4 tried by it: this many codes below the one that takes
/// the largest element to 6, and as many above as take it to 4.
static constexpr int kNvfp4CodesBelow = 3, kNvfp4CodesAbove = 5;

uint8_t qopt::roundScaleToPow2(float scale, Pow2Rounding rounding) {
  int exponent;
  float mantissa =
      std::frexp(scale, &exponent); // scale = mantissa * 2^exponent
  int floorExponent = exponent - 1;
  bool isExact = mantissa == 0.5f;
  int chosen = floorExponent;
  if (rounding == Pow2Rounding::Ceil)
    chosen += !isExact;
  else if (rounding != Pow2Rounding::Floor)
    chosen += double(mantissa) * mantissa * 4 > 2.0; // mantissa * 2 > sqrt(2)
  return static_cast<uint8_t>(std::clamp(chosen + 127, 0, 254));
}

int qopt::roundToIntegerGrid(float value, float scale, int zero,
                             const ElementFormatInfo &info, bool isSymmetric) {
  int low = isSymmetric ? info.symmetricMin : info.integerMin;
  int high = isSymmetric ? info.symmetricMax : info.integerMax;
  float code =
      std::nearbyintf(value * (1.0f / scale)) + static_cast<float>(zero);
  return static_cast<int>(
      std::clamp(code, static_cast<float>(low), static_cast<float>(high)));
}

float qopt::roundFactorToPow2(float factor) {
  uint8_t byte = roundScaleToPow2(factor, Pow2Rounding::Nearest);
  return std::clamp(decodeE8M0(byte), 0x1p-24f, 0x1p24f);
}

namespace {
/// One group: its values, and where its codes and parameters go.
struct Group {
  SmallVector<int64_t> elements;
  int64_t parameter;
};

/// Splits a tensor into groups that share a scale.
class Grouping {
public:
  Grouping(ArrayRef<int64_t> dims, FormatAttr format) : dims(dims) {
    axis = format.getAxis();
    block = format.isBlocked() ? format.getBlockSize() : 0;
    scaleDims.assign(dims.size(), 1);
    if (block > 0) {
      scaleDims.assign(dims.begin(), dims.end());
      scaleDims[axis] = (dims[axis] + block - 1) / block;
    } else if (axis >= 0) {
      scaleDims[axis] = dims[axis];
    }
  }

  bool isBlocked() const { return block > 0; }
  ArrayRef<int64_t> getScaleDims() const { return scaleDims; }

  /// Dims of one parameter for all groups along the axis.
  SmallVector<int64_t> getChannelDims() const {
    SmallVector<int64_t> channelDims(scaleDims);
    if (axis >= 0)
      channelDims[axis] = 1;
    return channelDims;
  }

  /// The index, in a tensor of `getChannelDims()`, of a group's channel.
  int64_t getChannel(int64_t parameter) const {
    if (axis < 0)
      return 0;
    int64_t inner = 1;
    for (int64_t dim : ArrayRef(scaleDims).drop_front(axis + 1))
      inner *= dim;
    return parameter / (inner * scaleDims[axis]) * inner + parameter % inner;
  }

  void forEach(llvm::function_ref<void(const Group &)> visit) const {
    int64_t total = 1, outer = 1, inner = 1;
    for (auto [i, dim] : llvm::enumerate(dims)) {
      total *= dim;
      if (axis >= 0)
        (static_cast<int64_t>(i) < axis ? outer : inner) *=
            static_cast<int64_t>(i) == axis ? 1 : dim;
    }
    Group group;
    if (axis < 0) {
      for (int64_t i = 0; i < total; ++i)
        group.elements.push_back(i);
      group.parameter = 0;
      return visit(group);
    }
    int64_t size = dims[axis];
    if (block == 0) {
      for (int64_t a = 0; a < size; ++a) {
        group.elements.clear();
        group.parameter = a;
        for (int64_t o = 0; o < outer; ++o)
          for (int64_t i = 0; i < inner; ++i)
            group.elements.push_back((o * size + a) * inner + i);
        visit(group);
      }
      return;
    }
    int64_t blocks = scaleDims[axis];
    for (int64_t o = 0; o < outer; ++o)
      for (int64_t b = 0; b < blocks; ++b)
        for (int64_t i = 0; i < inner; ++i) {
          group.elements.clear();
          group.parameter = (o * blocks + b) * inner + i;
          for (int64_t a = b * block, e = std::min(size, a + block); a < e; ++a)
            group.elements.push_back((o * size + a) * inner + i);
          visit(group);
        }
  }

private:
  ArrayRef<int64_t> dims;
  int64_t axis, block;
  SmallVector<int64_t> scaleDims;
};

/// Scale and zero of a group on an integer grid.
struct IntegerParameters {
  float scale = 1;
  uint32_t scaleCode = 0;
  int zero = 0;
};

/// Quantizes the groups of one weight.
class WeightQuantizer {
public:
  WeightQuantizer(const HostTensor &weight, FormatAttr format,
                  const WeightQuantizerOptions &options)
      : weight(weight), row(*lookupFormat(format.getName())), options(options),
        grouping(weight.getDims(), format) {
    for (Type type : format.getScaleTypes())
      scaleFormats.push_back(*elementFormatOf(type));
    if (format.getZero())
      zeroFormat = elementFormatOf(format.getZero());
  }

  llvm::Expected<QuantizedWeight> run(MLIRContext *context) {
    for (float value : weight.as<float>())
      if (!std::isfinite(value))
        return makeError(ExitCode::BadData, "a weight is not finite");
    if (llvm::Error error = allocate(context))
      return std::move(error);
    if (row.name == "nvfp4")
      quantizeNvfp4();
    else if (row.hasSharedExponent())
      quantizeSharedExponents();
    else if (usesChannelScale())
      quantizeRatios();
    else
      quantizeIntegers();
    return std::move(result);
  }

private:
  llvm::Error allocate(MLIRContext *context) {
    auto add = [&](ElementFormat format, ArrayRef<int64_t> dims,
                   HostTensor &out) -> llvm::Error {
      auto tensor = HostTensor::allocate(
          *getHostElementType(typeOf(format, context)), dims);
      if (!tensor)
        return tensor.takeError();
      out = std::move(*tensor);
      return llvm::Error::success();
    };
    if (llvm::Error error = add(row.element, weight.getDims(), result.codes))
      return error;
    for (ElementFormat format : scaleFormats) {
      SmallVector<int64_t> dims(grouping.getScaleDims());
      if (!result.scales.empty())
        dims.assign(dims.size(), 1);
      if (llvm::Error error = add(format, dims, result.scales.emplace_back()))
        return error;
    }
    if (usesChannelScale())
      if (llvm::Error error = add(ElementFormat::F32, grouping.getChannelDims(),
                                  result.scales.emplace_back()))
        return error;
    if (!zeroFormat)
      return llvm::Error::success();
    return add(*zeroFormat, grouping.getScaleDims(),
               result.zeros.emplace_back());
  }

  SmallVector<float> gather(const Group &group) const {
    SmallVector<float> values;
    for (int64_t element : group.elements)
      values.push_back(weight.as<float>()[element]);
    return values;
  }

  void storeCodes(const Group &group, ArrayRef<uint8_t> codes) {
    for (auto [element, code] : llvm::zip_equal(group.elements, codes))
      result.codes.getMutableData()[element] = static_cast<char>(code);
  }

  /// Writes a scale's code into its tensor, whatever the scale's width.
  static void storeCode(HostTensor &tensor, int64_t index, uint32_t code) {
    unsigned width = getBytesPerElement(tensor.getType());
    std::memcpy(tensor.getMutableData() + index * width, &code, width);
  }

  //===--------------------------------------------------------------------===//
  // Integers
  //===--------------------------------------------------------------------===//

  int codeOf(float value, const IntegerParameters &p) const {
    return roundToIntegerGrid(value, p.scale, p.zero, row.elementInfo(),
                              !zeroFormat);
  }

  /// Parameters with a given scale for a range that begins at `low`.
  IntegerParameters parametersWith(float scale, uint32_t scaleCode,
                                   float low) const {
    const ElementFormatInfo &info = row.elementInfo();
    IntegerParameters p;
    p.scale = scale;
    p.scaleCode = scaleCode;
    if (zeroFormat)
      p.zero = static_cast<int>(
          std::clamp(std::nearbyintf(-low / scale) + info.integerMin,
                     static_cast<float>(info.integerMin),
                     static_cast<float>(info.integerMax)));
    return p;
  }

  /// Parameters for the range [low, high], with the scale rounded to `type`.
  IntegerParameters parametersFor(float low, float high, ElementFormat type,
                                  int pow2Step) const {
    const ElementFormatInfo &info = row.elementInfo();
    float peak = std::max(std::abs(low), std::abs(high));
    float scale =
        zeroFormat
            ? (high / 2 - low / 2) /
                  (static_cast<float>(info.integerMax - info.integerMin) / 2)
            : peak / static_cast<float>(info.symmetricMax);
    // The reciprocal of a smaller one is no number.
    scale = scale > 0 ? std::max(scale, 0x1p-126f) : 1;
    uint32_t code;
    if (type == ElementFormat::F8E8M0FNU) {
      Pow2Rounding rounding = options.pow2Rounding == Pow2Rounding::Best
                                  ? Pow2Rounding::Floor
                                  : options.pow2Rounding;
      code = std::min(254, roundScaleToPow2(scale, rounding) + pow2Step);
    } else {
      code = encode(std::min(scale, infoOf(type).max), type);
    }
    if (!(decode(code, type) > 0)) // below the type's smallest value
      code = encode(1.0f, type);
    return parametersWith(decode(code, type), code, low);
  }

  /// The sum, in order, or a part of it that has reached `limit`.
  double
  squaredError(ArrayRef<float> values, const IntegerParameters &p,
               double limit = std::numeric_limits<double>::infinity()) const {
    constexpr size_t kStride = 64; // values between two looks at the limit
    double sum = 0;
    while (!values.empty() && sum < limit) {
      for (float value : values.take_front(kStride)) {
        double error =
            value - static_cast<double>(p.scale) * (codeOf(value, p) - p.zero);
        sum += error * error;
      }
      values = values.drop_front(std::min(kStride, values.size()));
    }
    return sum;
  }

  /// The range of a group's values and 0.
  static std::pair<float, float> rangeOf(ArrayRef<float> values) {
    float low = 0, high = 0;
    for (float value : values) {
      low = std::min(low, value);
      high = std::max(high, value);
    }
    return {low, high};
  }

  IntegerParameters searchParameters(ArrayRef<float> values,
                                     ElementFormat type) const {
    auto [low, high] = rangeOf(values);
    bool isPow2 = type == ElementFormat::F8E8M0FNU;
    bool triesNext = isPow2 && options.pow2Rounding == Pow2Rounding::Best;
    int clips = options.clipSearch && !isPow2 ? kClipSteps : 1;
    IntegerParameters best;
    double bestError = std::numeric_limits<double>::infinity();
    for (int clip = 0; clip < clips; ++clip) {
      float keep = 1.0f - static_cast<float>(clip) / 100.0f;
      for (int step = 0; step <= (triesNext ? 1 : 0); ++step) {
        IntegerParameters p =
            parametersFor(low * keep, high * keep, type, step);
        double error = squaredError(values, p, bestError);
        if (error < bestError || (clip == 0 && step == 0)) {
          best = p;
          bestError = error;
        }
      }
    }
    return best;
  }

  void store(const Group &group, ArrayRef<float> values,
             const IntegerParameters &p) {
    SmallVector<uint8_t> codes;
    for (float value : values)
      codes.push_back(static_cast<uint8_t>(codeOf(value, p)) &
                      row.elementInfo().codeMask());
    storeCodes(group, codes);
    storeCode(result.scales[0], group.parameter, p.scaleCode);
    if (zeroFormat)
      storeCode(result.zeros[0], group.parameter,
                static_cast<uint32_t>(p.zero) & infoOf(*zeroFormat).codeMask());
  }

  void quantizeIntegers() {
    grouping.forEach([&](const Group &group) {
      SmallVector<float> values = gather(group);
      store(group, values, searchParameters(values, scaleFormats.front()));
    });
  }

  //===--------------------------------------------------------------------===//
  // Powers of two times a channel's scale
  //===--------------------------------------------------------------------===//

  bool usesChannelScale() const {
    return options.hasChannelScale && grouping.isBlocked() &&
           row.elementInfo().isInteger() &&
           scaleFormats.front() == ElementFormat::F8E8M0FNU;
  }

  /// Parameters with a scale of `largest` / 2^k, k near log2(largest / scale).
  IntegerParameters ratioParameters(ArrayRef<float> values, float scale,
                                    float largest) const {
    int exponent;
    double mantissa =
        std::frexp(static_cast<double>(largest) / scale, &exponent);
    int k = exponent - 1;
    if (options.pow2Rounding == Pow2Rounding::Ceil)
      k += mantissa != 0.5;
    else if (options.pow2Rounding == Pow2Rounding::Nearest)
      k += mantissa * mantissa * 4 > 2.0;
    float low = rangeOf(values).first;
    auto withRatio = [&](int log2) {
      log2 = std::min(log2, 126);
      return parametersWith(std::max(std::ldexp(largest, -log2), 0x1p-126f),
                            127 - log2, low);
    };
    IntegerParameters p = withRatio(k);
    if (options.pow2Rounding != Pow2Rounding::Best)
      return p;
    IntegerParameters finer = withRatio(k + 1);
    return squaredError(values, finer) < squaredError(values, p) ? finer : p;
  }

  void quantizeRatios() {
    auto largest = result.scales[1].asMutable<float>();
    SmallVector<float> own(result.scales[0].getNumElements(), 0.0f);
    grouping.forEach([&](const Group &group) {
      SmallVector<float> values = gather(group);
      auto [low, high] = rangeOf(values);
      if (low == 0 && high == 0)
        return;
      float scale = searchParameters(values, ElementFormat::F32).scale;
      own[group.parameter] = scale;
      float &channel = largest[grouping.getChannel(group.parameter)];
      channel = std::max(channel, scale);
    });
    for (float &scale : largest)
      scale = scale > 0 ? scale : 1;
    grouping.forEach([&](const Group &group) {
      SmallVector<float> values = gather(group);
      float channel = largest[grouping.getChannel(group.parameter)];
      float scale = own[group.parameter] > 0 ? own[group.parameter] : channel;
      store(group, values, ratioParameters(values, scale, channel));
    });
  }

  //===--------------------------------------------------------------------===//
  // Shared exponents
  //===--------------------------------------------------------------------===//

  double sharedError(ArrayRef<float> values, int exponent,
                     SmallVectorImpl<uint8_t> &codes) const {
    codes.clear();
    double sum = 0;
    for (float value : values) {
      codes.push_back(unitEncode(std::ldexp(value, -exponent), row));
      double error =
          value - std::ldexp(static_cast<double>(unitDecode(codes.back(), row)),
                             exponent);
      sum += error * error;
    }
    return sum;
  }

  void quantizeSharedExponents() {
    SmallVector<uint8_t> codes, other;
    grouping.forEach([&](const Group &group) {
      SmallVector<float> values = gather(group);
      float peak = 0;
      for (float value : values)
        peak = std::max(peak, std::abs(value));
      uint8_t byte = 0;
      if (peak == 0) {
        codes.assign(values.size(), 0);
      } else {
        // Floor may saturate the largest elements; the next exponent does not.
        int exponent = mxSharedExponent(peak, row, ScaleRule::Floor);
        double error = sharedError(values, exponent, codes);
        if (exponent < 127 &&
            sharedError(values, exponent + 1, other) < error) {
          ++exponent;
          codes = other;
        }
        byte = static_cast<uint8_t>(exponent + 127);
      }
      storeCodes(group, codes);
      storeCode(result.scales[0], group.parameter, byte);
    });
  }

  void quantizeNvfp4() {
    float peak = 0;
    for (float value : weight.as<float>())
      peak = std::max(peak, std::abs(value));
    float encodeScale = nvfp4EncodeScale(peak);
    result.scales[1].asMutable<float>()[0] = 1.0f / encodeScale;
    grouping.forEach([&](const Group &group) {
      SmallVector<float> values = gather(group);
      SmallVector<uint8_t> codes(values.size());
      uint8_t scale = quantizeNvfp4Block(values, encodeScale, codes);
      if (options.clipSearch && scale != 0)
        scale = searchNvfp4Scale(values, encodeScale, scale, codes);
      storeCodes(group, codes);
      storeCode(result.scales[0], group.parameter, scale);
    });
  }

  /// The scale near `first` with the smallest squared error, and its codes.
  static uint8_t searchNvfp4Scale(ArrayRef<float> values, float encodeScale,
                                  uint8_t first,
                                  SmallVectorImpl<uint8_t> &codes) {
    uint8_t best = first;
    double bestError = nvfp4Error(values, encodeScale, first, codes);
    uint8_t largest =
        encode(infoOf(ElementFormat::F8E4M3FN).max, ElementFormat::F8E4M3FN);
    SmallVector<uint8_t> tried(values.size());
    for (int code = std::max(first - kNvfp4CodesBelow, 1),
             last = std::min<int>(first + kNvfp4CodesAbove, largest);
         code <= last; ++code) {
      double error = nvfp4Error(values, encodeScale, code, tried);
      if (error >= bestError)
        continue;
      best = code;
      bestError = error;
      codes = tried;
    }
    return best;
  }

  static double nvfp4Error(ArrayRef<float> values, float encodeScale,
                           uint8_t scale, MutableArrayRef<uint8_t> codes) {
    float step = decode(scale, ElementFormat::F8E4M3FN) / encodeScale;
    double sum = 0;
    for (auto [value, code] : llvm::zip_equal(values, codes)) {
      code = encode(value / step, ElementFormat::F4E2M1FN);
      double error =
          value - double(decode(code, ElementFormat::F4E2M1FN)) * step;
      sum += error * error;
    }
    return sum;
  }

  const HostTensor &weight;
  const BlockFormat &row;
  const WeightQuantizerOptions &options;
  Grouping grouping;
  SmallVector<ElementFormat> scaleFormats;
  std::optional<ElementFormat> zeroFormat;
  QuantizedWeight result;
};
} // namespace

llvm::Expected<QuantizedWeight>
qopt::quantizeWeight(const HostTensor &weight, FormatAttr format,
                     const WeightQuantizerOptions &options) {
  return WeightQuantizer(weight, format, options).run(format.getContext());
}

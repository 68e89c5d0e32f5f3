//===- FactorSearch.cpp - Factors between channels and weights ------------===//
//
// The search needs no data: the error follows from statistics and weights. New
// values count as much as those seen, so that factors which make every channel
// fill the range lose where few rows were seen.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/Quantization/FactorSearch.h"
#include "dialects/QOpt/Quantization/UnseenValues.h"
#include "dialects/QOpt/Quantization/WeightQuantizer.h"
#include <cmath>

using namespace mlir;
using namespace qopt;

/// Common factors tried with powers of two: fourths of an octave.
static constexpr float kCommonFactors[] = {1, 1.189f, 1.414f, 1.682f};

/// A channel below this part of the largest one counts as one of that size:
/// codes hardly see it, and a factor of its own could be without bounds.
static constexpr float kSmallestPart = 0x1p-12f;

WeightMagnitudes WeightMagnitudes::of(const HostTensor &weight,
                                      int64_t channelAxis, int64_t outputAxis) {
  auto strideOf = [&](int64_t axis) {
    int64_t stride = 1;
    for (int64_t dim : weight.getDims().drop_front(axis + 1))
      stride *= dim;
    return stride;
  };
  int64_t channels = weight.getDims()[channelAxis];
  WeightMagnitudes result;
  result.isDiagonal = channelAxis == outputAxis;
  result.outputs = result.isDiagonal ? 1 : weight.getDims()[outputAxis];
  int64_t numSums = channels * result.outputs;
  result.taps = numSums ? weight.getNumElements() / numSums : 1;
  result.peaks.assign(numSums, 0);
  result.squares.assign(channels, 0);
  result.largest.assign(channels, 0);
  int64_t channelStride = strideOf(channelAxis),
          outputStride = strideOf(outputAxis);
  for (auto [i, value] : llvm::enumerate(weight.as<float>())) {
    int64_t channel = (i / channelStride) % channels;
    int64_t output = result.isDiagonal
                         ? 0
                         : (i / outputStride) % weight.getDims()[outputAxis];
    float &peak = result.peaks[channel * result.outputs + output];
    peak = std::max(peak, std::abs(value));
    result.largest[channel] =
        std::max(result.largest[channel], std::abs(value));
    result.squares[channel] += double(value) * value;
  }
  return result;
}

DictionaryAttr FactorChoice::describe(MLIRContext *context,
                                      StringRef transform) const {
  Builder builder(context);
  auto [least, most] = std::minmax_element(factors.begin(), factors.end());
  return builder.getDictionaryAttr({
      builder.getNamedAttr("transform", builder.getStringAttr(transform)),
      builder.getNamedAttr("rule", builder.getStringAttr(rule)),
      builder.getNamedAttr("smallest", builder.getF32FloatAttr(*least)),
      builder.getNamedAttr("largest", builder.getF32FloatAttr(*most)),
      builder.getNamedAttr("gain_db",
                           builder.getF64FloatAttr(10 * std::log10(gain))),
  });
}

/// Its inverse is far from infinity, whatever the samples hold.
static constexpr float kLeastFactor = 1e-5f;

/// The peaks of channels; small ones count as `kSmallestPart` of the largest.
static std::vector<float> floorPeaks(std::vector<float> peaks) {
  float largest = 0;
  for (float peak : peaks)
    largest = std::max(largest, peak);
  for (float &peak : peaks)
    if (peak > 0)
      peak = std::max(peak, largest * kSmallestPart);
  return peaks;
}

static std::vector<float> peaksOf(const Statistics &stats) {
  std::vector<float> peaks;
  for (size_t channel = 0; channel < stats.channelMin.size(); ++channel)
    peaks.push_back(stats.channelPeak(channel));
  return floorPeaks(std::move(peaks));
}

FactorSearch::Factors FactorSearch::exponentFactors(double exponent) const {
  std::vector<float> peaks = peaksOf(stats), largest(peaks.size(), 0);
  for (const WeightMagnitudes &weight : weights)
    for (auto [most, own] : llvm::zip_equal(largest, weight.largest))
      most = std::max(most, own);
  largest = floorPeaks(std::move(largest));
  Factors factors(peaks.size(), 1.0f);
  for (auto [factor, peak, weight] : llvm::zip_equal(factors, peaks, largest))
    if (peak > 0 && weight > 0)
      factor = std::max(
          static_cast<float>(std::pow(peak, exponent) /
                             std::pow(std::max(weight, 1e-5f), 1 - exponent)),
          kLeastFactor);
  return factors;
}

FactorSearch::Factors FactorSearch::logFactors() const {
  Factors factors;
  for (float peak : peaksOf(stats))
    factors.push_back(
        peak > 0 ? std::max(static_cast<float>(peak / std::log2(2.0 + peak)),
                            kLeastFactor)
                 : 1.0f);
  return factors;
}

FactorSearch::Factors FactorSearch::round(Factors factors) const {
  if (isPow2)
    for (float &factor : factors)
      factor = roundFactorToPow2(factor);
  return factors;
}

/// For each channel, the step of one range for all data and what new values
/// lose by clipping.
std::vector<double> FactorSearch::staticNoise(const Factors &factors) const {
  ScaledChannels channels(stats, factors);
  RealRange range = chooseRange(channels, isPow2);
  double rounding = range.step() * range.step() / 12;
  std::vector<double> noise;
  for (size_t k = 0; k < factors.size(); ++k)
    noise.push_back(rounding + channels.clipping(k, range.low, range.high));
  return noise;
}

/// For each channel, the steps of scales that are made of a row's own values.
/// All of a row's peaks are taken for the same part of those of all rows.
std::vector<double> FactorSearch::dynamicNoise(const Factors &factors) const {
  int64_t channels = factors.size();
  double ofAllRows = 0;
  for (int64_t k = 0; k < channels; ++k)
    ofAllRows = std::max(ofAllRows, double(stats.channelPeak(k)));
  double part = stats.rowPeakSquare > 0 && ofAllRows > 0
                    ? std::sqrt(stats.rowPeakSquare) / ofAllRows
                    : 1;
  std::vector<double> noise;
  int64_t block = dynamic->valuesPerScale(channels);
  for (int64_t first = 0; first < channels; first += block) {
    int64_t end = std::min(first + block, channels);
    double peak = 0;
    for (int64_t k = first; k < end; ++k)
      peak = std::max(peak, part * stats.channelPeak(k) / factors[k]);
    for (int64_t k = first; k < end; ++k)
      noise.push_back(dynamic->of(
          std::sqrt(stats.channelMeanSquare[k]) / factors[k], peak));
  }
  return noise;
}

/// For each channel, the squared errors of the weights that meet it, summed
/// over the outputs.
static std::vector<double> weightNoise(const WeightMagnitudes &weight,
                                       ArrayRef<float> factors) {
  int64_t channels = factors.size(), outputs = weight.outputs;
  auto magnitude = [&](int64_t k, int64_t j) {
    return double(weight.peaks[k * outputs + j]) * factors[k];
  };
  // A channel with an output of its own shares no scale with another.
  int64_t block = weight.isDiagonal ? 1 : weight.noise.valuesPerScale(channels);
  std::vector<double> noise(channels, 0), peaks(outputs);
  for (int64_t first = 0; first < channels; first += block) {
    int64_t end = std::min(first + block, channels);
    llvm::fill(peaks, 0);
    for (int64_t k = first; k < end; ++k)
      for (int64_t j = 0; j < outputs; ++j)
        peaks[j] = std::max(peaks[j], magnitude(k, j));
    double uniform = 0;
    for (double peak : peaks)
      uniform += weight.noise.isUniform() ? weight.noise.of(peak, peak) : 0;
    for (int64_t k = first; k < end; ++k) {
      noise[k] = uniform;
      for (int64_t j = 0; j < outputs && !weight.noise.isUniform(); ++j)
        noise[k] += weight.noise.of(magnitude(k, j), peaks[j]);
    }
  }
  return noise;
}

/// Mean squared output error: that of the activation's codes times the weights,
/// and that of the weights' codes times the activation.
double FactorSearch::predictError(const Factors &factors) const {
  std::vector<double> activation =
      dynamic ? dynamicNoise(factors) : staticNoise(factors);
  double error = 0;
  for (const WeightMagnitudes &weight : weights)
    for (auto [k, noise] : llvm::enumerate(weightNoise(weight, factors))) {
      double square = double(factors[k]) * factors[k];
      error += activation[k] * weight.squares[k] * square +
               weight.taps * noise * stats.channelMeanSquare[k] / square;
    }
  return error;
}

std::optional<FactorChoice> FactorSearch::search() const {
  std::vector<std::pair<std::string, Factors>> candidates{
      {"log", logFactors()}};
  for (StringRef text : {"0.5", "0.6", "0.7", "0.8", "0.9"}) {
    double exponent;
    text.getAsDouble(exponent);
    candidates.push_back({text.str(), exponentFactors(exponent)});
  }
  double plainError = predictError(Factors(stats.channelMin.size(), 1.0f));
  double bestError = plainError;
  std::optional<FactorChoice> best;
  // Another factor for all channels rounds other channels up.
  for (float common : ArrayRef(kCommonFactors).take_front(isPow2 ? 4 : 1))
    for (auto &[rule, candidate] : candidates) {
      Factors factors(candidate);
      for (float &factor : factors)
        factor *= common;
      factors = round(std::move(factors));
      double error = predictError(factors);
      if (error >= bestError)
        continue;
      bestError = error;
      best = FactorChoice{std::move(factors), rule, plainError / error};
    }
  return best;
}

std::optional<FactorChoice> FactorSearch::choose(StringRef rule) const {
  if (rule == "search")
    return search();
  double exponent;
  Factors factors = round(
      rule.getAsDouble(exponent) ? logFactors() : exponentFactors(exponent));
  double plainError = predictError(Factors(factors.size(), 1.0f));
  double error = predictError(factors);
  return FactorChoice{std::move(factors), rule.str(),
                      error > 0 ? plainError / error : 1};
}

// Observers: what they are shown of a value during calibration, and the range they make of it.
//
// All are deterministic: the same tensors in the same order give the same range on every machine. An observer
// that saw NaN or infinity says so instead of giving a range, because a range of such numbers would silently
// spoil the model.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "quantize/params.h"

namespace etalon::quantize {

enum class ObserverKind : std::uint8_t {
  kMinMax,         // everything seen
  kMovingAverage,  // of each sample's minimum and maximum, as torch's MovingAverageMinMaxObserver
  kPercentile,     // without the outermost values on both sides
  kMse,  // the range whose int8 codes have the least squared error, clipping counted more than rounding
};

// "minmax", "moving-average", "percentile" (or "histogram"), "mse".
std::optional<ObserverKind> observer_from_name(std::string_view name);
std::string_view name_of(ObserverKind kind);

struct ObserverOptions {
  ObserverKind kind = ObserverKind::kMse;
  double percentile = 99.99;         // kPercentile: how much of the values stays inside
  double averaging_constant = 0.01;  // kMovingAverage
};

// Counts of values in bins of equal width over [-limit, limit), whose limit doubles when a value lies
// outside. A limit is a power of two, so that doubling merges pairs of bins exactly and the order of values
// does not matter.
class Histogram {
 public:
  static constexpr std::size_t kBins = 8192;

  void add(std::span<const float> values);  // finite ones
  std::uint64_t count() const { return count_; }
  std::uint64_t zeros() const { return zeros_; }
  double bin_width() const { return 2 * limit_ / static_cast<double>(kBins); }
  double centre(std::size_t bin) const { return (static_cast<double>(bin) + 0.5) * bin_width() - limit_; }
  std::span<const std::uint64_t> bins() const { return bins_; }  // without exact zeros

 private:
  void hold(float magnitude);
  void double_limit();

  double limit_ = 0;  // 0: nothing but zeros seen
  std::uint64_t count_ = 0;
  std::uint64_t zeros_ = 0;
  std::vector<std::uint64_t> bins_;
};

// Of one value, or of several that share their parameters.
class Observer {
 public:
  explicit Observer(const ObserverOptions& options) : options_(options) {}

  // One sample's tensor.
  void add(std::span<const float> values);
  std::uint64_t count() const { return count_; }
  std::uint64_t not_finite() const { return not_finite_; }

  // kInvalidInput: nothing was seen, or NaN or infinity was.
  Result<Range> range() const;

 private:
  ObserverOptions options_;
  std::uint64_t count_ = 0;
  std::uint64_t not_finite_ = 0;
  Range extremes_;
  Range average_;
  Histogram histogram_;
};

// The part of `extremes` with the least expected squared error of int8 codes, errors of clipped values
// weighing four times.
Range range_of_least_error(const Histogram& histogram, Range extremes);
Range range_of_percentile(const Histogram& histogram, Range extremes, double percentile);

}  // namespace etalon::quantize

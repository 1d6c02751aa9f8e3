// How well two tensors, or streams of them, agree: what accuracy reports are made of.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace etalon::quantize {

// Sums over everything added, in double. `reference` is the float model's.
class Agreement {
 public:
  // Spans of the same length.
  void add(std::span<const float> reference, std::span<const float> actual);

  std::uint64_t count() const { return count_; }
  // 10 log10(sum of squares of the reference / sum of squared errors). None without a signal; infinite
  // without an error.
  std::optional<double> snr_db() const;
  // None where one of the two is all zero.
  std::optional<double> cosine() const;
  double max_error() const { return max_error_; }

 private:
  std::uint64_t count_ = 0;
  double signal_ = 0, actual_ = 0, product_ = 0, noise_ = 0, max_error_ = 0;
};

// The index of the largest element, the first of equals.
std::size_t top1(std::span<const float> scores);

}  // namespace etalon::quantize

// Sizes, strides and dim orders: small fixed-capacity vectors, because the run loop must not allocate.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>

#include "base/result.h"

namespace etalon {

// ExecuTorch refuses tensors of a higher rank (formats.md 1.4).
inline constexpr std::size_t kMaxRank = 16;

template <class T>
class RankVector {
 public:
  RankVector() = default;
  RankVector(std::initializer_list<T> values) : RankVector(std::span<const T>(values.begin(), values.size())) {}
  // `values` has at most kMaxRank entries; callers with outside data use make_dims().
  explicit RankVector(std::span<const T> values) {
    for (const T value : values) push_back(value);
  }
  RankVector(std::size_t rank, T value) : rank_(static_cast<std::uint8_t>(rank)) {
    ETALON_CHECK(rank <= kMaxRank);
    std::fill_n(values_.begin(), rank, value);
  }

  std::size_t size() const { return rank_; }
  bool empty() const { return rank_ == 0; }
  T& operator[](std::size_t i) { return values_[i]; }
  T operator[](std::size_t i) const { return values_[i]; }
  T back() const { return values_[rank_ - 1u]; }
  T* begin() { return values_.data(); }
  T* end() { return values_.data() + rank_; }
  const T* begin() const { return values_.data(); }
  const T* end() const { return values_.data() + rank_; }
  std::span<const T> span() const { return {values_.data(), rank_}; }

  void push_back(T value) {
    ETALON_CHECK(rank_ < kMaxRank);
    values_[rank_++] = value;
  }
  void insert(std::size_t at, T value) {
    push_back(value);
    std::rotate(begin() + at, end() - 1, end());
  }
  void erase(std::size_t at) {
    std::copy(begin() + at + 1, end(), begin() + at);
    --rank_;
  }
  void resize(std::size_t rank, T value = T{}) {
    ETALON_CHECK(rank <= kMaxRank);
    for (std::size_t i = rank_; i < rank; ++i) values_[i] = value;
    rank_ = static_cast<std::uint8_t>(rank);
  }

  friend bool operator==(const RankVector& a, const RankVector& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end());
  }

 private:
  std::array<T, kMaxRank> values_;
  std::uint8_t rank_ = 0;
};

using Dims = RankVector<std::int64_t>;
using DimOrder = RankVector<std::uint8_t>;  // dims from outermost to innermost in memory

// Sizes from outside: refuses more than kMaxRank dims, negative sizes, and element counts over 2^62.
Result<Dims> make_dims(std::span<const std::int64_t> sizes);

// Number of elements. Sizes made by make_dims() cannot overflow.
std::int64_t numel(const Dims& sizes);

DimOrder contiguous_order(std::size_t rank);
bool is_contiguous_order(const DimOrder& order);
bool is_channels_last_order(const DimOrder& order);  // 0,2,3,1 and its 3-D and 5-D forms
bool is_permutation(const DimOrder& order);

// Strides in elements of a dense tensor whose dims lie in memory in this order (formats.md 1.4: a size of zero counts as one).
Dims strides_of(const Dims& sizes, const DimOrder& order);
inline Dims contiguous_strides(const Dims& sizes) { return strides_of(sizes, contiguous_order(sizes.size())); }
// The order that explains these strides: a stable sort, largest stride first.
DimOrder order_of_strides(const Dims& strides);

// The shape two shapes broadcast to (numpy rules), or nothing.
std::optional<Dims> broadcast(const Dims& a, const Dims& b);

// A dim counted from the end made positive, or nothing when outside [-rank, rank). Rank 0 counts as 1.
std::optional<std::size_t> wrap_dim(std::int64_t dim, std::size_t rank);

std::string to_string(const Dims& dims);  // "[1, 3, 224, 224]"

}  // namespace etalon

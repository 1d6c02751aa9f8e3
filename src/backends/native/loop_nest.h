// Walking several strided tensors of one shape at once: dims are merged where every operand allows it, so
// that most elementwise work becomes one flat run.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "tensor/dims.h"

namespace etalon::native {

// Loops over all dims but the innermost `inner_dims`, which the body handles. Strides are in elements, 0
// where an operand is broadcast. Built once; for_each() allocates nothing and may run on several threads.
class LoopNest {
 public:
  static constexpr std::size_t kMaxOperands = 5;

  // `strides` has one entry per operand, of the rank of `sizes`; `kept` innermost dims are neither moved nor
  // merged. The other dims are ordered by the first operand's strides and merged.
  LoopNest() = default;
  LoopNest(const Dims& sizes, std::span<const Dims> strides, std::size_t kept);

  std::size_t rank() const { return sizes_.size(); }
  std::int64_t size(std::size_t dim) const { return sizes_[dim]; }
  std::int64_t stride(std::size_t operand, std::size_t dim) const { return strides_[operand][dim]; }
  // Of the innermost dim, which is 1 elements long if there is none.
  std::int64_t inner_size() const { return sizes_.empty() ? 1 : sizes_.back(); }
  std::int64_t inner_stride(std::size_t operand) const {
    return sizes_.empty() ? 1 : strides_[operand].back();
  }

  // Operand k is walked exactly as the first one, so that the first may take over its memory.
  bool moves_alike(std::size_t k) const { return strides_[k] == strides_[0]; }

  // Rounds through all dims but the innermost `inner_dims`.
  std::int64_t rounds(std::size_t inner_dims) const {
    std::int64_t count = 1;
    for (std::size_t i = 0; i + inner_dims < sizes_.size(); ++i) count *= sizes_[i];
    return count;
  }

  using Offsets = std::array<std::int64_t, kMaxOperands>;

  // Calls body(offsets) for the rounds [begin, end); offsets are in elements, one per operand.
  template <class Body>
  void for_each(std::size_t inner_dims, std::int64_t begin, std::int64_t end, Body&& body) const {
    const std::size_t outer = sizes_.size() > inner_dims ? sizes_.size() - inner_dims : 0;
    std::array<std::int64_t, kMaxRank> index{};
    Offsets offsets{};
    std::int64_t rest = begin;
    for (std::size_t d = outer; d-- > 0;) {
      index[d] = rest % sizes_[d];
      rest /= sizes_[d];
      for (std::size_t k = 0; k < operands_; ++k) offsets[k] += index[d] * strides_[k][d];
    }
    for (std::int64_t i = begin; i < end; ++i) {
      body(static_cast<const Offsets&>(offsets));
      for (std::size_t d = outer; d-- > 0;) {
        for (std::size_t k = 0; k < operands_; ++k) offsets[k] += strides_[k][d];
        if (++index[d] < sizes_[d]) break;
        for (std::size_t k = 0; k < operands_; ++k) offsets[k] -= strides_[k][d] * sizes_[d];
        index[d] = 0;
      }
    }
  }

 private:
  std::size_t operands_ = 0;
  Dims sizes_;
  std::array<Dims, kMaxOperands> strides_;
};

// The part of `count` items that worker number `worker` of `workers` takes; parts differ by at most one
// `grain`.
struct Range {
  std::int64_t begin = 0, end = 0;
};
inline Range share_of(std::int64_t count, unsigned worker, unsigned workers, std::int64_t grain = 1) {
  const std::int64_t grains = (count + grain - 1) / grain;
  const std::int64_t begin = grains * worker / workers * grain;
  const std::int64_t end = grains * (worker + 1) / workers * grain;
  return {begin < count ? begin : count, end < count ? end : count};
}

}  // namespace etalon::native

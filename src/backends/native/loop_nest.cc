#include "backends/native/loop_nest.h"

#include <algorithm>
#include <numeric>

namespace etalon::native {
namespace {

std::array<std::size_t, kMaxRank> outermost_first(const Dims& strides, std::size_t count) {
  std::array<std::size_t, kMaxRank> order{};
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count),
                   [&](std::size_t a, std::size_t b) { return strides[a] > strides[b]; });
  return order;
}

}  // namespace

LoopNest::LoopNest(const Dims& sizes, std::span<const Dims> strides, std::size_t kept)
    : operands_(strides.size()) {
  ETALON_CHECK(strides.size() <= kMaxOperands && kept <= sizes.size());
  const std::size_t movable = sizes.size() - kept;
  const auto order = outermost_first(strides[0], movable);
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const std::size_t d = i < movable ? order[i] : i;
    if (sizes[d] == 1 && i < movable) continue;
    const auto continues = [&](std::size_t k) { return strides_[k].back() == strides[k][d] * sizes[d]; };
    bool merges = i < movable && !sizes_.empty();
    for (std::size_t k = 0; merges && k < operands_; ++k) merges = continues(k);
    if (merges) {
      sizes_[sizes_.size() - 1] *= sizes[d];
      for (std::size_t k = 0; k < operands_; ++k) strides_[k][sizes_.size() - 1] = strides[k][d];
    } else {
      sizes_.push_back(sizes[d]);
      for (std::size_t k = 0; k < operands_; ++k) strides_[k].push_back(strides[k][d]);
    }
  }
}

}  // namespace etalon::native

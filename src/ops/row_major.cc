#include "ops/row_major.h"

#include <cstring>
#include <optional>

namespace etalon::ops {

RowMajorCursor::RowMajorCursor(const Dims& sizes, const Dims& strides) : rank_(sizes.size()) {
  for (std::size_t d = 0; d < rank_; ++d) {
    sizes_[d] = sizes[d];
    strides_[d] = strides[d];
  }
}

void RowMajorCursor::next() {
  for (std::size_t d = rank_; d-- > 0;) {
    offset_ += strides_[d];
    if (++index_[d] < sizes_[d]) return;
    offset_ -= strides_[d] * sizes_[d];
    index_[d] = 0;
  }
}

void RowMajorCursor::seek(std::int64_t position) {
  offset_ = 0;
  for (std::size_t d = rank_; d-- > 0;) {
    index_[d] = position % sizes_[d];
    position /= sizes_[d];
    offset_ += index_[d] * strides_[d];
  }
}

bool is_row_major(const StridedView& view) {
  std::int64_t step = 1;
  for (std::size_t d = view.rank(); d-- > 0;) {
    if (view.sizes[d] != 1 && view.strides[d] != step) return false;
    step *= view.sizes[d];
  }
  return true;
}

namespace {

// Both views with their dims cut at the same places, so that one nest of loops walks both: [6, 4] and [2, 12] become
// [2, 3, 4]. Nothing if a cut would split a dim unevenly, as for [2, 3] and [3, 2].
struct Refined {
  Dims sizes;
  Dims src_strides;
  Dims dst_strides;
};

// The dims of a view from the innermost outwards, dims of size one left out.
class InnerDims {
 public:
  explicit InnerDims(const StridedView& view) : view_(view), dim_(view.rank()) { advance(); }
  std::int64_t left() const { return left_; }  // of the current dim; 1 at the end
  std::int64_t stride() const { return stride_; }
  void take(std::int64_t count) {
    left_ /= count;
    stride_ *= count;
    if (left_ == 1) advance();
  }

 private:
  void advance() {
    left_ = 1;
    while (dim_ > 0 && left_ == 1) {
      --dim_;
      left_ = view_.sizes[dim_];
      stride_ = view_.strides[dim_];
    }
  }

  const StridedView& view_;
  std::size_t dim_;
  std::int64_t left_ = 1;
  std::int64_t stride_ = 1;
};

std::optional<Refined> refine(const StridedView& src, const StridedView& dst) {
  Refined refined;
  InnerDims from(src);
  InnerDims to(dst);
  while (from.left() > 1 && to.left() > 1) {
    const std::int64_t count = std::min(from.left(), to.left());
    if (from.left() % count != 0 || to.left() % count != 0 || refined.sizes.size() == kMaxRank) return std::nullopt;
    refined.sizes.insert(0, count);
    refined.src_strides.insert(0, from.stride());
    refined.dst_strides.insert(0, to.stride());
    from.take(count);
    to.take(count);
  }
  return refined;
}

void copy_one_by_one(const StridedView& src, const StridedView& dst) {
  RowMajorCursor from(src.sizes, src.strides);
  RowMajorCursor to(dst.sizes, dst.strides);
  const std::size_t size = size_of(src.dtype);
  for (std::int64_t left = src.numel(); left > 0; --left) {
    std::memcpy(dst.at(to.offset()), src.at(from.offset()), size);
    from.next();
    to.next();
  }
}

}  // namespace

void copy_row_major(const StridedView& src, const StridedView& dst) {
  const std::int64_t count = src.numel();
  if (count == 0) return;
  if (is_row_major(src) && is_row_major(dst)) {
    if (src.data != dst.data) std::memmove(dst.data, src.data, static_cast<std::size_t>(count) * size_of(src.dtype));
    return;
  }
  if (const auto refined = refine(src, dst)) {
    copy_cast(StridedView(src.dtype, refined->sizes, refined->src_strides, src.data),
              StridedView(dst.dtype, refined->sizes, refined->dst_strides, dst.data));
    return;
  }
  copy_one_by_one(src, dst);
}

}  // namespace etalon::ops

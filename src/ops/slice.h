// Parts of a tensor along one dim, as slice, select, narrow and their scatter forms name them.
#pragma once

#include "ops/strided.h"

namespace etalon::ops {

struct Slice {
  std::size_t dim = 0;
  std::int64_t start = 0;
  std::int64_t length = 0;
  std::int64_t step = 1;

  StridedView of(const StridedView& view) const { return view.narrowed(dim, start, length, step); }
};

// torch's rules: bounds count from the end when negative and are clamped to the size; the step is positive.
Result<Slice> make_slice(const Dims& sizes, std::int64_t dim, std::optional<std::int64_t> start,
                         std::optional<std::int64_t> end, std::int64_t step);

// A single index along a dim, in [-size, size).
struct Selection {
  std::size_t dim = 0;
  std::int64_t index = 0;

  StridedView of(const StridedView& view) const { return view.selected(dim, index); }
};
Result<Selection> make_selection(const Dims& sizes, std::int64_t dim, std::int64_t index);

}  // namespace etalon::ops

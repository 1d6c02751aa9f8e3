// Picking and putting elements by index.
#include <fmt/core.h>

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <numeric>

#include "frontend/aten/rules.h"

namespace etalon::frontend {
namespace {

// Rank 0 counts as one element.
ValueId as_row(Lowering& lo, ValueId x) { return lo.rank(x) == 0 ? lo.unsqueeze(x, 0) : x; }
ValueId like_row(Lowering& lo, ValueId x, ValueId original) {
  return lo.rank(original) == 0 ? lo.squeeze(x, 0) : x;
}

// A dim argument that broadcasts the indices to every other dim: index [n] -> [1, n, 1] expanded to the
// source.
ValueId index_along(Lowering& lo, ValueId index, ValueId like, std::size_t dim) {
  IntItems shape(lo.rank(like), IntItem{1, ir::kNoValue});
  shape[dim] = lo.rank(index) == 0 ? IntItem{1, ir::kNoValue} : lo.size(index, 0);
  IntItems sizes = lo.sizes(like);
  sizes[dim] = shape[dim];
  return lo.expand(lo.view(index, shape), sizes);
}

ValueIds index_add(Lowering& lo, const Args& a) {
  const ValueId x = as_row(lo, a.tensor(0));
  const std::size_t dim = lo.dim(x, a.integer(1));
  ValueId source = as_row(lo, a.tensor(3));
  if (a.number(4) != 1.0) source = lo.op("aten::mul.Scalar", source, a[4]);
  return {like_row(lo, lo.op("aten::scatter_add", x, dim, index_along(lo, a.tensor(2), source, dim), source),
                   a.tensor(0))};
}

ValueIds index_copy(Lowering& lo, const Args& a) {
  const ValueId x = as_row(lo, a.tensor(0));
  const std::size_t dim = lo.dim(x, a.integer(1));
  const ValueId source = as_row(lo, a.tensor(3));
  return {like_row(lo, lo.op("aten::scatter.src", x, dim, index_along(lo, a.tensor(2), source, dim), source),
                   a.tensor(0))};
}

ValueIds index_fill(Lowering& lo, const Args& a) {
  const ValueId x = as_row(lo, a.tensor(0));
  const std::size_t dim = lo.dim(x, a.integer(1));
  return {like_row(lo, lo.op("aten::scatter.value", x, dim, index_along(lo, a.tensor(2), x, dim), a[3]),
                   a.tensor(0))};
}

ValueIds take_along_dim(Lowering& lo, const Args& a) {
  ValueId x = a.tensor(0);
  ValueId index = a.tensor(1);
  if (!a.has(2)) {
    return {lo.op("aten::gather", lo.aten("aten::flatten.using_ints", x), 0,
                  lo.aten("aten::flatten.using_ints", index))};
  }
  const std::size_t dim = lo.dim(x, a.integer(2));
  // All other dims broadcast against each other.
  IntItems of_x, of_index;
  for (std::size_t i = 0; i < lo.rank(x); ++i) {
    const bool one = !lo.type(x).is_dynamic(i) && lo.type(x).sizes[i] == 1;
    const IntItem wide = one ? lo.size(index, i) : lo.size(x, i);
    of_x.push_back(i == dim ? IntItem{-1, ir::kNoValue} : wide);
    of_index.push_back(of_x.back());
  }
  return {lo.op("aten::gather", lo.expand(x, of_x), dim, lo.expand(index, of_index))};
}

ValueIds take(Lowering& lo, const Args& a) {
  const ValueId flat = lo.aten("aten::flatten.using_ints", a.tensor(0));
  const ValueId index = lo.aten("aten::flatten.using_ints", a.tensor(1));
  return {lo.reshape(lo.op("aten::index_select", flat, 0, index), lo.sizes_of(a.tensor(1)))};
}

// Sums divided by how many went in; what nothing reached keeps its value.
ValueId scatter_mean(Lowering& lo, const Args& a, bool mean) {
  const ValueId x = a.tensor(0), index = a.tensor(2);
  if (!is_floating(lo.dtype(x))) refuse("reducing integers this way is not supported");
  const ValueId zeros = lo.aten("aten::zeros_like", x);
  const ValueId ones = lo.op("aten::full", lo.sizes(index), 1, lo.dtype(x));
  const bool own = a.flag(5);
  const ValueId start = own ? lo.aten("aten::ones_like", x) : zeros;
  const ValueId count = lo.op("aten::scatter_add", start, a[1], index, ones);
  const ValueId sum = lo.op("aten::scatter_add", own ? x : zeros, a[1], index, a[3]);
  const ValueId reached = lo.op("aten::gt.Scalar", count, 0);
  const ValueId result = mean ? lo.div(sum, count) : sum;
  return own ? result : lo.where(reached, result, x);
}

// Every place against every index: the source where they meet, else what changes nothing.
ValueId scatter_extremum(Lowering& lo, const Args& a, const std::string& how) {
  const ValueId x = a.tensor(0), index = a.tensor(2), source = a.tensor(3);
  const bool product = how == "prod";
  if (!product && how != "amax" && how != "amin") refuse(fmt::format("reduce='{}' is not supported", how));
  if (!is_floating(lo.dtype(x)) || lo.rank(x) == 0) refuse("reducing integers this way is not supported");
  const std::size_t dim = lo.dim(x, a.integer(1));
  for (std::size_t i = 0; i < lo.rank(x); ++i) {
    const std::int64_t of_index = lo.static_size(index, i);
    if (of_index != lo.static_size(source, i) || (i != dim && of_index != lo.static_size(x, i)))
      refuse("reducing where sizes differ beside the dim is not supported");
  }
  const auto along = static_cast<std::int64_t>(dim);
  const auto rows = [&](ValueId v) { return lo.unsqueeze(lo.transpose(v, along, -1), -2); };
  const ValueId places = lo.op("aten::arange.start_step", 0, lo.static_size(x, dim), 1, DType::kInt64);
  const ValueId meet = lo.op("aten::eq.Tensor", rows(index), lo.unsqueeze(places, -1));
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const double neutral = product ? 1 : how == "amax" ? -kInfinity : kInfinity;
  const ValueId taken = lo.where(meet, rows(source), lo.scalar(neutral, lo.dtype(x)));
  const ValueId reduced =
      product ? lo.op("aten::prod.dim_int", taken, -1, false) : lo.op("aten::" + how, taken, Ints{-1}, false);
  const ValueId back = lo.transpose(reduced, along, -1);
  if (!a.flag(5)) return lo.where(lo.transpose(lo.op("aten::any.dim", meet, -1, false), along, -1), back, x);
  if (product) return lo.mul(x, back);
  return lo.op(how == "amax" ? "aten::maximum" : "aten::minimum", x, back);
}

ValueIds put(Lowering& lo, const Args& a) {
  const ValueId x = a.tensor(0);
  const auto flat = [&](ValueId v) { return lo.reshape(v, {SizeOf::literal(-1)}); };
  const ValueId out = lo.op("aten::index_put", flat(x), ValueIds{flat(a.tensor(1))}, flat(a.tensor(2)), a[3]);
  return {lo.reshape(out, lo.sizes_of(x))};
}

ValueIds scatter_reduce(Lowering& lo, const Args& a) {
  const std::string& how = a.text(4);
  if (how == "sum" && a.flag(5)) return {lo.op("aten::scatter_add", a[0], a[1], a[2], a[3])};
  if (how == "sum" || how == "mean") return {scatter_mean(lo, a, how == "mean")};
  return {scatter_extremum(lo, a, how)};
}
ValueIds scatter_with_reduce(Lowering& lo, const Args& a) {
  if (a.text(4) == "add") return {lo.op("aten::scatter_add", a[0], a[1], a[2], a[3])};
  refuse(fmt::format("reduce='{}' is not supported", a.text(4)));
}

ValueIds index_twin(Lowering& lo, const Args& a) { return {lo.op("aten::index.Tensor", a[0], a[1])}; }

// The bool masks among indices would make sizes depend on data, except where the result keeps its sizes.
ValueIds index_put(Lowering& lo, const Args& a) {
  const ValueIds& indices = a.tensors(1);
  const ValueId x = a.tensor(0);
  if (indices.size() == 1 && indices[0] != ir::kNoValue && lo.dtype(indices[0]) == DType::kBool &&
      !a.flag(3) && numel(lo.type(a.tensor(2)).sizes) == 1) {
    ValueId mask = indices[0];
    while (lo.rank(mask) < lo.rank(x)) mask = lo.unsqueeze(mask, -1);
    const ValueId value = lo.rank(a.tensor(2)) == 0 ? a.tensor(2) : lo.view(a.tensor(2), IntItems{});
    return {lo.where(mask, lo.cast(value, lo.dtype(x)), x)};
  }
  return {lo.op("aten::index_put", a[0], a[1], lo.cast(a.tensor(2), lo.dtype(x)), a[3])};
}

// a x b over one dim of three elements, by rolling: a1 * b2 - a2 * b1
ValueId cross_of(Lowering& lo, ValueId x, ValueId y, std::int64_t dim) {
  const auto roll = [&](ValueId v, std::int64_t by) { return lo.aten("aten::roll", v, Ints{by}, Ints{dim}); };
  return lo.sub(lo.mul(roll(x, -1), roll(y, -2)), lo.mul(roll(x, -2), roll(y, -1)));
}
ValueIds linalg_cross(Lowering& lo, const Args& a) {
  return {cross_of(lo, a.tensor(0), a.tensor(1), a.integer(2))};
}
ValueIds cross(Lowering& lo, const Args& a) {
  const ValueId x = a.tensor(0);
  if (a.has(2)) return {cross_of(lo, x, a.tensor(1), a.integer(2))};
  for (std::size_t i = 0; i < lo.rank(x); ++i) {
    if (lo.type(x).sizes[i] == 3) return {cross_of(lo, x, a.tensor(1), static_cast<std::int64_t>(i))};
  }
  refuse_input("no dim has three elements");
}

// Each dim is cut at the shift and its parts change places.
ValueIds roll(Lowering& lo, const Args& a) {
  ValueId x = a.tensor(0);
  const Ints shifts = a.ints(1);
  Ints dims = a.ints(2);
  const bool flat = dims.empty();
  const ValueId original = x;
  if (flat) {
    x = lo.aten("aten::flatten.using_ints", x);
    dims = {0};
  }
  if (shifts.size() != dims.size())
    refuse_input(fmt::format("{} shifts for {} dims", shifts.size(), dims.size()));
  for (std::size_t i = 0; i < dims.size(); ++i) {
    const std::int64_t size = lo.static_size(x, lo.dim(x, dims[i]));
    if (size == 0) continue;
    const std::int64_t cut = ((size - shifts[i]) % size + size) % size;
    if (cut != 0) x = lo.cat({lo.slice(x, dims[i], cut, size), lo.slice(x, dims[i], 0, cut)}, dims[i]);
  }
  return {flat ? lo.reshape(x, lo.sizes_of(original)) : x};
}

ValueIds fliplr(Lowering& lo, const Args& a) { return {lo.op("aten::flip", a[0], Ints{1})}; }
ValueIds flipud(Lowering& lo, const Args& a) { return {lo.op("aten::flip", a[0], Ints{0})}; }

ValueIds rot90(Lowering& lo, const Args& a) {
  const ValueId x = a.tensor(0);
  const Ints dims = a.ints(2);
  if (dims.size() != 2) refuse_input("rot90 wants two dims");
  switch ((a.integer(1) % 4 + 4) % 4) {
    case 0:
      return {x};
    case 1:
      return {lo.transpose(lo.op("aten::flip", x, Ints{dims[1]}), dims[0], dims[1])};
    case 2:
      return {lo.op("aten::flip", x, dims)};
    default:
      return {lo.op("aten::flip", lo.transpose(x, dims[0], dims[1]), Ints{dims[1]})};
  }
}

ValueIds diag(Lowering& lo, const Args& a) {
  const ValueId x = a.tensor(0);
  if (lo.rank(x) == 2) return {lo.op("aten::diagonal_copy", x, a[1])};
  return {lo.aten("aten::diag_embed", x, a[1])};
}

// x[..., None] where row + offset == column, else zero
ValueIds diag_embed(Lowering& lo, const Args& a) {
  if (a.integer(2) != -2 || a.integer(3) != -1)
    refuse("diag_embed into other dims than the last two is not supported");
  const ValueId x = a.tensor(0);
  const std::int64_t offset = a.integer(1);
  const std::int64_t own = lo.static_size(x, lo.rank(x) - 1);
  const std::int64_t side = own + std::abs(offset);
  constexpr std::int64_t kMaxSide = 1 << 13;
  if (side > kMaxSide || std::abs(offset) > kMaxSide)
    refuse(fmt::format("a matrix of {} by {} is not supported", own, side));
  Ints flags(static_cast<std::size_t>(own * side), 0);
  for (std::int64_t i = 0; i < own; ++i)
    flags[static_cast<std::size_t>(i * side + i + std::max<std::int64_t>(offset, 0))] = 1;
  const ValueId columns = lo.mul(lo.unsqueeze(x, -1), lo.constant(flags, Dims{own, side}, lo.dtype(x)));
  const std::int64_t above = offset < 0 ? -offset : 0;
  const std::int64_t below = offset > 0 ? offset : 0;
  if (above == 0 && below == 0) return {columns};
  return {lo.op("aten::constant_pad_nd", columns, Ints{0, 0, above, below}, 0.0)};
}

// Where each element of the diagonal lies, found by looking at the diagonal of the elements' numbers.
ValueIds diagonal_scatter(Lowering& lo, const Args& a) {
  const ValueId x = a.tensor(0);
  constexpr std::int64_t kMaxElements = 1 << 24;
  std::int64_t count = 1;
  for (std::size_t i = 0; i < lo.rank(x); ++i) count *= lo.static_size(x, i);
  if (count > kMaxElements) refuse("writing the diagonal of so large a tensor is not supported");
  Ints numbers(static_cast<std::size_t>(count));
  std::iota(numbers.begin(), numbers.end(), 0);
  const ValueId places =
      lo.op("aten::diagonal_copy", lo.constant(numbers, lo.type(x).sizes, DType::kInt64), a[2], a[3], a[4]);
  const auto flat = [&](ValueId v) { return lo.reshape(v, {SizeOf::literal(-1)}); };
  return {
      lo.reshape(lo.op("aten::scatter.src", flat(x), 0, flat(places), flat(a.tensor(1))), lo.sizes_of(x))};
}

// Sliding windows as columns: [N, C, H, W] -> [N, C * kh * kw, L], one slice per tap of the kernel.
ValueIds im2col(Lowering& lo, const Args& a) {
  ValueId x = a.tensor(0);
  const bool unbatched = lo.rank(x) == 3;
  if (unbatched) x = lo.unsqueeze(x, 0);
  const Ints kernel = a.ints(1), dilation = a.ints(2), padding = a.ints(3), stride = a.ints(4);
  if (padding != Ints{0, 0})
    x = lo.op("aten::constant_pad_nd", x, Ints{padding[1], padding[1], padding[0], padding[0]}, 0.0);
  constexpr std::int64_t kMaxTaps = 4096;
  if (stride[0] <= 0 || stride[1] <= 0 || kernel[0] <= 0 || kernel[1] <= 0 ||
      kernel[0] > kMaxTaps / kernel[1]) {
    refuse_input(
        fmt::format("windows of {} by {} at strides {} and {}", kernel[0], kernel[1], stride[0], stride[1]));
  }
  const std::int64_t rows = (lo.static_size(x, 2) - dilation[0] * (kernel[0] - 1) - 1) / stride[0] + 1;
  const std::int64_t columns = (lo.static_size(x, 3) - dilation[1] * (kernel[1] - 1) - 1) / stride[1] + 1;
  ValueIds taps;
  for (std::int64_t i = 0; i < kernel[0]; ++i) {
    const std::int64_t top = i * dilation[0];
    const ValueId band = lo.slice(x, 2, top, top + (rows - 1) * stride[0] + 1, stride[0]);
    for (std::int64_t k = 0; k < kernel[1]; ++k) {
      const std::int64_t left = k * dilation[1];
      taps.push_back(lo.slice(band, 3, left, left + (columns - 1) * stride[1] + 1, stride[1]));
    }
  }
  const ValueId stacked = lo.op("aten::stack", taps, 2);  // [N, C, taps, rows, columns]
  const ValueId out = lo.reshape(stacked, {{x, 0},
                                           SizeOf::literal(lo.static_size(x, 1) * kernel[0] * kernel[1]),
                                           SizeOf::literal(rows * columns)});
  return {unbatched ? lo.squeeze(out, 0) : out};
}

ValueIds channel_shuffle(Lowering& lo, const Args& a) {
  const ValueId x = a.tensor(0);
  const std::int64_t groups = a.integer(1);
  const std::int64_t channels = lo.static_size(x, 1);
  if (groups <= 0 || channels % groups != 0)
    refuse_input(fmt::format("{} channels in {} groups", channels, groups));
  Sizes split = lo.sizes_of(x);
  split[1] = SizeOf::literal(groups);
  split.insert(split.begin() + 2, SizeOf::literal(channels / groups));
  const ValueId turned = lo.transpose(lo.reshape(x, split), 1, 2);
  Sizes joined = lo.sizes_of(x);
  joined[1] = SizeOf::literal(channels);
  return {lo.reshape(turned, joined)};
}

ValueIds grid_sampler(Lowering& lo, const Args& a) {
  if (lo.rank(a.tensor(0)) != 4) refuse("grid sampling in three dims is not supported");
  return {lo.op("aten::grid_sampler_2d", a[0], a[1], a[2], a[3], a[4])};
}

constexpr Rule kRows[] = {
    {"aten::index_add(Tensor self, int dim, Tensor index, Tensor source, *, Scalar alpha=1) -> Tensor",
     index_add},
    {"aten::index_copy(Tensor self, int dim, Tensor index, Tensor source) -> Tensor", index_copy},
    {"aten::index_fill.int_Scalar(Tensor self, int dim, Tensor index, Scalar value) -> Tensor", index_fill},
    {"aten::index.Tensor_hacked_twin(Tensor self, Tensor[] indices) -> Tensor", index_twin},
    {"aten::index_put(Tensor self, Tensor?[] indices, Tensor values, bool accumulate=False) -> Tensor",
     index_put},
    {"aten::_index_put_impl(Tensor self, Tensor?[] indices, Tensor values, bool accumulate=False, bool "
     "unsafe=False) -> Tensor",
     index_put},
    {"aten::take_along_dim(Tensor self, Tensor indices, int? dim=None) -> Tensor", take_along_dim},
    {"aten::take(Tensor self, Tensor index) -> Tensor", take},
    {"aten::put(Tensor self, Tensor index, Tensor source, bool accumulate=False) -> Tensor", put},
    {"aten::scatter_reduce.two(Tensor self, int dim, Tensor index, Tensor src, str reduce, *, bool "
     "include_self=True) -> Tensor",
     scatter_reduce},
    {"aten::scatter.reduce(Tensor self, int dim, Tensor index, Tensor src, *, str reduce) -> Tensor",
     scatter_with_reduce},
    {"aten::linalg_cross(Tensor self, Tensor other, *, int dim=-1) -> Tensor", linalg_cross},
    {"aten::cross(Tensor self, Tensor other, int? dim=None) -> Tensor", cross},
    {"aten::roll(Tensor self, SymInt[1] shifts, int[1] dims=[]) -> Tensor", roll},
    {"aten::fliplr(Tensor self) -> Tensor", fliplr},
    {"aten::flipud(Tensor self) -> Tensor", flipud},
    {"aten::rot90(Tensor self, int k=1, int[] dims=[0, 1]) -> Tensor", rot90},
    {"aten::diag(Tensor self, int diagonal=0) -> Tensor", diag},
    {"aten::diag_embed(Tensor self, int offset=0, int dim1=-2, int dim2=-1) -> Tensor", diag_embed},
    {"aten::diagonal_scatter(Tensor self, Tensor src, int offset=0, int dim1=0, int dim2=1) -> Tensor",
     diagonal_scatter},
    {"aten::im2col(Tensor self, int[2] kernel_size, int[2] dilation, int[2] padding, int[2] stride) -> "
     "Tensor",
     im2col},
    {"aten::channel_shuffle(Tensor self, SymInt groups) -> Tensor", channel_shuffle},
    {"aten::native_channel_shuffle(Tensor self, SymInt groups) -> Tensor", channel_shuffle},
    {"aten::grid_sampler(Tensor input, Tensor grid, int interpolation_mode, int padding_mode, bool "
     "align_corners) -> Tensor",
     grid_sampler},
};

}  // namespace

constinit const RuleFamily kIndexingRules{kRows};

}  // namespace etalon::frontend

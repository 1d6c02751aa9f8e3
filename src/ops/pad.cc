// Padding: with a constant, by reflection, by replication of the edge.
#include <fmt/core.h>

#include <array>
#include <cstring>

#include "base/checked.h"
#include "ops/dispatch.h"
#include "ops/row_major.h"
#include "ops/view_op.h"

namespace etalon::ops {
namespace {

struct Edges {
  std::int64_t before = 0;
  std::int64_t after = 0;
};

// `pad` holds pairs, the last dim first. Negative numbers crop.
Edges edges_of(std::span<const std::int64_t> pad, std::size_t rank, std::size_t dim) {
  const std::size_t i = (rank - 1 - dim) * 2;
  return i + 1 < pad.size() ? Edges{pad[i], pad[i + 1]} : Edges{};
}

// So that a huge crop on one side, made up for on the other, cannot overflow.
constexpr std::int64_t kMaxCrop = std::int64_t{1} << 62;

Result<Dims> padded_sizes(std::string_view op, const Dims& from, std::span<const std::int64_t> pad) {
  if (pad.size() % 2 != 0 || pad.size() > 2 * from.size()) {
    return invalid_input(fmt::format("{} of {} by {} numbers, want at most two for each dim", op, to_string(from), pad.size()));
  }
  Dims sizes = from;
  for (std::size_t d = 0; d < sizes.size(); ++d) {
    const Edges edges = edges_of(pad, sizes.size(), d);
    const auto sum = checked_add(edges.before, edges.after);
    const auto size = sum ? checked_add(sizes[d], *sum) : std::nullopt;
    if (!size || *size < 0 || std::min(edges.before, edges.after) < -kMaxCrop) {
      return invalid_input(fmt::format("{} of dim {} of size {} by {} and {}", op, d, sizes[d], edges.before, edges.after));
    }
    sizes[d] = *size;
  }
  return make_dims(sizes.span());
}

Status infer_constant_pad(const Call& call, OutShapes& outs) {
  const TensorView& self = call.tensor(0);
  ETALON_TRY(const Dims sizes, padded_sizes("constant_pad_nd", self.sizes(), call.ints(1)));
  return outs.set(0, self.dtype(), sizes, &self.order());
}

Status fill_scalar(const StridedView& dst, const Scalar& value) {
  return visit_dtype(dst.dtype, [&](auto tag) -> Status {
    const auto typed = value.as<typename decltype(tag)::type>();
    fill(dst, &typed);
    return {};
  });
}

// The parts of input and output that hold the same elements.
struct Inner {
  StridedView src;
  StridedView dst;
};
Inner inner_part(const Call& call) {
  Inner inner{StridedView(call.tensor(0)), StridedView(call.out())};
  for (std::size_t d = 0; d < inner.src.rank(); ++d) {
    const Edges edges = edges_of(call.ints(1), inner.src.rank(), d);
    const std::int64_t src_start = std::max<std::int64_t>(0, -edges.before);
    const std::int64_t dst_start = std::max<std::int64_t>(0, edges.before);
    const std::int64_t length = std::max<std::int64_t>(0, std::min(inner.src.sizes[d] - src_start, inner.dst.sizes[d] - dst_start));
    inner.src = inner.src.narrowed(d, src_start, length);
    inner.dst = inner.dst.narrowed(d, dst_start, length);
  }
  return inner;
}

Status constant_pad_kernel(const Call& call) {
  const Inner inner = inner_part(call);
  if (!(inner.dst.sizes == call.out().sizes())) ETALON_CHECKED(fill_scalar(StridedView(call.out()), call.scalar(2)));
  copy_cast(inner.src, inner.dst);
  return {};
}

enum class Border : std::uint8_t { kReflect, kReplicate };

// Both kinds pad the last `kDims` dims of a tensor with one or two more dims.
template <Border kBorder, std::size_t kDims>
Status infer_border(const Call& call, OutShapes& outs) {
  constexpr std::string_view kName = kBorder == Border::kReflect ? "reflection_pad" : "replication_pad";
  const Dims& from = call.tensor(0).sizes();
  const auto pad = call.ints(1);
  if (from.size() != kDims + 1 && from.size() != kDims + 2) {
    return invalid_input(fmt::format("{}{}d of {}, want {} or {} dims", kName, kDims, to_string(from), kDims + 1, kDims + 2));
  }
  if (pad.size() != 2 * kDims) return invalid_input(fmt::format("{}{}d by {} numbers, want {}", kName, kDims, pad.size(), 2 * kDims));
  for (std::size_t d = from.size() - kDims; d < from.size(); ++d) {
    const Edges edges = edges_of(pad, from.size(), d);
    const bool too_wide = kBorder == Border::kReflect && std::max(edges.before, edges.after) >= from[d];
    if (from[d] == 0 || too_wide) {
      return invalid_input(fmt::format("{}{}d of dim {} of size {} by {} and {}", kName, kDims, d, from[d], edges.before, edges.after));
    }
  }
  ETALON_TRY(const Dims sizes, padded_sizes(kName, from, pad));
  for (std::size_t d = from.size() - kDims; d < from.size(); ++d) {
    if (sizes[d] == 0) return invalid_input(fmt::format("{}{}d leaves nothing of dim {}", kName, kDims, d));
  }
  return outs.set(0, call.tensor(0).dtype(), sizes);
}

// Where along a dim of the input an index of the output comes from.
template <Border kBorder>
std::int64_t source_index(std::int64_t index, std::int64_t before, std::int64_t size) {
  const std::int64_t at = index - before;
  if constexpr (kBorder == Border::kReplicate) return std::clamp<std::int64_t>(at, 0, size - 1);
  if (at < 0) return -at;
  return at < size ? at : 2 * (size - 1) - at;
}

template <class T, Border kBorder>
void pad_row(const T* src, std::int64_t src_step, std::int64_t src_size, T* dst, std::int64_t dst_step,
             std::int64_t dst_size, std::int64_t before) {
  const std::int64_t inner_begin = std::clamp<std::int64_t>(before, 0, dst_size);
  const std::int64_t inner_end = std::clamp<std::int64_t>(before + src_size, inner_begin, dst_size);
  const auto border = [&](std::int64_t from, std::int64_t to) {
    for (std::int64_t i = from; i < to; ++i) dst[i * dst_step] = src[source_index<kBorder>(i, before, src_size) * src_step];
  };
  border(0, inner_begin);
  const T* x = src - before * src_step;
  if (src_step == 1 && dst_step == 1 && inner_end > inner_begin) {
    std::memcpy(dst + inner_begin, x + inner_begin, static_cast<std::size_t>(inner_end - inner_begin) * sizeof(T));
  } else {
    for (std::int64_t i = inner_begin; i < inner_end; ++i) dst[i * dst_step] = x[i * src_step];
  }
  border(inner_end, dst_size);
}

// Walks the rows of the output; `from` is the start of the row that each one is made of.
template <class T, Border kBorder>
void pad_rows(const StridedView& src, const StridedView& dst, std::span<const std::int64_t> pad, std::size_t dim,
              const T* from, T* to) {
  const std::int64_t before = edges_of(pad, src.rank(), dim).before;
  if (dim + 1 == src.rank()) {
    pad_row<T, kBorder>(from, src.strides[dim], src.sizes[dim], to, dst.strides[dim], dst.sizes[dim], before);
    return;
  }
  for (std::int64_t i = 0; i < dst.sizes[dim]; ++i) {
    const std::int64_t at = source_index<kBorder>(i, before, src.sizes[dim]);
    pad_rows<T, kBorder>(src, dst, pad, dim + 1, from + at * src.strides[dim], to + i * dst.strides[dim]);
  }
}

template <Border kBorder>
Status border_kernel(const Call& call) {
  const StridedView src(call.tensor(0));
  const StridedView dst(call.out());
  return visit_element_size(src.dtype, [&](auto tag) -> Status {
    using T = typename decltype(tag)::type;
    pad_rows<T, kBorder>(src, dst, call.ints(1), 0, reinterpret_cast<const T*>(src.data), reinterpret_cast<T*>(dst.data));
    return {};
  });
}

constexpr OpDef kRows[] = {
    {.schema = "aten::constant_pad_nd(Tensor self, SymInt[] pad, Scalar value=0) -> Tensor",
     .out_name = "aten::constant_pad_nd.out",
     .infer = infer_constant_pad,
     .kernel = constant_pad_kernel},
    {.schema = "aten::reflection_pad1d(Tensor self, SymInt[2] padding) -> Tensor",
     .out_name = "aten::reflection_pad1d.out",
     .infer = infer_border<Border::kReflect, 1>,
     .kernel = border_kernel<Border::kReflect>},
    {.schema = "aten::reflection_pad2d(Tensor self, SymInt[4] padding) -> Tensor",
     .out_name = "aten::reflection_pad2d.out",
     .infer = infer_border<Border::kReflect, 2>,
     .kernel = border_kernel<Border::kReflect>},
    {.schema = "aten::reflection_pad3d(Tensor self, SymInt[6] padding) -> Tensor",
     .out_name = "aten::reflection_pad3d.out",
     .infer = infer_border<Border::kReflect, 3>,
     .kernel = border_kernel<Border::kReflect>},
    {.schema = "aten::replication_pad1d(Tensor self, SymInt[2] padding) -> Tensor",
     .out_name = "aten::replication_pad1d.out",
     .infer = infer_border<Border::kReplicate, 1>,
     .kernel = border_kernel<Border::kReplicate>},
    {.schema = "aten::replication_pad2d(Tensor self, SymInt[4] padding) -> Tensor",
     .out_name = "aten::replication_pad2d.out",
     .infer = infer_border<Border::kReplicate, 2>,
     .kernel = border_kernel<Border::kReplicate>},
    {.schema = "aten::replication_pad3d(Tensor self, SymInt[6] padding) -> Tensor",
     .out_name = "aten::replication_pad3d.out",
     .infer = infer_border<Border::kReplicate, 3>,
     .kernel = border_kernel<Border::kReplicate>},
};

}  // namespace

extern constinit const OpFamily kPadOps{kRows};

}  // namespace etalon::ops

// Pooling in one to three dims, in terms of the two-dimensional operators.
#include <fmt/core.h>

#include <algorithm>

#include "frontend/aten/rules.h"

namespace etalon::frontend {
namespace {

Ints with_front(std::int64_t first, Ints rest) {
  rest.insert(rest.begin(), first);
  return rest;
}

// torch's default stride is the kernel.
Ints stride_or_kernel(const Args& a) { return a.items(2).empty() ? a.ints(1) : a.ints(2); }

ValueIds max_pool2d(Lowering& lo, const Args& a) {
  return {lo.op("aten::max_pool2d_with_indices", a[0], a[1], stride_or_kernel(a), a[3], a[4], a[5])};
}

ValueIds max_pool1d_parts(Lowering& lo, const Args& a) {
  const ValueIds parts =
      lo.op_all("aten::max_pool2d_with_indices", lo.unsqueeze(a.tensor(0), -2), with_front(1, a.ints(1)),
                with_front(1, stride_or_kernel(a)), with_front(0, a.ints(3)), with_front(1, a.ints(4)), a[5]);
  return {lo.squeeze(parts[0], -2), lo.squeeze(parts[1], -2)};
}
ValueIds max_pool1d(Lowering& lo, const Args& a) { return {max_pool1d_parts(lo, a)[0]}; }

// Heights and widths first, then depths: the maximum of maxima.
ValueIds max_pool3d(Lowering& lo, const Args& a) {
  const ValueId x = a.tensor(0);
  const bool unbatched = lo.rank(x) == 4;
  const ValueId input = unbatched ? lo.unsqueeze(x, 0) : x;
  const Ints kernel = a.ints(1), stride = stride_or_kernel(a), padding = a.ints(3), dilation = a.ints(4);
  const auto tail = [](const Ints& list) { return Ints(list.begin() + 1, list.end()); };
  const ValueId planes = lo.reshape(input, {{input, 0}, SizeOf::literal(-1), {input, 3}, {input, 4}});
  const ValueId flat = lo.op("aten::max_pool2d_with_indices", planes, tail(kernel), tail(stride),
                             tail(padding), tail(dilation), a[5]);
  const ValueId columns = lo.reshape(flat, {{input, 0}, {input, 1}, {input, 2}, SizeOf::literal(-1)});
  const ValueId deep = lo.op("aten::max_pool2d_with_indices", columns, Ints{kernel[0], 1}, Ints{stride[0], 1},
                             Ints{padding[0], 0}, Ints{dilation[0], 1}, a[5]);
  const ValueId out = lo.reshape(deep, {{input, 0}, {input, 1}, {deep, 2}, {flat, 2}, {flat, 3}});
  return {unbatched ? lo.squeeze(out, 0) : out};
}

ValueIds avg_pool1d(Lowering& lo, const Args& a) {
  const ValueId out = lo.op("aten::avg_pool2d", lo.unsqueeze(a.tensor(0), -2), with_front(1, a.ints(1)),
                            with_front(1, stride_or_kernel(a)), with_front(0, a.ints(3)), a[4], a[5]);
  return {lo.squeeze(out, -2)};
}

ValueIds avg_pool2d(Lowering& lo, const Args& a) {
  return {lo.op("aten::avg_pool2d", a[0], a[1], stride_or_kernel(a), a[3], a[4], a[5], a[6])};
}

ValueIds avg_pool3d(Lowering& lo, const Args& a) {
  const bool unbatched = lo.rank(a.tensor(0)) == 4;
  const ValueId input = unbatched ? lo.unsqueeze(a.tensor(0), 0) : a.tensor(0);
  const Ints kernel = a.ints(1), stride = stride_or_kernel(a), padding = a.ints(3);
  const bool pads = padding != Ints{0, 0, 0};
  if (lo.rank(input) != 5 || a.flag(4) || a.has(6) || (pads && !a.flag(5))) {
    refuse("this form of average pooling in three dims is not supported");
  }
  const ValueId planes = lo.reshape(input, {{input, 0}, SizeOf::literal(-1), {input, 3}, {input, 4}});
  const ValueId flat = lo.op("aten::avg_pool2d", planes, Ints{kernel[1], kernel[2]},
                             Ints{stride[1], stride[2]}, Ints{padding[1], padding[2]}, false, true);
  const ValueId columns = lo.reshape(flat, {{input, 0}, {input, 1}, {input, 2}, SizeOf::literal(-1)});
  const ValueId deep = lo.op("aten::avg_pool2d", columns, Ints{kernel[0], 1}, Ints{stride[0], 1},
                             Ints{padding[0], 0}, false, true);
  const ValueId out = lo.reshape(deep, {{input, 0}, {input, 1}, {deep, 2}, {flat, 2}, {flat, 3}});
  return {unbatched ? lo.squeeze(out, 0) : out};
}

ValueIds adaptive_avg_pool2d(Lowering& lo, const Args& a) {
  if (a.ints(1) == Ints{1, 1}) return {lo.op("aten::mean.dim", a[0], Ints{-1, -2}, true)};
  return {lo.op("aten::_adaptive_avg_pool2d", a[0], a[1])};
}

ValueIds adaptive_avg_pool1d(Lowering& lo, const Args& a) {
  if (a.ints(1) == Ints{1}) return {lo.op("aten::mean.dim", a[0], Ints{-1}, true)};
  const ValueId out =
      lo.op("aten::_adaptive_avg_pool2d", lo.unsqueeze(a.tensor(0), -2), with_front(1, a.ints(1)));
  return {lo.squeeze(out, -2)};
}

ValueIds adaptive_avg_pool3d(Lowering& lo, const Args& a) {
  if (a.ints(1) == Ints{1, 1, 1}) return {lo.op("aten::mean.dim", a[0], Ints{-1, -2, -3}, true)};
  const bool unbatched = lo.rank(a.tensor(0)) == 4;
  const ValueId input = unbatched ? lo.unsqueeze(a.tensor(0), 0) : a.tensor(0);
  const Ints wanted = a.ints(1);
  if (lo.rank(input) != 5) refuse_input(fmt::format("the input has {} dims, want 5", lo.rank(input)));
  const ValueId planes = lo.reshape(input, {{input, 0}, SizeOf::literal(-1), {input, 3}, {input, 4}});
  const ValueId flat = lo.op("aten::_adaptive_avg_pool2d", planes, Ints{wanted[1], wanted[2]});
  const ValueId columns =
      lo.reshape(flat, {{input, 0}, {input, 1}, {input, 2}, SizeOf::literal(wanted[1] * wanted[2])});
  const ValueId deep = lo.op("aten::_adaptive_avg_pool2d", columns, Ints{wanted[0], wanted[1] * wanted[2]});
  const ValueId out = lo.reshape(deep, {{input, 0},
                                        {input, 1},
                                        SizeOf::literal(wanted[0]),
                                        SizeOf::literal(wanted[1]),
                                        SizeOf::literal(wanted[2])});
  return {unbatched ? lo.squeeze(out, 0) : out};
}

// The parts of a dim that adaptive pooling reads, all made as long as the longest by repeating a part's last
// element, which changes no maximum and never comes first.
struct Windows {
  std::int64_t size = 0, outputs = 0, length = 0;
  Ints places;  // [outputs, length]
};
Windows windows_of(std::int64_t size, std::int64_t outputs) {
  constexpr std::int64_t kMaxSide = 1 << 16;
  if (outputs <= 0 || size <= 0 || size > kMaxSide || outputs > kMaxSide)
    refuse(fmt::format("pooling {} elements to {} is not supported", size, outputs));
  const auto start = [&](std::int64_t i) { return i * size / outputs; };
  const auto end = [&](std::int64_t i) { return ((i + 1) * size + outputs - 1) / outputs; };
  Windows out{size, outputs, 0, {}};
  for (std::int64_t i = 0; i < outputs; ++i) out.length = std::max(out.length, end(i) - start(i));
  for (std::int64_t i = 0; i < outputs; ++i) {
    for (std::int64_t k = 0; k < out.length; ++k) out.places.push_back(std::min(start(i) + k, end(i) - 1));
  }
  return out;
}

// The place in the flattened input of every element of every window: [outputs.., elements of a window].
Ints flat_places(const std::vector<Windows>& windows) {
  Ints out = {0};  // of the dims so far, [outputs.., elements]
  std::size_t elements = 1;
  for (const Windows& w : windows) {
    const auto length = static_cast<std::size_t>(w.length);
    Ints next;
    for (std::size_t at = 0; at < out.size(); at += elements) {
      for (std::size_t o = 0; o < static_cast<std::size_t>(w.outputs); ++o) {
        for (std::size_t e = 0; e < elements; ++e) {
          for (std::size_t k = 0; k < length; ++k)
            next.push_back(out[at + e] * w.size + w.places[o * length + k]);
        }
      }
    }
    out = std::move(next);
    elements *= length;
  }
  return out;
}

// The windows gathered beside each other, then the maximum of each and where it was.
ValueIds adaptive_max(Lowering& lo, ValueId x, const Ints& wanted) {
  const std::size_t lead = lo.rank(x) - wanted.size();
  std::vector<Windows> windows;
  std::int64_t elements = 1, gathered = 1;
  constexpr std::int64_t kMaxGathered = 1 << 24;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    windows.push_back(windows_of(lo.static_size(x, lead + i), wanted[i]));
    elements *= windows[i].length;
    gathered *= windows[i].length * wanted[i];
    if (gathered > kMaxGathered) refuse("adaptive pooling of so large an input is not supported");
  }
  Sizes apart, joined;
  Ints order;
  IntItems table_sizes;
  const auto push = [](Ints& list, std::size_t value) { list.push_back(static_cast<std::int64_t>(value)); };
  for (std::size_t i = 0; i < lead; ++i) {
    apart.push_back({x, static_cast<std::int64_t>(i)});
    joined.push_back(apart.back());
    table_sizes.push_back(lo.size(x, i));
    push(order, i);
  }
  Dims table_dims(lead, 1);
  ValueId rows = x;
  for (std::size_t i = 0; i < windows.size(); ++i) {
    const Windows& w = windows[i];
    const ValueId places =
        lo.constant(w.places, Dims{static_cast<std::int64_t>(w.places.size())}, DType::kInt64);
    rows = lo.op("aten::index_select", rows, lead + i, places);
    apart.push_back(SizeOf::literal(w.outputs));
    apart.push_back(SizeOf::literal(w.length));
    joined.push_back(SizeOf::literal(w.outputs));
    table_sizes.push_back({w.outputs, ir::kNoValue});
    table_dims.push_back(w.outputs);
    push(order, lead + 2 * i);
  }
  for (std::size_t i = 0; i < windows.size(); ++i) push(order, lead + 2 * i + 1);
  joined.push_back(SizeOf::literal(elements));
  table_sizes.push_back({elements, ir::kNoValue});
  table_dims.push_back(elements);
  const ValueId beside = lo.reshape(lo.permute(lo.reshape(rows, apart), order), joined);
  const ValueIds best = lo.op_all("aten::max.dim", beside, -1, false);
  const ValueId table = lo.expand(lo.constant(flat_places(windows), table_dims, DType::kInt64), table_sizes);
  const ValueId places = lo.op("aten::gather", table, -1, lo.unsqueeze(best[1], -1));
  return {best[0], lo.squeeze(places, -1)};
}

bool even(Lowering& lo, ValueId x, std::size_t dim, std::int64_t outputs) {
  return outputs > 0 && lo.static_size(x, dim) % outputs == 0;
}

ValueIds adaptive_max_pool2d(Lowering& lo, const Args& a) {
  const ValueId x = a.tensor(0);
  const Ints wanted = a.ints(1);
  const std::size_t rank = lo.rank(x);
  if (rank < 3) refuse_input("the input needs at least three dims");
  if (!even(lo, x, rank - 2, wanted[0]) || !even(lo, x, rank - 1, wanted[1]))
    return adaptive_max(lo, x, wanted);
  const Ints window = {lo.static_size(x, rank - 2) / wanted[0], lo.static_size(x, rank - 1) / wanted[1]};
  return lo.op_all("aten::max_pool2d_with_indices", x, window, window, Ints{0, 0}, Ints{1, 1}, false);
}

ValueIds adaptive_max_pool1d(Lowering& lo, const Args& a) {
  const ValueId x = a.tensor(0);
  const std::int64_t wanted = a.ints(1).at(0);
  if (lo.rank(x) < 2) refuse_input("the input needs at least two dims");
  if (!even(lo, x, lo.rank(x) - 1, wanted)) return adaptive_max(lo, x, {wanted});
  const Ints window = {1, lo.static_size(x, lo.rank(x) - 1) / wanted};
  const ValueIds parts = lo.op_all("aten::max_pool2d_with_indices", lo.unsqueeze(x, -2), window, window,
                                   Ints{0, 0}, Ints{1, 1}, false);
  return {lo.squeeze(parts[0], -2), lo.squeeze(parts[1], -2)};
}

ValueIds adaptive_max_pool3d(Lowering& lo, const Args& a) {
  if (lo.rank(a.tensor(0)) < 4) refuse_input("the input needs at least four dims");
  return adaptive_max(lo, a.tensor(0), a.ints(1));
}

constexpr Rule kRows[] = {
    {"aten::max_pool1d(Tensor self, int[1] kernel_size, int[1] stride=[], int[1] padding=0, int[1] "
     "dilation=1, "
     "bool ceil_mode=False) -> Tensor",
     max_pool1d},
    {"aten::max_pool1d_with_indices(Tensor self, int[1] kernel_size, int[1] stride=[], int[1] padding=0, "
     "int[1] dilation=1, "
     "bool ceil_mode=False) -> (Tensor, Tensor)",
     max_pool1d_parts},
    {"aten::max_pool2d(Tensor self, int[2] kernel_size, int[2] stride=[], int[2] padding=0, int[2] "
     "dilation=1, "
     "bool ceil_mode=False) -> Tensor",
     max_pool2d},
    {"aten::max_pool3d(Tensor self, int[3] kernel_size, int[3] stride=[], int[3] padding=0, int[3] "
     "dilation=1, "
     "bool ceil_mode=False) -> Tensor",
     max_pool3d},
    {"aten::avg_pool1d(Tensor self, int[1] kernel_size, int[1] stride=[], int[1] padding=0, bool "
     "ceil_mode=False, "
     "bool count_include_pad=True) -> Tensor",
     avg_pool1d},
    {"aten::avg_pool2d(Tensor self, int[2] kernel_size, int[2] stride=[], int[2] padding=0, bool "
     "ceil_mode=False, "
     "bool count_include_pad=True, int? divisor_override=None) -> Tensor",
     avg_pool2d},
    {"aten::avg_pool3d(Tensor self, int[3] kernel_size, int[3] stride=[], int[3] padding=0, bool "
     "ceil_mode=False, "
     "bool count_include_pad=True, int? divisor_override=None) -> Tensor",
     avg_pool3d},
    {"aten::adaptive_avg_pool1d(Tensor self, int[1] output_size) -> Tensor", adaptive_avg_pool1d},
    {"aten::adaptive_avg_pool2d(Tensor self, SymInt[2] output_size) -> Tensor", adaptive_avg_pool2d},
    {"aten::adaptive_avg_pool3d(Tensor self, SymInt[3] output_size) -> Tensor", adaptive_avg_pool3d},
    {"aten::adaptive_max_pool1d(Tensor self, int[1] output_size) -> (Tensor, Tensor)", adaptive_max_pool1d},
    {"aten::adaptive_max_pool2d(Tensor self, int[2] output_size) -> (Tensor, Tensor)", adaptive_max_pool2d},
    {"aten::adaptive_max_pool3d(Tensor self, int[3] output_size) -> (Tensor, Tensor)", adaptive_max_pool3d},
};

}  // namespace

constinit const RuleFamily kPoolingRules{kRows};

}  // namespace etalon::frontend

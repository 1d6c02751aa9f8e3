// Pooling in one to three dims, in terms of the two-dimensional operators.
#include <fmt/core.h>

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

// Windows of equal size; others have no operator that pools them.
std::int64_t even_window(Lowering& lo, ValueId x, std::size_t dim, std::int64_t outputs) {
  const std::int64_t size = lo.static_size(x, dim);
  if (outputs <= 0 || size % outputs != 0)
    refuse(fmt::format("pooling {} elements to {} gives windows of unequal size", size, outputs));
  return size / outputs;
}

ValueIds adaptive_max_pool2d(Lowering& lo, const Args& a) {
  const ValueId x = a.tensor(0);
  const Ints wanted = a.ints(1);
  if (lo.rank(x) < 3) refuse_input("the input needs at least three dims");
  const Ints window = {even_window(lo, x, lo.rank(x) - 2, wanted[0]),
                       even_window(lo, x, lo.rank(x) - 1, wanted[1])};
  return lo.op_all("aten::max_pool2d_with_indices", x, window, window, Ints{0, 0}, Ints{1, 1}, false);
}

ValueIds adaptive_max_pool1d(Lowering& lo, const Args& a) {
  const ValueId x = a.tensor(0);
  if (lo.rank(x) < 2) refuse_input("the input needs at least two dims");
  const Ints window = {1, even_window(lo, x, lo.rank(x) - 1, a.ints(1).at(0))};
  const ValueIds parts = lo.op_all("aten::max_pool2d_with_indices", lo.unsqueeze(x, -2), window, window,
                                   Ints{0, 0}, Ints{1, 1}, false);
  return {lo.squeeze(parts[0], -2), lo.squeeze(parts[1], -2)};
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
};

}  // namespace

constinit const RuleFamily kPoolingRules{kRows};

}  // namespace etalon::frontend

// Convolutions of one to three dims, transposed or not, in terms of aten::convolution (which has one and two
// dims).
#include <fmt/core.h>

#include "frontend/aten/rules.h"

namespace etalon::frontend {
namespace {

struct Conv {
  ValueId input, weight, bias;
  Ints stride, padding, dilation;
  bool transposed = false;
  Ints output_padding;
  std::int64_t groups = 1;
};

ValueId convolve(Lowering& lo, const Conv& c) {
  return lo.op("aten::convolution", c.input, c.weight, c.bias, c.stride, c.padding, c.dilation, c.transposed,
               c.output_padding, c.groups);
}

constexpr std::int64_t kMaxTaps = 1024;

// The planes of a volume [N, C, D, H, W] as a batch, and back.
ValueId as_planes(Lowering& lo, ValueId x) {
  const ValueId planes = lo.permute(x, {0, 2, 1, 3, 4});
  return lo.reshape(planes, {SizeOf::literal(-1), {planes, 2}, {planes, 3}, {planes, 4}});
}
ValueId as_volume(Lowering& lo, ValueId planes, ValueId batch_of, std::int64_t depth) {
  return lo.permute(
      lo.reshape(planes, {{batch_of, 0}, SizeOf::literal(depth), {planes, 1}, {planes, 2}, {planes, 3}}),
      {0, 2, 1, 3, 4});
}

// One slice of the kernel's depth at a time: what it makes of every plane is put `stride` planes apart and
// summed.
ValueId convolve_transposed_3d(Lowering& lo, const Conv& c) {
  const std::int64_t depth = lo.static_size(c.input, 2);
  const std::int64_t taps = lo.static_size(c.weight, 2);
  const std::int64_t stride = c.stride[0], dilation = c.dilation[0];
  constexpr std::int64_t kMaxStep = 1 << 12;
  if (depth <= 0 || stride <= 0 || stride > kMaxStep || taps <= 0 || taps > kMaxTaps || dilation <= 0 ||
      dilation > kMaxStep)
    refuse_input(fmt::format("a stride of {} and a depth of {}", stride, taps));
  const std::int64_t spread = (depth - 1) * stride + 1;
  const std::int64_t full = spread + dilation * (taps - 1) + c.output_padding[0];
  const ValueId planes = as_planes(lo, c.input);
  ValueId sum = ir::kNoValue;
  for (std::int64_t tap = 0; tap < taps; ++tap) {
    Conv flat = c;
    flat.input = planes;
    flat.weight = lo.select(c.weight, 2, tap);
    flat.bias = ir::kNoValue;
    for (Ints* list : {&flat.stride, &flat.padding, &flat.dilation, &flat.output_padding})
      list->erase(list->begin());
    ValueId part = as_volume(lo, convolve(lo, flat), c.input, depth);
    if (stride > 1) {
      const ValueId gaps =
          lo.op("aten::constant_pad_nd", lo.unsqueeze(part, 3), Ints{0, 0, 0, 0, 0, stride - 1}, 0.0);
      const ValueId apart =
          lo.reshape(gaps, {{gaps, 0}, {gaps, 1}, SizeOf::literal(depth * stride), {gaps, 4}, {gaps, 5}});
      part = lo.slice(apart, 2, 0, spread);
    }
    const std::int64_t before = tap * dilation;
    if (full != spread)
      part = lo.op("aten::constant_pad_nd", part, Ints{0, 0, 0, 0, before, full - spread - before}, 0.0);
    sum = tap == 0 ? part : lo.add(sum, part);
  }
  if (c.padding[0] != 0) sum = lo.slice(sum, 2, c.padding[0], full - c.padding[0]);
  if (c.bias == ir::kNoValue) return sum;
  return lo.add(sum, lo.reshape(c.bias, {SizeOf::literal(-1), SizeOf::literal(1), SizeOf::literal(1),
                                         SizeOf::literal(1)}));
}

// One slice of the kernel's depth at a time: each is a 2-D convolution of the input's slices at that offset.
ValueId convolve_3d(Lowering& lo, Conv c) {
  if (c.transposed) return convolve_transposed_3d(lo, c);
  if (c.padding[0] != 0) {
    c.input = lo.op("aten::constant_pad_nd", c.input, Ints{0, 0, 0, 0, c.padding[0], c.padding[0]}, 0.0);
  }
  const std::int64_t depth = lo.static_size(c.input, 2);
  const std::int64_t taps = lo.static_size(c.weight, 2);
  if (c.stride[0] <= 0 || taps <= 0 || taps > kMaxTaps)
    refuse_input(fmt::format("a stride of {} and a depth of {}", c.stride[0], taps));
  const std::int64_t outputs = (depth - c.dilation[0] * (taps - 1) - 1) / c.stride[0] + 1;
  if (outputs <= 0)
    refuse_input(fmt::format("the kernel is deeper ({}) than the padded input ({})", taps, depth));
  ValueId sum = ir::kNoValue;
  for (std::int64_t tap = 0; tap < taps; ++tap) {
    const std::int64_t start = tap * c.dilation[0];
    const ValueId planes = lo.permute(
        lo.slice(c.input, 2, start, start + (outputs - 1) * c.stride[0] + 1, c.stride[0]), {0, 2, 1, 3, 4});
    Conv flat = c;
    flat.input = lo.reshape(planes, {SizeOf::literal(-1), {planes, 2}, {planes, 3}, {planes, 4}});
    flat.weight = lo.select(c.weight, 2, tap);
    flat.bias = tap == 0 ? c.bias : ir::kNoValue;
    for (Ints* list : {&flat.stride, &flat.padding, &flat.dilation, &flat.output_padding})
      list->erase(list->begin());
    const ValueId part = convolve(lo, flat);
    sum = tap == 0 ? part : lo.add(sum, part);
  }
  const ValueId apart =
      lo.reshape(sum, {{c.input, 0}, SizeOf::literal(outputs), {sum, 1}, {sum, 2}, {sum, 3}});
  return lo.permute(apart, {0, 2, 1, 3, 4});
}

ValueId convolve_any(Lowering& lo, Conv c) {
  const std::size_t spatial = c.stride.size();
  if (lo.rank(c.weight) != spatial + 2)
    refuse_input(fmt::format("the weight has {} dims, want {}", lo.rank(c.weight), spatial + 2));
  for (const Ints* list : {&c.padding, &c.dilation, &c.output_padding}) {
    if (list->size() != spatial)
      refuse_input(fmt::format("a list of {} items for {} dims", list->size(), spatial));
  }
  if (spatial == 0 || spatial > 3) refuse(fmt::format("convolution over {} dims is not supported", spatial));
  const bool unbatched = lo.rank(c.input) == spatial + 1;
  if (unbatched) c.input = lo.unsqueeze(c.input, 0);
  if (lo.rank(c.input) != spatial + 2)
    refuse_input(fmt::format("the input has {} dims, want {}", lo.rank(c.input), spatial + 2));
  const ValueId out = spatial == 3 ? convolve_3d(lo, c) : convolve(lo, c);
  return unbatched ? lo.squeeze(out, 0) : out;
}

ValueIds conv(Lowering& lo, const Args& a) {
  const Ints stride = a.ints(3);
  return {convolve_any(lo, {a.tensor(0), a.tensor(1), a.tensor_or_none(2), stride, a.ints(4), a.ints(5),
                            false, Ints(stride.size(), 0), a.integer(6)})};
}

// padding="same" pads dilation * (kernel - 1) in all, the odd one behind.
ValueIds conv_named_padding(Lowering& lo, const Args& a) {
  Conv c{a.tensor(0), a.tensor(1), a.tensor_or_none(2), a.ints(3), {}, a.ints(5), false, {}, a.integer(6)};
  const std::size_t spatial = c.stride.size();
  c.padding = c.output_padding = Ints(spatial, 0);
  if (a.text(4) == "same") {
    Ints uneven;  // torch.nn.functional.pad's order: last dim first
    bool is_even = true;
    for (std::size_t i = spatial; i-- > 0;) {
      const std::int64_t total = c.dilation[i] * (lo.static_size(c.weight, i + 2) - 1);
      c.padding[i] = total / 2;
      uneven.push_back(0);
      uneven.push_back(total % 2);
      is_even = is_even && total % 2 == 0;
    }
    if (!is_even) {
      c.input = lo.op("aten::constant_pad_nd", c.input, uneven, 0.0);
      // The extra element lies behind; symmetric padding does the rest.
    }
  } else if (a.text(4) != "valid") {
    refuse_input(fmt::format("padding '{}' is neither 'same' nor 'valid'", a.text(4)));
  }
  return {convolve_any(lo, c)};
}

ValueIds conv_transpose(Lowering& lo, const Args& a) {
  return {convolve_any(lo, {a.tensor(0), a.tensor(1), a.tensor_or_none(2), a.ints(3), a.ints(4), a.ints(7),
                            true, a.ints(5), a.integer(6)})};
}

ValueIds convolution(Lowering& lo, const Args& a) {
  return {convolve_any(lo, {a.tensor(0), a.tensor(1), a.tensor_or_none(2), a.ints(3), a.ints(4), a.ints(5),
                            a.flag(6), a.ints(7), a.integer(8)})};
}

constexpr Rule kRows[] = {
    {"aten::conv1d(Tensor input, Tensor weight, Tensor? bias=None, SymInt[1] stride=1, SymInt[1] padding=0, "
     "SymInt[1] dilation=1, "
     "SymInt groups=1) -> Tensor",
     conv},
    {"aten::conv2d(Tensor input, Tensor weight, Tensor? bias=None, SymInt[2] stride=1, SymInt[2] padding=0, "
     "SymInt[2] dilation=1, "
     "SymInt groups=1) -> Tensor",
     conv},
    {"aten::conv3d(Tensor input, Tensor weight, Tensor? bias=None, SymInt[3] stride=1, SymInt[3] padding=0, "
     "SymInt[3] dilation=1, "
     "SymInt groups=1) -> Tensor",
     conv},
    {"aten::conv1d.padding(Tensor input, Tensor weight, Tensor? bias=None, SymInt[1] stride=1, str "
     "padding=\"valid\", "
     "SymInt[1] dilation=1, SymInt groups=1) -> Tensor",
     conv_named_padding},
    {"aten::conv2d.padding(Tensor input, Tensor weight, Tensor? bias=None, SymInt[2] stride=1, str "
     "padding=\"valid\", "
     "SymInt[2] dilation=1, SymInt groups=1) -> Tensor",
     conv_named_padding},
    {"aten::conv3d.padding(Tensor input, Tensor weight, Tensor? bias=None, SymInt[3] stride=1, str "
     "padding=\"valid\", "
     "SymInt[3] dilation=1, SymInt groups=1) -> Tensor",
     conv_named_padding},
    {"aten::conv_transpose1d(Tensor input, Tensor weight, Tensor? bias=None, SymInt[1] stride=1, SymInt[1] "
     "padding=0, "
     "SymInt[1] output_padding=0, SymInt groups=1, SymInt[1] dilation=1) -> Tensor",
     conv_transpose},
    {"aten::conv_transpose2d.input(Tensor input, Tensor weight, Tensor? bias=None, SymInt[2] stride=1, "
     "SymInt[2] padding=0, "
     "SymInt[2] output_padding=0, SymInt groups=1, SymInt[2] dilation=1) -> Tensor",
     conv_transpose},
    {"aten::conv_transpose3d.input(Tensor input, Tensor weight, Tensor? bias=None, SymInt[3] stride=1, "
     "SymInt[3] padding=0, "
     "SymInt[3] output_padding=0, SymInt groups=1, SymInt[3] dilation=1) -> Tensor",
     conv_transpose},
    {"aten::convolution(Tensor input, Tensor weight, Tensor? bias, SymInt[] stride, SymInt[] padding, "
     "SymInt[] dilation, "
     "bool transposed, SymInt[] output_padding, SymInt groups) -> Tensor",
     convolution},
    {"aten::_convolution(Tensor input, Tensor weight, Tensor? bias, SymInt[] stride, SymInt[] padding, "
     "SymInt[] dilation, "
     "bool transposed, SymInt[] output_padding, SymInt groups, bool benchmark, bool deterministic, bool "
     "cudnn_enabled, "
     "bool allow_tf32) -> Tensor",
     convolution},
};

}  // namespace

constinit const RuleFamily kConvolutionRules{kRows};

}  // namespace etalon::frontend

// The walk of dense_run_impl.h over a copy of its input in 16-bit numbers, made block by block: some rows of output, or,
// where there is nothing but channels, some pixels. Include a kernels/simd header and a pairs_<isa>_impl.h first.
//
// A block is a convolution of its own, whose channels are pairs.
#pragma once

#include "kernels/conv2d/dense_run_impl.h"

namespace etalon::kernels {
namespace {

// What a block is cut from: a pointwise layer is a column of pixels.
Conv2dShape as_column(const Conv2dShape& shape) {
  Conv2dShape s = shape;
  if (!s.is_pointwise()) return s;
  s.in_h = s.out_h = s.out_h * s.out_w;
  s.in_w = s.out_w = 1;
  if (s.has_input_scale) return s;
  s.in_h = s.out_h = s.out_h * s.batch;
  s.batch = 1;
  return s;
}

struct PairBlock {
  Conv2dShape shape;      // in pairs
  std::int64_t in_begin;  // the first row of its input
};

struct PairPlan {
  Conv2dShape s;
  std::int64_t channels;  // pairs of an input pixel
  std::int64_t rows;      // of output of a block; the last one of an image may have fewer

  PairPlan(const Conv2dShape& shape, const Machine& machine) : s(as_column(shape)) {
    channels = s.groups * div_up(s.in_c / s.groups, 2);
    rows = rows_per_block(machine);
  }

  Conv2dShape in_pairs() const {
    Conv2dShape out = s;
    out.in_c = out.in_pixel_stride = channels;
    out.has_input_scale = out.input_is_nchw = false;
    return out;
  }

  PairBlock block(std::int64_t y, std::int64_t count) const {
    const std::int64_t first = y * s.stride_h - s.pad_top;
    const std::int64_t last = first + (count - 1) * s.stride_h + (s.kernel_h - 1) * s.dilation_h;
    PairBlock out{in_pairs(), smaller(s.in_h, larger(0, first))};
    out.shape.batch = 1;
    out.shape.out_h = count;
    out.shape.in_h = larger(0, smaller(s.in_h, last + 1) - out.in_begin);
    out.shape.pad_top = out.in_begin - first;
    if (s.is_pointwise()) {  // a row is what DenseRun walks best
      out.shape.in_w = out.shape.out_w = count;
      out.shape.in_h = out.shape.out_h = 1;
    }
    return out;
  }
  std::int64_t input_rows() const {  // of a block, at most
    return smaller(s.in_h, (rows - 1) * s.stride_h + (s.kernel_h - 1) * s.dilation_h + 1);
  }

 private:
  // As much as fits half of the second cache. Where weights stay in there as well and neighbouring blocks share no input,
  // half of the first, which the pairs then never leave.
  std::int64_t rows_per_block(const Machine& machine) const {
    const auto l1 = static_cast<std::int64_t>(machine.l1_bytes), l2 = static_cast<std::int64_t>(machine.l2_bytes);
    const std::int64_t row_bytes = 4 * channels * s.in_w * s.stride_h;
    if (s.is_pointwise() && 4 * plan_of(in_pairs()).floats() <= l2 / 2) {
      return smaller(s.out_h, larger(16 * kMaxRows, l1 / 2 / row_bytes));
    }
    return smaller(s.out_h, larger(s.out_w == 1 ? 16 * kMaxRows : 4, l2 / 2 / row_bytes));
  }
};

class DensePairsRun {
 public:
  DensePairsRun(const Conv2dShape& shape, const Epilogue& epilogue, const Machine& machine, const Conv2dCall& call)
      : plan_(shape, machine), s_(plan_.s), epilogue_(epilogue), machine_(machine), call_(call),
        pairs_(reinterpret_cast<float*>(call.scratch)) {}

  static std::size_t scratch_bytes(const Conv2dShape& shape, const Machine& machine) {
    const PairPlan plan(shape, machine);
    return pair_bytes(plan) + Scratch(plan.in_pairs(), nullptr).bytes;
  }

  void work(unsigned worker, unsigned workers) {
    const std::int64_t rows = s_.batch * s_.out_h;
    const bool by_pixels = workers == 1 || splits_pixels(plan_.in_pairs(), plan_of(plan_.in_pairs()), workers);
    const std::int64_t begin = by_pixels ? rows * worker / workers : 0, end = by_pixels ? rows * (worker + 1) / workers : rows;
    // Blocks are the same for any number of workers, so that sums are too.
    for (std::int64_t image = begin / s_.out_h; image * s_.out_h < end; ++image) {
      for (std::int64_t y = 0; y < s_.out_h; y += plan_.rows) {
        const std::int64_t count = smaller(plan_.rows, s_.out_h - y), row = image * s_.out_h + y;
        const std::int64_t from = larger(0, begin - row), to = smaller(count, end - row);
        if (from >= to) continue;
        DenseRun run = start_block(image, y, count, from, to);
        by_pixels ? run.work_on_part(from, to, count) : run.split_channels(worker, workers);
      }
    }
  }

 private:
  static std::size_t pair_bytes(const PairPlan& plan) {
    return (static_cast<std::size_t>(plan.input_rows() * plan.s.in_w * plan.channels) * sizeof(float) + 63) / 64 * 64;
  }

  // Of the block's rows, [from, to) will be worked on.
  DenseRun start_block(std::int64_t image, std::int64_t y, std::int64_t count, std::int64_t from, std::int64_t to) {
    const PairBlock block = plan_.block(y, count);
    if (s_.is_pointwise()) {
      // Every pixel costs the same, so that tiles start in just this part; the last one may end beyond.
      convert(image, y + from, smaller(count, to + kMaxRows) - from, pairs_ + from * plan_.channels);
    } else {
      convert(image, block.in_begin * s_.in_w, block.shape.in_h * s_.in_w, pairs_);
    }
    const std::int64_t pixel = (image * s_.out_h + y) * s_.out_w;
    block_call_ = call_;
    block_call_.input = pairs_;
    block_call_.input_scale = nullptr;
    block_call_.output += pixel * s_.out_pixel_stride;
    if (call_.residual != nullptr) block_call_.residual += pixel * call_.residual_pixel_stride;
    block_call_.scratch += pair_bytes(plan_);
    return {block.shape, epilogue_, machine_, block_call_};
  }

  // Pixels [first, first + count) of an image.
  void convert(std::int64_t image, std::int64_t first, std::int64_t count, float* to) {
    if (s_.input_is_nchw) {
      const std::int64_t plane = s_.in_h * s_.in_w;
      return copy_planes_to_pairs(call_.input + image * s_.in_c * plane + first, plane, s_.in_c, count, to);
    }
    const float* from = call_.input + (image * s_.in_h * s_.in_w + first) * s_.in_pixel_stride;
    const float* scale = s_.has_input_scale ? call_.input_scale + image * s_.in_c : nullptr;
    const bool is_one_run = scale == nullptr && s_.in_pixel_stride == s_.in_c && s_.in_c % 2 == 0;
    if (is_one_run) return copy_to_pairs(from, nullptr, count * s_.in_c, to);
    for (std::int64_t i = 0; i < count; ++i) {
      copy_to_pairs(from + i * s_.in_pixel_stride, scale, s_.in_c, to + i * plan_.channels);
    }
  }

  PairPlan plan_;
  const Conv2dShape& s_;
  const Epilogue& epilogue_;
  const Machine& machine_;
  const Conv2dCall& call_;
  float* pairs_;
  Conv2dCall block_call_;
};

// Few planes are read as they are; a model's input has three.
const char* refusal_igemm_pairs(const Conv2dShape& s, const Epilogue& e) {
  if (s.groups > 1 && s.in_c / s.groups % 2 != 0) return "wants an even number of inputs in a group";
  Conv2dShape pixels = s;
  if (s.in_c <= kMostPlanes && s.groups == 1 && !s.has_input_scale) pixels.input_is_nchw = false;
  return refusal_igemm(pixels, e);
}

// A step does two multiply-adds where float32's does one; or, where dot products are slow, one in twice the time.
double cycles_pairs(const Conv2dShape& shape, const Machine& machine) {
  const PairPlan pairs(shape, machine);
  const Conv2dShape s = pairs.in_pairs();
  const PanelPlan plan = plan_of(s);
  const auto pixels = static_cast<double>(s.batch * s.out_h * s.out_w), vecs = static_cast<double>(plan.groups * plan.vecs);
  const double dots = pixels * vecs * static_cast<double>(plan.taps * plan.k) * inside_share(s);
  const auto inputs = static_cast<double>(s.batch * s.in_h * s.in_w);
  const auto channels = static_cast<double>(shape.in_c);
  const double per_pixel = shape.input_is_nchw ? 1 : shape.in_c % 2 == 0 ? 0.1 * channels : 4 + 0.15 * channels;
  const double per_step = kFactorMath == MathMode::kBf16 && machine.bf16_dots_are_slow ? 4 * kCyclesOfStep : kCyclesOfStep;
  const double compute = dots * per_step + pixels * vecs * 2 + inputs * per_pixel + 300;
  const double weights = 4.0 * static_cast<double>(plan.floats());
  const double memory = weights / (weights > static_cast<double>(machine.l2_bytes) ? 20 : 40);
  return compute > memory ? compute + 0.2 * memory : memory + 0.2 * compute;
}

std::size_t packed_bytes_pairs(const Conv2dShape& s) {
  return static_cast<std::size_t>(plan_of(PairPlan(s, {}).in_pairs()).floats()) * sizeof(float);
}

// One tap of a panel: the channels' filters are `stride` apart.
__attribute__((noinline)) void pack_tap_pairs(const PanelPlan& plan, std::int64_t panel, const float* from, std::int64_t stride,
                                              std::int64_t inputs, float* to) {
  const auto load = [&](std::int64_t channel, std::int64_t first, std::size_t) __attribute__((always_inline)) {
    return load_places(from + channel * stride + 2 * first, inputs - 2 * first);
  };
  transpose_panel(plan, panel, plan.k, load, to);
}

void pack_pairs(const Conv2dShape& s, const float* filter, const float* bias, void* packed) {
  const PanelPlan plan = plan_of(PairPlan(s, {}).in_pairs());
  const std::int64_t inputs = s.in_c / s.groups, length = plan.taps * inputs;
  for (std::int64_t group = 0; group < plan.groups; ++group) {
    for (std::int64_t panel = 0; panel < plan.count; ++panel) {
      const std::int64_t width = plan.width(panel) * kLanes, channel = group * plan.channels + plan.first_vec(panel) * kLanes;
      float* out = static_cast<float*>(packed) + plan.offset(group, panel);
      pack_bias(plan, panel, bias == nullptr ? nullptr : bias + channel, out);
      for (std::int64_t tap = 0; tap < plan.taps; ++tap) {
        pack_tap_pairs(plan, panel, filter + channel * length + tap * inputs, length, inputs, out + (1 + tap * plan.k) * width);
      }
    }
  }
}

void run_pairs(const Conv2dShape& s, const Epilogue& e, const Machine& machine, const Conv2dCall& call, unsigned worker,
               unsigned workers) {
  DensePairsRun(s, e, machine, call).work(worker, workers);
}

constexpr Conv2dAlgorithm pairs_gemm(std::string_view name, std::string_view tile, Isa isa) {
  return {.name = name, .tile = tile, .isa = isa, .math = kFactorMath, .is_depthwise = false,
          .refusal = refusal_gemm, .cycles = cycles_pairs, .packed_bytes = packed_bytes_pairs, .pack = pack_pairs,
          .scratch_bytes = DensePairsRun::scratch_bytes, .run = run_pairs};
}
constexpr Conv2dAlgorithm pairs_igemm(std::string_view name, std::string_view tile, Isa isa) {
  Conv2dAlgorithm out = pairs_gemm(name, tile, isa);
  out.refusal = refusal_igemm_pairs;
  return out;
}

}  // namespace
}  // namespace etalon::kernels

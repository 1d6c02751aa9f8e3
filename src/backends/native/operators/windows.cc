// What looks at a window of an image for each of its outputs: average pooling and bilinear resizing. The kernels want
// channels innermost; planes are brought to that order and back in scratch memory.
#include "backends/native/operators/images.h"
#include "backends/native/operators/layout_facts.h"
#include "ops/upsample.h"

namespace etalon::native {
namespace {

using kernels::Isa;
using kernels::PoolShape;
using ops::Call;

// With fewer channels most of a register would be empty.
constexpr std::int64_t kFewestChannels = 4;

const char* refusal_of_images(const TensorView& x, const TensorView& out) {
  if (!is_float(x) || !is_float(out)) return kNotFloat;
  if (x.rank() != 4 || x.numel() == 0 || out.numel() == 0) return "wants a batch of images";
  for (const TensorView* t : {&x, &out}) {
    if (!t->is_contiguous() && !has_channels_inside(*t)) return "wants planes or channels-last images";
  }
  return x.size(1) < kFewestChannels ? "wants more channels" : nullptr;
}

// Input and output of one call, as the kernel sees them.
struct Images {
  const TensorView& x;
  const TensorView& out;
  ScratchPlan memory;
  std::size_t input = 0, output = 0, own = 0;  // offsets of scratch

  Images(const Call& call, std::size_t own_bytes) : x(call.tensor(0)), out(call.out()) {
    if (!has_channels_inside(x)) input = memory.take_floats(x.numel());
    if (!has_channels_inside(out)) output = memory.take_floats(out.numel());
    own = memory.take(own_bytes);
  }
  // `body(from, to)` for each image; from and to have channels innermost.
  template <class Body>
  void for_each(const Call& call, Isa cap, const Body& body) const {
    std::byte* scratch = call.scratch().data();
    const bool planar_in = !has_channels_inside(x), planar_out = !has_channels_inside(out);
    const std::int64_t channels = x.size(1), in_size = x.numel() / x.size(0), out_size = out.numel() / x.size(0);
    for (std::int64_t i = 0; i < x.size(0); ++i) {
      const float* from = x.data_as<const float>() + i * in_size;
      float* to = out.data_as<float>() + i * out_size;
      auto* inner_from = reinterpret_cast<float*>(scratch + input);
      auto* inner_to = reinterpret_cast<float*>(scratch + output);
      if (planar_in) transpose_each(from, inner_from, 1, channels, in_size / channels, cap);
      body(planar_in ? inner_from : from, planar_out ? inner_to : to);
      if (planar_out) transpose_each(inner_to, to, 1, out_size / channels, channels, cap);
    }
  }
};

constexpr ops::WindowArgs kPoolArgs{1, 2, 3, -1};

struct AveragePool {
  static constexpr std::string_view kOutName = "aten::avg_pool2d.out";

  static const char* refusal(const Call& call) {
    if (const char* refused = refusal_of_images(call.tensor(0), call.out())) return refused;
    const auto windows = ops::windows_of(call, kPoolArgs);
    if (!windows.ok()) return "wants valid windows";
    const bool has_padding = windows->y.padding != 0 || windows->x.padding != 0;
    const bool counts_padding = !call.has(5) || call.flag(5);
    if (has_padding && counts_padding) return "wants means without the padding";
    return call.has(6) ? "wants no divisor_override" : nullptr;
  }
  static std::size_t scratch(const Call& call, Isa) { return Images(call, 0).memory.bytes(); }
  static Status run(const Call& call, Isa cap) {
    ETALON_TRY(const ops::Windows windows, ops::windows_of(call, kPoolArgs));
    const TensorView& x = call.tensor(0);
    const TensorView& out = call.out();
    const PoolShape shape{.in_h = x.size(2), .in_w = x.size(3), .out_h = out.size(2), .out_w = out.size(3),
                          .channels = x.size(1),
                          .kernel_h = windows.y.kernel, .kernel_w = windows.x.kernel,
                          .stride_h = windows.y.stride, .stride_w = windows.x.stride,
                          .pad_top = windows.y.padding, .pad_left = windows.x.padding};
    const auto pool = kernels::vector_kernels(cap).average_pool_rows;
    Images(call, 0).for_each(call, cap, [&](const float* from, float* to) { pool(shape, from, to, 0, shape.out_h); });
    return {};
  }
  static KernelLabel label(const Call&, Isa cap) { return vector_label("avgpool", cap); }
};

// Which pixels of an input row an output row mixes.
struct Mixture {
  std::int64_t* left;
  std::int64_t* right;
  float* share;

  static std::size_t bytes(std::int64_t width) {
    return static_cast<std::size_t>(width) * (2 * sizeof(std::int64_t) + sizeof(float));
  }
  Mixture(std::byte* memory, std::int64_t width)
      : left(reinterpret_cast<std::int64_t*>(memory)), right(left + width), share(reinterpret_cast<float*>(right + width)) {}
};

struct Bilinear {
  static constexpr std::string_view kOutName = "aten::upsample_bilinear2d.vec_out";

  static const char* refusal(const Call& call) { return refusal_of_images(call.tensor(0), call.out()); }
  static std::size_t scratch(const Call& call, Isa) { return images(call).memory.bytes(); }
  static Status run(const Call& call, Isa cap) {
    ETALON_TRY(const ops::Resize resize, ops::resize_of(call, 1, 3));
    const TensorView& x = call.tensor(0);
    const std::int64_t channels = x.size(1), in_h = x.size(2), in_w = x.size(3);
    const std::int64_t out_h = call.out().size(2), out_w = call.out().size(3);
    const bool align = call.flag(2);
    const auto scale_y = ops::source_scale<float>(in_h, out_h, align, resize.scale_y);
    const auto scale_x = ops::source_scale<float>(in_w, out_w, align, resize.scale_x);
    const Images all = images(call);
    const Mixture mixture(call.scratch().data() + all.own, out_w);
    for (std::int64_t i = 0; i < out_w; ++i) {
      const ops::Neighbours<float> n(i, in_w, out_w, scale_x, align);
      mixture.left[i] = n.low * channels;
      mixture.right[i] = n.high * channels;
      mixture.share[i] = n.share;
    }
    const auto mix = kernels::vector_kernels(cap).bilinear_row;
    all.for_each(call, cap, [&](const float* from, float* to) {
      for (std::int64_t y = 0; y < out_h; ++y) {
        const ops::Neighbours<float> n(y, in_h, out_h, scale_y, align);
        mix(from + n.low * in_w * channels, from + n.high * in_w * channels, mixture.left, mixture.right, mixture.share,
            n.share, to + y * out_w * channels, static_cast<std::size_t>(out_w), static_cast<std::size_t>(channels));
      }
    });
    return {};
  }
  static KernelLabel label(const Call&, Isa cap) { return vector_label("ibilinear", cap); }

 private:
  static Images images(const Call& call) { return {call, Mixture::bytes(call.out().size(3))}; }
};

constexpr NativeOperator kRows[] = {native_operator<AveragePool>(), native_operator<Bilinear>()};

}  // namespace

extern constinit const NativeFamily kWindowOperators{kRows};

}  // namespace etalon::native

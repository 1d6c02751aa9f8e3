// Every algorithm on layers of the usual networks. Padded taps count as work, so that skipping them may pass 100 %.
#include <map>
#include <memory>

#include "kernels/benching.h"
#include "kernels/conv2d/conv2d.h"
#include "kernels/testing.h"

namespace etalon::kernels {
namespace {

struct Layer {
  const char* name;
  std::int64_t size, in_c, out_c, kernel, stride, groups;
  Activation activation = Activation::kNone;
  bool planes = false;  // as a model's input comes
};

constexpr Layer kLayers[] = {
    {"mobilenet_v2_expand1", 112, 16, 96, 1, 1, 1},
    {"mobilenet_v2_expand2", 56, 24, 144, 1, 1, 1},
    {"mobilenet_v2_project_24", 56, 144, 24, 1, 1, 1},
    {"mobilenet_v2_project_32", 28, 192, 32, 1, 1, 1},
    {"mobilenet_v2_expand3", 28, 32, 192, 1, 1, 1},
    {"mobilenet_v2_expand4", 14, 64, 384, 1, 1, 1},
    {"mobilenet_v2_project4", 14, 384, 64, 1, 1, 1},
    {"mobilenet_v2_project5", 14, 576, 96, 1, 1, 1},
    {"mobilenet_v2_expand6", 7, 160, 960, 1, 1, 1},
    {"mobilenet_v2_project6", 7, 960, 160, 1, 1, 1},
    {"mobilenet_v2_head", 7, 320, 1280, 1, 1, 1},
    {"mobilenet_v2_classifier", 1, 1280, 1000, 1, 1, 1},
    {"mobilenet_v2_project_16", 112, 32, 16, 1, 1, 1},
    {"mobilenet_v3_40", 28, 120, 40, 1, 1, 1},
    {"mobilenet_v3_112", 14, 480, 112, 1, 1, 1},
    {"mobilenet_v3_80", 14, 200, 80, 1, 1, 1},
    {"squeeze_excite_reduce", 1, 672, 168, 1, 1, 1},
    {"squeeze_excite_small", 1, 64, 16, 1, 1, 1},
    {"first_layer", 224, 3, 32, 3, 2, 1},
    {"resnet_first", 224, 3, 64, 7, 2, 1},
    {"first_layer_of_planes", 224, 3, 32, 3, 2, 1, Activation::kNone, true},
    {"first_layer_of_planes_16", 224, 3, 16, 3, 2, 1, Activation::kHardswish, true},
    {"resnet_first_of_planes", 224, 3, 64, 7, 2, 1, Activation::kNone, true},
    {"resnet_3x3_56", 56, 64, 64, 3, 1, 1},
    {"resnet_3x3_28", 28, 128, 128, 3, 1, 1},
    {"resnet_3x3_14", 14, 256, 256, 3, 1, 1},
    {"resnet_3x3_7", 7, 512, 512, 3, 1, 1},
    {"resnet_3x3_strided", 56, 128, 128, 3, 2, 1},
    {"resnet_1x1_64", 56, 256, 64, 1, 1, 1},
    {"resnet_1x1_1024", 14, 256, 1024, 1, 1, 1},
    {"resnet_1x1_2048", 7, 512, 2048, 1, 1, 1},
    {"resnet_1x1_512", 7, 2048, 512, 1, 1, 1},
    {"resnet_1x1_strided", 56, 256, 512, 1, 2, 1},
    {"resnext_grouped", 28, 256, 256, 3, 1, 32},
    {"vit_qkv", -197, 192, 576, 1, 1, 1},
    {"vit_fc1", -197, 192, 768, 1, 1, 1},
    {"vit_fc2", -197, 768, 192, 1, 1, 1},
    {"deit_fc1", -197, 384, 1536, 1, 1, 1},
    {"vit_fc1_gelu", -197, 192, 768, 1, 1, 1, Activation::kGelu},
    {"efficientnet_expand_silu", 56, 24, 144, 1, 1, 1, Activation::kSilu},
    {"efficientnet_expand_plain", 56, 24, 144, 1, 1, 1},
    {"mobilenet_v3_expand_hardswish", 14, 80, 480, 1, 1, 1, Activation::kHardswish},
    {"mobilenet_v3_expand_plain", 14, 80, 480, 1, 1, 1},
    {"mobilebert", -128, 128, 512, 1, 1, 1},
    {"matmul_1024", -1024, 1024, 1024, 1, 1, 1},
    {"depthwise_112", 112, 32, 32, 3, 1, 32},
    {"depthwise_56", 56, 144, 144, 3, 1, 144},
    {"depthwise_28", 28, 192, 192, 3, 1, 192},
    {"depthwise_14", 14, 384, 384, 3, 1, 384},
};

// A negative size is that many rows of a matrix.
Conv2dShape shape_of(const Layer& layer) {
  Conv2dShape s;
  s.in_h = layer.size < 0 ? -layer.size : layer.size;
  s.in_w = layer.size < 0 ? 1 : layer.size;
  s.in_c = s.in_pixel_stride = layer.in_c;
  s.out_c = s.out_pixel_stride = layer.out_c;
  s.kernel_h = s.kernel_w = layer.kernel;
  s.stride_h = s.stride_w = layer.stride;
  s.pad_top = s.pad_left = layer.kernel / 2;
  s.out_h = (s.in_h + 2 * s.pad_top - layer.kernel) / layer.stride + 1;
  s.out_w = (s.in_w + 2 * s.pad_left - layer.kernel) / layer.stride + 1;
  s.groups = layer.groups;
  s.input_is_nchw = layer.planes;
  return s;
}

struct FreeAligned {
  void operator()(void* p) const { std::free(p); }
};
std::unique_ptr<float, FreeAligned> floats(std::size_t count, float value) {
  float* p = static_cast<float*>(std::aligned_alloc(64, (count * sizeof(float) + 127) / 64 * 64));
  std::fill_n(p, count, value);
  return std::unique_ptr<float, FreeAligned>(p);
}

void bench(benchmark::State& state, const Layer& layer, const Conv2dAlgorithm& a, double peak) {
  const Conv2dShape s = shape_of(layer);
  Epilogue e;
  e.activation = layer.activation;
  if (layer.activation == Activation::kNone) e.min = 0, e.max = 6;
  const Machine machine;
  const auto input = floats(s.batch * s.in_h * s.in_w * s.in_pixel_stride, 0.5f);
  const auto output = floats(s.batch * s.out_h * s.out_w * s.out_pixel_stride, 0);
  const auto filter = floats(s.out_c * s.kernel_h * s.kernel_w * (s.in_c / s.groups), 0.25f);
  const auto packed = floats(a.packed_bytes(s) / sizeof(float), 0);
  const auto scratch = floats(a.scratch_bytes(s, machine) / sizeof(float) + 1, 0);
  a.pack(s, filter.get(), nullptr, packed.get());
  const Conv2dCall call{.input = input.get(), .output = output.get(), .packed = packed.get(),
                        .scratch = reinterpret_cast<std::byte*>(scratch.get())};
  benching::run_best(state, 2.0 * static_cast<double>(s.multiply_adds()), peak,
                     [&] { a.run(s, e, machine, call, 0, 1); });
  // In a network the weights of a layer have left L2 since it last ran.
  const std::size_t copies = 1 + (12u << 20) / a.packed_bytes(s), copy_floats = (a.packed_bytes(s) / sizeof(float) + 15) / 16 * 16;
  const auto weights = floats(copies * copy_floats, 0);
  for (std::size_t i = 0; i < copies; ++i) std::copy_n(packed.get(), a.packed_bytes(s) / sizeof(float), weights.get() + i * copy_floats);
  std::size_t next = 0;
  Conv2dCall cold = call;
  state.counters["cold_us"] = 1e6 * benching::best_seconds(static_cast<int>(std::clamp<std::size_t>(4 * copies, 40, 400)), [&] {
    cold.packed = weights.get() + next++ % copies * copy_floats;
    a.run(s, e, machine, cold, 0, 1);
  });
  // How well the work splits: the time of one worker over twice that of the slower of two, run one after the other.
  double slower = 0;
  for (const unsigned worker : {0u, 1u}) {
    slower = std::max(slower, benching::best_seconds(50, [&] { a.run(s, e, machine, call, worker, 2); }));
  }
  state.counters["split_by_2"] = state.counters["best_us"] * 1e-6 / slower / 2;
  state.counters["estimated_us"] = a.cycles(s, machine) / benching::clock_hertz() * 1e6;
  state.counters["chosen"] = choose_conv2d(s, e, a.isa, a.math, machine).algorithm == &a;
  state.counters["weights_GB/s"] = static_cast<double>(a.packed_bytes(s)) / state.counters["best_us"] * 1e-3;
}

const bool registered = [] {
  std::map<Isa, double> peaks;
  for (const Layer& layer : kLayers) {
    const Conv2dShape s = shape_of(layer);
    for (const Conv2dAlgorithm* a : conv2d_algorithms()) {
      if (a->is_depthwise != s.is_depthwise() || a->refusal(s, {}) != nullptr || !testing::cpu_runs(a->isa)) continue;
      if (!peaks.contains(a->isa)) peaks[a->isa] = benching::peak_flops(a->isa);
      benchmark::RegisterBenchmark(
          ("conv2d/" + std::string(layer.name) + "/" + std::string(a->name)).c_str(),
          [layer, a, peak = peaks[a->isa]](benchmark::State& state) { bench(state, layer, *a, peak); })
          ->MinTime(0.1);
    }
  }
  return true;
}();

}  // namespace
}  // namespace etalon::kernels

// Every int8 algorithm on layers of the usual networks, as GOP/s and as a share of the peak of the ISA's fastest loop.
// Padded taps count as work.
#include <algorithm>
#include <map>
#include <memory>
#include <vector>

#include "kernels/benching.h"
#include "kernels/ceilings/ceilings.h"
#include "kernels/qs8_conv2d/qs8_conv2d.h"
#include "kernels/testing.h"

namespace etalon::kernels {
namespace {

struct Layer {
  const char* name;
  std::int64_t size, in_c, out_c, kernel, stride, groups;
  bool in_planes = false;
};

// A negative size is that many rows of a matrix.
constexpr Layer kLayers[] = {
    {"first_layer", 224, 3, 32, 3, 2, 1},
    {"first_layer_planes", 224, 3, 32, 3, 2, 1, true},
    {"first_layer_16_planes", 224, 3, 16, 3, 2, 1, true},
    {"mobilenet_v2_project_16", 112, 32, 16, 1, 1, 1},
    {"mobilenet_v2_expand1", 112, 16, 96, 1, 1, 1},
    {"mobilenet_v2_expand2", 56, 24, 144, 1, 1, 1},
    {"mobilenet_v2_project_24", 56, 144, 24, 1, 1, 1},
    {"mobilenet_v2_expand3", 28, 32, 192, 1, 1, 1},
    {"mobilenet_v2_project_32", 28, 192, 32, 1, 1, 1},
    {"mobilenet_v2_expand4", 14, 64, 384, 1, 1, 1},
    {"mobilenet_v2_project4", 14, 384, 64, 1, 1, 1},
    {"mobilenet_v2_project5", 14, 576, 96, 1, 1, 1},
    {"mobilenet_v2_expand6", 7, 160, 960, 1, 1, 1},
    {"mobilenet_v2_project6", 7, 960, 160, 1, 1, 1},
    {"mobilenet_v2_head", 7, 320, 1280, 1, 1, 1},
    {"mobilenet_v2_classifier", 1, 1280, 1000, 1, 1, 1},
    {"resnet_first", 224, 3, 64, 7, 2, 1},
    {"resnet_first_planes", 224, 3, 64, 7, 2, 1, true},
    {"resnet_3x3_56", 56, 64, 64, 3, 1, 1},
    {"resnet_3x3_28", 28, 128, 128, 3, 1, 1},
    {"resnet_3x3_14", 14, 256, 256, 3, 1, 1},
    {"resnet_3x3_7", 7, 512, 512, 3, 1, 1},
    {"resnet_1x1_64", 56, 256, 64, 1, 1, 1},
    {"resnet_1x1_1024", 14, 256, 1024, 1, 1, 1},
    {"resnet_1x1_512", 7, 2048, 512, 1, 1, 1},
    {"resnet_1x1_strided", 56, 256, 512, 1, 2, 1},
    {"resnext_grouped", 28, 256, 256, 3, 1, 32},
    {"vit_fc1", -197, 192, 768, 1, 1, 1},
    {"vit_fc2", -197, 768, 192, 1, 1, 1},
    {"vit_qkv", -197, 192, 576, 1, 1, 1},
    {"vit_base_qkv", -197, 768, 2304, 1, 1, 1},
    {"one_row_in_l2", 1, 512, 1024, 1, 1, 1},
    {"two_rows", -2, 1280, 1000, 1, 1, 1},
    {"four_rows", -4, 1280, 1000, 1, 1, 1},
    {"seven_rows", -7, 1280, 1000, 1, 1, 1},
    {"squeeze_8", 1, 32, 8, 1, 1, 1},
    {"excite_32", 1, 8, 32, 1, 1, 1},
    {"squeeze_240", 1, 960, 240, 1, 1, 1},
    {"excite_960", 1, 240, 960, 1, 1, 1},
    {"depthwise_112", 112, 32, 32, 3, 1, 32},
    {"depthwise_112_16_s2", 112, 16, 16, 3, 2, 16},
    {"depthwise_112_s2", 112, 96, 96, 3, 2, 96},
    {"depthwise_56", 56, 144, 144, 3, 1, 144},
    {"depthwise_28", 28, 192, 192, 3, 1, 192},
    {"depthwise_28_s2", 28, 192, 192, 3, 2, 192},
    {"depthwise_14", 14, 384, 384, 3, 1, 384},
    {"depthwise_7", 7, 960, 960, 3, 1, 960},
    {"depthwise_5x5_28", 28, 120, 120, 5, 1, 120},
    {"depthwise_5x5_14", 14, 672, 672, 5, 1, 672},
    {"depthwise_5x5_14_s2", 14, 672, 672, 5, 2, 672},
    {"depthwise_5x5_7", 7, 960, 960, 5, 1, 960},
};

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
  s.input_is_nchw = layer.in_planes;
  return s;
}

struct FreeAligned {
  void operator()(void* p) const { std::free(p); }
};
std::unique_ptr<std::int8_t, FreeAligned> bytes(std::size_t count) {
  auto* p = static_cast<std::int8_t*>(std::aligned_alloc(64, (count + 127) / 64 * 64));
  for (std::size_t i = 0; i < count; ++i) p[i] = static_cast<std::int8_t>(i * 37 % 251);
  return std::unique_ptr<std::int8_t, FreeAligned>(p);
}

// int8 operations per second of one core with what the ISA has.
double peak_operations(Isa isa) {
  double best = 0;
  for (const ComputeLoop* loop : compute_loops()) {
    if (loop->dtype != "int8" || !loop->features.empty() || !is_within(loop->isa, isa)) continue;
    constexpr std::int64_t kRounds = 20000;
    const double seconds = benching::best_seconds(200, [&] { benchmark::DoNotOptimize(loop->run(kRounds)); });
    best = std::max(best, static_cast<double>(loop->operations * kRounds) / seconds);
  }
  return best;
}

void bench(benchmark::State& state, const Layer& layer, const Qs8Conv2dAlgorithm& a, bool has_table, double peak) {
  const Conv2dShape s = shape_of(layer);
  const Machine machine;
  std::uint8_t table[256];
  for (int i = 0; i < 256; ++i) table[i] = static_cast<std::uint8_t>(i * 7);
  Qs8Conv2dParams p{.input_zero_point = 3, .output_zero_point = -5};
  if (has_table) p.table = table;
  const auto input = bytes(s.batch * s.in_h * s.in_w * s.in_pixel_stride);
  const auto output = bytes(s.batch * s.out_h * s.out_w * s.out_pixel_stride);
  const auto filter = bytes(s.out_c * s.kernel_h * s.kernel_w * (s.in_c / s.groups));
  const auto packed = bytes(a.packed_bytes(s)), scratch = bytes(a.scratch_bytes(s, machine));
  const float scale = 0.001f;
  a.pack(s, p, {filter.get(), nullptr, &scale, false}, packed.get());
  const Qs8Conv2dCall call{input.get(), output.get(), packed.get(), reinterpret_cast<std::byte*>(scratch.get())};
  const double operations = 2.0 * static_cast<double>(s.multiply_adds());
  std::vector<double> seconds;
  for (auto _ : state) seconds.push_back(benching::seconds_of([&] { a.run(s, p, machine, call, 0, 1); }));
  // Not the very fastest: the clock of a virtual machine steps now and then, and one short reading would then be it.
  const auto fast = seconds.begin() + static_cast<std::ptrdiff_t>(seconds.size() / 20);
  std::nth_element(seconds.begin(), fast, seconds.end());
  const double best = *fast;
  const auto outputs = static_cast<double>(s.batch * s.out_h * s.out_w * s.out_c);
  state.counters["fast_us"] = best * 1e6;
  state.counters["GOP/s"] = operations / best * 1e-9;
  state.counters["cycles/output"] = best * benching::clock_hertz() / outputs;
  if (s.batch * s.out_h * s.out_w < 8) state.counters["weights_GB/s"] = static_cast<double>(a.packed_bytes(s)) / best * 1e-9;
  if (peak > 0) state.counters["%peak"] = 100 * operations / best / peak;
  state.counters["estimated_us"] = a.cycles(s, machine) / benching::clock_hertz() * 1e6;
}

const bool registered = [] {
  std::map<Isa, double> peaks;
  for (const Layer& layer : kLayers) {
    const Conv2dShape s = shape_of(layer);
    for (const Qs8Conv2dAlgorithm* a : qs8_conv2d_algorithms()) {
      if (a->is_depthwise != s.is_depthwise() || (s.input_is_nchw && !a->reads_planes)) continue;
      if (a->refusal(s, {}) != nullptr || !testing::cpu_runs(a->isa)) continue;
      if (!peaks.contains(a->isa)) peaks[a->isa] = peak_operations(a->isa);
      for (const bool has_table : {false, true}) {
        benchmark::RegisterBenchmark(
            ("qs8_conv2d/" + std::string(layer.name) + "/" + std::string(a->name) + (has_table ? "/table" : "")).c_str(),
            [layer, a, has_table, peak = peaks[a->isa]](benchmark::State& state) { bench(state, layer, *a, has_table, peak); })
            ->MinTime(0.05);
      }
    }
  }
  return true;
}();

}  // namespace
}  // namespace etalon::kernels

// Dynamically quantised fully connected layers, as GOP/s; the fewest rows also as the rate at which weights are read.
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "kernels/benching.h"
#include "kernels/qd8_conv2d/qd8_conv2d.h"
#include "kernels/testing.h"

namespace etalon::kernels {
namespace {

struct Layer {
  const char* name;
  std::int64_t rows, in_c, out_c;
};

constexpr Layer kLayers[] = {
    {"vit_tiny_qkv", 197, 192, 576},   {"vit_tiny_projection", 197, 192, 192}, {"vit_tiny_fc1", 197, 192, 768},
    {"vit_tiny_fc2", 197, 768, 192},   {"vit_base_qkv", 197, 768, 2304},       {"vit_head", 1, 192, 1000},
    {"classifier", 1, 1280, 1000},     {"decoder_2048", 1, 2048, 2048},        {"decoder_4096", 1, 4096, 4096},
    {"one_row_in_l2", 1, 512, 1024},   {"two_rows", 2, 1280, 1000},            {"four_rows", 4, 1280, 1000},
    {"seven_rows", 7, 1280, 1000},     {"squeeze_8", 1, 32, 8},                {"squeeze_240", 1, 960, 240},
    {"excite_960", 1, 240, 960},
};

template <class T>
using Buffer = std::unique_ptr<T, decltype(&std::free)>;
template <class T>
Buffer<T> buffer(std::int64_t length) {
  const auto count = static_cast<std::size_t>(length);
  Buffer<T> out(static_cast<T*>(std::aligned_alloc(64, (count * sizeof(T) + 127) / 64 * 64)), std::free);
  for (std::size_t i = 0; i < count; ++i) out.get()[i] = static_cast<T>(i * 37 % 127);
  return out;
}

void bench(benchmark::State& state, const Layer& layer, const Qd8Conv2dAlgorithm& a) {
  Conv2dShape s;
  s.in_h = s.out_h = layer.rows;
  s.in_c = s.in_pixel_stride = layer.in_c, s.out_c = s.out_pixel_stride = layer.out_c;
  const Machine machine;
  const auto input = buffer<std::int8_t>(layer.rows * layer.in_c);
  const auto filter = buffer<std::int8_t>(layer.in_c * layer.out_c);
  const auto output = buffer<float>(layer.rows * layer.out_c), scales = buffer<float>(layer.out_c);
  const auto packed = buffer<char>(static_cast<std::int64_t>(a.packed_bytes(s)));
  const auto scratch = buffer<std::byte>(static_cast<std::int64_t>(a.scratch_bytes(s, machine)));
  const std::vector<Qd8Row> rows(static_cast<std::size_t>(layer.rows), Qd8Row{0.01f, 3});
  a.pack(s, {filter.get(), nullptr, scales.get(), true}, packed.get());
  const Qd8Conv2dCall call{input.get(), rows.data(), output.get(), packed.get(), scratch.get()};
  std::vector<double> seconds;
  for (auto _ : state) seconds.push_back(benching::seconds_of([&] { a.run(s, {}, machine, call, 0, 1); }));
  // Not the very fastest: the clock of a virtual machine steps now and then, and one short reading would then be it.
  const auto fast = seconds.begin() + static_cast<std::ptrdiff_t>(seconds.size() / 20);
  std::nth_element(seconds.begin(), fast, seconds.end());
  state.counters["fast_us"] = *fast * 1e6;
  state.counters["GOP/s"] = 2 * static_cast<double>(s.multiply_adds()) / *fast * 1e-9;
  state.counters["weights_GB/s"] = static_cast<double>(a.packed_bytes(s)) / *fast * 1e-9;
  state.counters["estimated_us"] = a.cycles(s, machine) / benching::clock_hertz() * 1e6;
}

const bool registered = [] {
  for (const Layer& layer : kLayers) {
    for (const Qd8Conv2dAlgorithm* a : qd8_conv2d_algorithms()) {
      if (a->is_depthwise || !testing::cpu_runs(a->isa)) continue;
      benchmark::RegisterBenchmark(("qd8_conv2d/" + std::string(layer.name) + "/" + std::string(a->name)).c_str(),
                                   [layer, a](benchmark::State& state) { bench(state, layer, *a); })
          ->MinTime(0.05);
    }
  }
  return true;
}();

}  // namespace
}  // namespace etalon::kernels

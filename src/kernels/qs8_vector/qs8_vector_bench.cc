// Elements per cycle of the int8 vector kernels, on tensors of mobile networks; most lie in the second-level cache.
#include <string>
#include <vector>

#include "kernels/benching.h"
#include "kernels/qs8_vector/qs8_vector.h"
#include "kernels/testing.h"

namespace etalon::kernels {
namespace {

constexpr std::size_t kMost = 1 << 20;

struct Samples {
  std::vector<float> real = std::vector<float>(kMost);
  std::vector<std::int8_t> a = std::vector<std::int8_t>(kMost), b = a, out = a;
  std::uint8_t table[256];
  Samples() {
    for (std::size_t i = 0; i < kMost; ++i) {
      a[i] = static_cast<std::int8_t>(i * 37 % 251), b[i] = static_cast<std::int8_t>(i * 91 % 253);
      real[i] = static_cast<float>(i * 37 % 160) * 0.05f - 4.0f;
    }
    for (int i = 0; i < 256; ++i) table[i] = static_cast<std::uint8_t>(255 - i);
  }
};
Samples& samples() {
  static Samples all;
  return all;
}

// Repeated until it takes long enough for the clock.
template <class Work>
void measure(const std::string& name, Isa isa, std::size_t elements, const Work& work) {
  const std::string full = "qs8_vector/" + name + "/" + std::string(info_of(isa).name);
  benchmark::RegisterBenchmark(full.c_str(), [work, elements](benchmark::State& state) {
    Samples& s = samples();
    const std::size_t repeats = 1 + 200000 / elements;
    const double all = static_cast<double>(elements * repeats);
    const double seconds = benching::report_cycles(state, all, "cycles/element", [&] {
      for (std::size_t i = 0; i < repeats; ++i) work(s);
    });
    state.counters["elements/cycle"] = all / (seconds * benching::clock_hertz());
    state.counters["us"] = seconds / static_cast<double>(repeats) * 1e6;
  })->MinTime(0.05);
}

void add_arithmetic(const Qs8VectorKernels& k) {
  const Qs8Sum sum{.bias = 1 << 19, .left = 1234567, .right = 2000001, .shift = 20, .zero_point = 3};
  const Qs8Product product{.left_zero = -12, .right_zero = -128, .scale = 0.0039f, .zero_point = 3};
  for (std::size_t n : {4096u, 100352u, 401408u}) {
    measure("add " + std::to_string(n), k.isa, n, [&k, sum, n](Samples& s) {
      k.add(s.a.data(), s.b.data(), s.out.data(), n, sum);
    });
  }
  measure("add scalar 100352", k.isa, 100352, [&k, sum](Samples& s) {
    k.add_scalar(s.a.data(), s.b.data(), s.out.data(), 100352, sum);
  });
  measure("multiply 100352", k.isa, 100352, [&k, product](Samples& s) {
    k.multiply(s.a.data(), s.b.data(), s.out.data(), 100352, product);
  });
  const std::size_t shapes[][2] = {{12544, 16}, {784, 40}, {784, 120}, {196, 672},
                                   {49, 1152}, {12544, 32}, {3136, 72}, {784, 240}};
  for (const auto& [rows, columns] : shapes) {
    const std::string shape = std::to_string(rows) + "x" + std::to_string(columns);
    measure("multiply_columns " + shape, k.isa, rows * columns, [&k, product, rows, columns](Samples& s) {
      k.multiply_columns(s.a.data(), s.b.data(), s.out.data(), rows, columns, product);
    });
    measure("mean_columns " + shape, k.isa, rows * columns, [&k, rows, columns](Samples& s) {
      k.mean_columns(s.a.data(), rows, columns, columns, {.scale = 1.0f / static_cast<float>(rows)}, s.out.data());
    });
  }
}

void add_conversions(const Qs8VectorKernels& k) {
  constexpr std::size_t kSome = 150528;
  measure("translate", k.isa, kSome, [&k](Samples& s) { k.translate(s.a.data(), s.out.data(), kSome, s.table); });
  measure("quantise", k.isa, kSome, [&k](Samples& s) { k.quantise(s.real.data(), s.out.data(), kSome, 20.0f, 3); });
  measure("dequantise 40960", k.isa, 40960, [&k](Samples& s) {
    k.dequantise(s.a.data(), s.real.data(), 40960, 0.05f, 3);
  });
  measure("dequantise 1000", k.isa, 1000, [&k](Samples& s) {
    k.dequantise(s.a.data(), s.real.data(), 1000, 0.05f, 3);
  });
  for (std::size_t n : {192u, 768u, 3072u}) {
    measure("quantise_row " + std::to_string(n), k.isa, n, [&k, n](Samples& s) {
      benchmark::DoNotOptimize(k.quantise_row(s.real.data(), s.out.data(), n));
    });
  }
}

void add_moves(const Qs8VectorKernels& k) {
  for (std::int64_t channels : {64, 24}) {
    PoolShape p;
    p.in_h = p.in_w = 112, p.channels = channels, p.kernel_h = p.kernel_w = 3, p.stride_h = p.stride_w = 2;
    p.pad_top = p.pad_left = 1, p.out_h = p.out_w = 56;
    measure("max_pool 112x112x" + std::to_string(channels), k.isa, static_cast<std::size_t>(112 * 112 * channels),
            [&k, p](Samples& s) { k.max_pool_rows(p, s.a.data(), s.out.data(), 0, p.out_h, -128, 127); });
  }
  const std::size_t shapes[][2] = {{12544, 3}, {12544, 32}, {3136, 24}, {3136, 144},
                                   {784, 120}, {196, 480}, {49, 1152}, {49, 1280}};
  for (const auto& [pixels, channels] : shapes) {
    measure("transpose " + std::to_string(pixels) + "x" + std::to_string(channels), k.isa, pixels * channels,
            [&k, pixels, channels](Samples& s) {
              k.transpose_x8(s.a.data(), channels, s.out.data(), pixels, pixels, channels);
            });
    measure("transpose " + std::to_string(channels) + "x" + std::to_string(pixels), k.isa, pixels * channels,
            [&k, pixels, channels](Samples& s) {
              k.transpose_x8(s.a.data(), pixels, s.out.data(), channels, channels, pixels);
            });
  }
}

const bool registered = [] {
  for (Isa isa : testing::isas_to_test()) {
    const Qs8VectorKernels& k = qs8_vector_kernels(isa);
    if (k.isa != isa) continue;
    add_arithmetic(k);
    add_conversions(k);
    add_moves(k);
  }
  return true;
}();

}  // namespace
}  // namespace etalon::kernels

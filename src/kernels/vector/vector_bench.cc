// Cycles per element of the vector kernels, data in the first-level cache.
#include <string>

#include "kernels/benching.h"
#include "kernels/testing.h"
#include "kernels/vector/vector.h"

namespace etalon::kernels {
namespace {

constexpr std::size_t kElements = 3072;  // two or three arrays of 12 KiB fit
constexpr int kRepeats = 20;             // long enough for the clock

// Aligned to a cache line, as the tensors of the engine are.
struct Samples {
  alignas(64) float values[kElements];
  Samples() {
    for (std::size_t i = 0; i < kElements; ++i) values[i] = static_cast<float>(i * 37 % 160) * 0.05f - 4.0f;
  }
};

template <class Work>
void measure(const std::string& name, Isa isa, const Work& work) {
  const std::string full = "vector/" + name + "/" + std::string(info_of(isa).name);
  benchmark::RegisterBenchmark(full.c_str(), [work](benchmark::State& state) {
    Samples a, b, out;
    benching::report_cycles(state, static_cast<double>(kElements) * kRepeats, "cycles/element", [&] {
      for (int i = 0; i < kRepeats; ++i) work(a.values, b.values, out.values);
    });
  })->MinTime(0.05);
}

void add_all(const VectorKernels& k) {
  for (std::size_t op = 0; op < k.unary.size(); ++op) {
    measure(std::string(name_of(static_cast<Unary>(op))), k.isa, [fn = k.unary[op]](float* a, float*, float* out) {
      fn(a, out, kElements, UnaryParams{0.1f});
    });
  }
  for (std::size_t op = 0; op < k.binary.size(); ++op) {
    const float inf = __builtin_inff();
    measure(std::string(name_of(static_cast<Binary>(op))), k.isa,
            [fn = k.binary[op], inf](float* a, float* b, float* out) { fn(a, b, out, kElements, -inf, inf); });
  }
  for (std::size_t n : {64u, 192u, 197u, 768u}) {
    const std::string row = " row of " + std::to_string(n);
    measure("softmax" + row, k.isa, [&k, n](float* a, float*, float* out) {
      for (std::size_t i = 0; i + n <= kElements; i += n) k.softmax_row(a + i, out + i, n, 1.0f);
    });
    measure("layer_norm" + row, k.isa, [&k, n](float* a, float* b, float* out) {
      for (std::size_t i = 0; i + n <= kElements; i += n) k.layer_norm_row(a + i, b, b, out + i, n, 1e-6f, nullptr, nullptr);
    });
  }
  measure("sum_columns 48 x 64", k.isa, [&k](float* a, float*, float* out) {
    k.sum_columns(a, 48, 64, 64, 1.0f / 48, -1e30f, 1e30f, out);
  });
  measure("row of 48 times 48 x 64", k.isa, [&k](float* a, float* b, float* out) {
    k.weighted_sum_columns(b, a, 48, 64, 64, out);
  });
  measure("transpose 48 x 64", k.isa, [&k](float* a, float*, float* out) { k.transpose_x32(a, 64, out, 48, 48, 64); });
  measure("scale_columns 48 x 64", k.isa,
          [&k](float* a, float* b, float* out) { k.scale_columns(a, b, out, 48, 64); });
}

const bool registered = [] {
  Isa last = Isa::kScalar;
  for (Isa isa : testing::isas_to_test()) {
    const VectorKernels& k = vector_kernels(isa);
    if (isa != Isa::kScalar && k.isa == last) continue;
    last = k.isa;
    add_all(k);
  }
  return true;
}();

}  // namespace
}  // namespace etalon::kernels

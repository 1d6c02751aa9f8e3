// One head of attention, keys and values packed on each call, as shares of the measured peak of multiply-adds.
#include <memory>

#include "kernels/attention/attention.h"
#include "kernels/benching.h"
#include "kernels/testing.h"

namespace etalon::kernels {
namespace {

struct Head {
  const char* name;
  std::int64_t tokens, depth;
};
constexpr Head kHeads[] = {{"clip_50", 50, 64},       {"mobilebert_128", 128, 32}, {"vit_197", 197, 64},
                           {"mobilebert_384", 384, 32}, {"bert_384", 384, 64},      {"sam_1024", 1024, 64},
                           {"sam_4096", 4096, 64},    {"wide_1024", 1024, 128}};

void bench(benchmark::State& state, const Head& head, const AttentionKernel& kernel, double peak) {
  AttentionShape s;
  s.queries = s.keys = head.tokens;
  s.depth = s.value_depth = head.depth;
  s.q_stride = s.k_stride = s.v_stride = s.out_stride = head.depth;
  s.scale = 0.125f;
  const auto floats = static_cast<std::size_t>(head.tokens * head.depth);
  std::vector<float> q(floats), k(floats), v(floats, 0.5f), out(floats);
  for (std::size_t i = 0; i < floats; ++i) q[i] = static_cast<float>(i % 13) * 0.1f, k[i] = static_cast<float>(i % 7) * 0.1f;
  std::unique_ptr<std::byte, decltype(&std::free)> scratch(
      static_cast<std::byte*>(std::aligned_alloc(64, (kernel.scratch_bytes(s) + 63) / 64 * 64)), std::free);
  const double work = 4.0 * static_cast<double>(head.tokens * head.tokens * head.depth);
  benching::run_best(state, work, peak, [&] {
    kernel.run(s, q.data(), k.data(), v.data(), nullptr, out.data(), 0, s.queries, false, scratch.get());
  });
}

const bool registered = [] {
  for (const Isa isa : testing::isas_to_test()) {
    const AttentionKernel& kernel = attention_kernel(isa, MathMode::kBf16);
    if (kernel.isa != isa) continue;
    const double peak = benching::peak_flops(isa);
    for (const Head& head : kHeads) {
      benchmark::RegisterBenchmark(
          ("attention/" + std::string(head.name) + "/" + std::string(kernel.name)).c_str(),
          [&head, &kernel, peak](benchmark::State& state) { bench(state, head, kernel, peak); })
          ->MinTime(0.1);
    }
  }
  return true;
}();

}  // namespace
}  // namespace etalon::kernels

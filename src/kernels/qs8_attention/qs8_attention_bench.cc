// One head of attention of bytes, keys and values packed on each call: products of both matrix products per
// cycle, each counted once.
#include <algorithm>
#include <memory>
#include <vector>

#include "kernels/benching.h"
#include "kernels/qs8_attention/qs8_attention.h"
#include "kernels/testing.h"

namespace etalon::kernels {
namespace {

struct Head {
  const char* name;
  std::int64_t tokens, depth;
  bool is_masked = false;
};
constexpr Head kHeads[] = {{"clip_50", 50, 64},
                           {"mobilebert_128", 128, 32},
                           {"mobilebert_128_masked", 128, 32, true},
                           {"vit_197", 197, 64},
                           {"vit_197_masked", 197, 64, true},
                           {"bert_384", 384, 64},
                           {"sam_1024", 1024, 64},
                           {"sam_4096", 4096, 64}};

void bench(benchmark::State& state, const Head& head, const Qs8AttentionKernel& kernel) {
  AttentionShape s;
  s.queries = s.keys = head.tokens;
  s.depth = s.value_depth = head.depth;
  s.q_stride = s.k_stride = s.v_stride = s.out_stride = head.depth;
  s.scale = 0.125f;
  const Qs8AttentionParams params{3, -5, 7, 2.0f / 5461, 0.02f, 200, 9};
  const auto bytes = static_cast<std::size_t>(head.tokens * head.depth);
  std::vector<std::int8_t> q(bytes), k(bytes), v(bytes), out(bytes);
  std::uint32_t random = 1;
  for (std::vector<std::int8_t>* x : {&q, &k, &v}) {
    for (std::int8_t& byte : *x) {
      byte = static_cast<std::int8_t>((random = random * 1664525u + 1013904223u) >> 24);
    }
  }
  const std::vector<float> mask(static_cast<std::size_t>(head.tokens));
  std::unique_ptr<std::byte, decltype(&std::free)> scratch(
      static_cast<std::byte*>(std::aligned_alloc(64, (kernel.scratch_bytes(s) + 63) / 64 * 64)), std::free);
  const double products = 2.0 * static_cast<double>(head.tokens * head.tokens * head.depth);
  double seconds = 1e9;
  const auto work = [&] {
    kernel.run(s, params, q.data(), k.data(), v.data(), head.is_masked ? mask.data() : nullptr, out.data(), 0,
               s.queries, scratch.get());
  };
  for (auto _ : state) seconds = std::min(seconds, benching::seconds_of(work));
  state.counters["us"] = seconds * 1e6;
  state.counters["products_per_cycle"] = products / (seconds * benching::clock_hertz());
}

const bool registered = [] {
  for (const Isa isa : testing::isas_to_test()) {
    const Qs8AttentionKernel& kernel = qs8_attention_kernel(isa);
    if (kernel.isa != isa) continue;
    for (const Head& head : kHeads) {
      benchmark::RegisterBenchmark(
          ("qs8_attention/" + std::string(head.name) + "/" + std::string(kernel.name)).c_str(),
          [&head, &kernel](benchmark::State& state) { bench(state, head, kernel); })
          ->MinTime(0.1);
    }
  }
  return true;
}();

}  // namespace
}  // namespace etalon::kernels

// Random numbers: rand, randn, native_dropout. The stream of a process is fixed by its first call, not by the
// clock, so that runs can be compared; it is not torch's stream.
#include <atomic>
#include <cmath>
#include <cstdint>
#include <numbers>

#include "ops/convert.h"
#include "ops/elementwise.h"
#include "ops/infer.h"

namespace etalon::ops {
namespace {

// SplitMix64 (Steele, Lea, Flood 2014): a counter and a mixing function.
class Random {
 public:
  // Every call gets its own stretch of the sequence, on whatever thread.
  explicit Random(std::uint64_t draws) : state_(next_.fetch_add(draws * kStep, std::memory_order_relaxed)) {}

  double uniform() { return static_cast<double>(bits() >> 11) * 0x1.0p-53; }  // [0, 1)
  double normal() {
    const double radius = std::sqrt(-2.0 * std::log1p(-uniform()));
    return radius * std::cos(2.0 * std::numbers::pi * uniform());
  }

 private:
  static constexpr std::uint64_t kStep = 0x9e3779b97f4a7c15u;
  std::uint64_t bits() {
    std::uint64_t z = state_ += kStep;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }

  static inline std::atomic<std::uint64_t> next_{0x853c49e6748fea9bu};
  std::uint64_t state_;
};

Status infer_sized(const Call& call, OutShapes& outs) {
  ETALON_TRY(const DType dtype, call.dtype_or(1, DType::kFloat32));
  ETALON_TRY(const Dims sizes, make_dims(call.ints(0)));
  return outs.set(0, dtype, sizes);
}

template <class Draw>
void fill_random(const TensorView& out, Draw draw) {
  auto* to = out.data_as<std::byte>();
  for (std::int64_t i = 0; i < out.numel(); ++i, to += size_of(out.dtype())) {
    const double x = draw();
    convert_run(DType::kFloat64, &x, out.dtype(), to, 1);
  }
}

std::uint64_t draws_for(const TensorView& out) { return 2 * static_cast<std::uint64_t>(out.numel()); }

Status rand_kernel(const Call& call) {
  ETALON_CHECKED(require_floating(call.out().dtype(), "rand: output"));
  Random random(draws_for(call.out()));
  // As many bits as the dtype holds, so that rounding never reaches one.
  const double steps = call.out().dtype() == DType::kBFloat16  ? 0x1.0p8
                       : call.out().dtype() == DType::kFloat16 ? 0x1.0p11
                                                               : 0x1.0p24;
  fill_random(call.out(), [&] { return std::floor(random.uniform() * steps) / steps; });
  return {};
}

Status randn_kernel(const Call& call) {
  ETALON_CHECKED(require_floating(call.out().dtype(), "randn: output"));
  Random random(draws_for(call.out()));
  fill_random(call.out(), [&] { return random.normal(); });
  return {};
}

// In training, drops each element with probability p and scales the others by 1 / (1 - p); else copies.
constexpr std::size_t kProbability = 1;
constexpr std::size_t kTrain = 2;

Status infer_dropout(const Call& call, OutShapes& outs) {
  const TensorView& self = call.tensor(0);
  ETALON_CHECKED(require_floating(self.dtype(), "input"));
  if (const double p = call.number(kProbability); !(p >= 0 && p <= 1)) {
    return invalid_input("native_dropout: p is outside [0, 1]");
  }
  ETALON_CHECKED(outs.set(0, self.dtype(), self.sizes(), &self.order()));
  return outs.set(1, DType::kBool, self.sizes(), &self.order());
}

Status dropout_kernel(const Call& call) {
  const double p = call.number(kProbability);
  const bool train = !call.has(kTrain) || call.flag(kTrain);
  const double dropped = train ? p : 0.0;
  Random random(draws_for(call.out(1)));
  fill_random(call.out(1), [&] { return random.uniform() >= dropped ? 1.0 : 0.0; });
  const double scale = dropped < 1.0 ? 1.0 / (1.0 - dropped) : 0.0;
  return visit_real(call.tensor(0).dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    return map<T, T>(call.tensor(0), call.out(1), call.out(0),
                     [s = static_cast<T>(scale)](T x, T kept) { return x * kept * s; });
  });
}

constexpr OpDef kRows[] = {
    {.schema =
         "aten::rand(SymInt[] size, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, "
         "bool? pin_memory=None) -> Tensor",
     .out_name = "aten::rand.out",
     .infer = infer_sized,
     .kernel = rand_kernel,
     .traits = kRandom | kCastsOutput},
    {.schema =
         "aten::randn(SymInt[] size, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, "
         "bool? pin_memory=None) -> Tensor",
     .out_name = "aten::randn.out",
     .infer = infer_sized,
     .kernel = randn_kernel,
     .traits = kRandom | kCastsOutput},
    {.schema = "aten::native_dropout(Tensor input, float p, bool? train) -> (Tensor, Tensor)",
     .out_name = "aten::native_dropout.out",
     .infer = infer_dropout,
     .kernel = dropout_kernel,
     .flops = flops_per_element,
     .traits = kRandom},
};

}  // namespace

extern constinit const OpFamily kRandomOps{kRows};

}  // namespace etalon::ops

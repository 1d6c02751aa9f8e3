// _softmax and _log_softmax: exp(x - max) / sum(exp(x - max)) along a dim, and its logarithm.
#include <cmath>
#include <limits>

#include "ops/infer.h"
#include "ops/reduction.h"
#include "ops/rows.h"
#include "ops/vector_math.h"

namespace etalon::ops {

namespace {

Status infer(const Call& call, OutShapes& outs) {
  const TensorView& input = call.tensor(0);
  ETALON_TRY([[maybe_unused]] const std::size_t dim, dim_of(call.integer(1), input.rank()));
  if (!is_floating(input.dtype())) {
    return unsupported("dtype " + std::string(name_of(input.dtype())) + ", want a floating one");
  }
  if (call.flag(2)) return unsupported("half_to_float");
  return outs.set(0, input.dtype(), input.sizes());
}

float exponential(float x) { return exp_f32(x); }
double exponential(double x) { return std::exp(x); }

constexpr std::int64_t kLanes = 8;

// Ignores NaN, which comes out as NaN through its exponential anyway.
template <class T>
T max_of(const T* row, std::int64_t count) {
  T lanes[kLanes];
  for (T& lane : lanes) lane = -std::numeric_limits<T>::infinity();
  const auto larger = [](T a, T b) { return a > b ? a : b; };
  std::int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (std::int64_t lane = 0; lane < kLanes; ++lane) lanes[lane] = larger(row[i + lane], lanes[lane]);
  }
  for (; i < count; ++i) lanes[0] = larger(row[i], lanes[0]);
  for (const T lane : lanes) lanes[0] = larger(lane, lanes[0]);
  return lanes[0];
}

template <class T>
T sum_of(const T* row, std::int64_t count) {
  return static_cast<T>(internal::fold_dense(row, count, Sum<double>{}));
}

struct Softmax {
  template <class T>
  static void row(const T* from, T* to, std::int64_t count) {
    const T max = max_of(from, count);
    for (std::int64_t i = 0; i < count; ++i) to[i] = exponential(from[i] - max);
    const T scale = T{1} / sum_of(to, count);
    for (std::int64_t i = 0; i < count; ++i) to[i] *= scale;
  }
};

struct LogSoftmax {
  template <class T>
  static void row(const T* from, T* to, std::int64_t count) {
    const T max = max_of(from, count);
    // The row may be its own output, so the exponentials go through a small buffer.
    double sum = 0.0;
    constexpr std::int64_t kChunk = 128;
    T chunk[kChunk];
    for (std::int64_t first = 0; first < count; first += kChunk) {
      const std::int64_t length = std::min(kChunk, count - first);
      for (std::int64_t i = 0; i < length; ++i) chunk[i] = exponential(from[first + i] - max);
      sum += internal::fold_dense(chunk, length, Sum<double>{});
    }
    const auto log_sum = static_cast<T>(std::log(sum));
    for (std::int64_t i = 0; i < count; ++i) to[i] = (from[i] - max) - log_sum;
  }
};

template <class Function, class Compute>
Status run(const Call& call) {
  const TensorView& input = call.tensor(0);
  const TensorView& out = call.out();
  ETALON_TRY(const std::size_t dim, dim_of(call.integer(1), input.rank()));
  const bool scalar = input.rank() == 0;
  const std::int64_t count = scalar ? 1 : input.size(dim);
  Dims kept_in = input.strides(), kept_out = out.strides(), kept = input.sizes();
  if (!scalar) {
    kept_in.erase(dim);
    kept_out.erase(dim);
    kept.erase(dim);
  }
  if (input.numel() == 0) return {};
  ScratchArrays arrays(call.scratch());
  auto* read_buffer = arrays.take<Compute>(count);
  auto* write_buffer = arrays.take<Compute>(count);
  const LoopNest<2> nest(kept, {kept_in, kept_out});
  StridedView from(input.dtype(), Dims{count}, Dims{scalar ? 1 : input.stride(dim)}, nullptr);
  StridedView to(out.dtype(), Dims{count}, Dims{scalar ? 1 : out.stride(dim)}, nullptr);
  const StridedView whole_in(input), whole_out(out);
  for_each_run(nest, [&](const auto& offsets) {
    for (std::int64_t i = 0; i < nest.run(); ++i) {
      from.data = whole_in.at(offsets[0] + i * nest.step(0));
      to.data = whole_out.at(offsets[1] + i * nest.step(1));
      const Compute* row = read_row(from, read_buffer);
      Compute* result = row_to_write(to, write_buffer);
      Function::row(row, result, count);
      write_row(result, to);
    }
  });
  return {};
}

template <class Function>
Status kernel(const Call& call) {
  return visit_compute_type(call.tensor(0).dtype(),
                            [&](auto tag) -> Status { return run<Function, typename decltype(tag)::type>(call); });
}

std::size_t scratch(const Call& call) {
  const auto dim = dim_of(call.integer(1), call.tensor(0).rank());
  if (!dim.ok()) return 0;
  return scratch_for(2, call.tensor(0).rank() == 0 ? 1 : call.tensor(0).size(*dim));
}

// Comparison, subtraction, exponential, sum, scaling: each counted once.
std::int64_t flops(const Call& call) { return 5 * call.tensor(0).numel(); }

constexpr OpDef kRows[] = {
    {.schema = "aten::_softmax(Tensor self, int dim, bool half_to_float) -> Tensor",
     .out_name = "aten::_softmax.out",
     .infer = infer,
     .kernel = kernel<Softmax>,
     .flops = flops,
     .scratch = scratch},
    {.schema = "aten::_log_softmax(Tensor self, int dim, bool half_to_float) -> Tensor",
     .out_name = "aten::_log_softmax.out",
     .infer = infer,
     .kernel = kernel<LogSoftmax>,
     .flops = flops,
     .scratch = scratch},
};

}  // namespace

extern constinit const OpFamily kSoftmaxOps{kRows};

}  // namespace etalon::ops

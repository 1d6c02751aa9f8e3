// cumsum: running sums along a dim, kept in double or in 64-bit integers that wrap.
#include "ops/infer.h"
#include "ops/reduction.h"

namespace etalon::ops {

namespace {

Status infer(const Call& call, OutShapes& outs) {
  const TensorView& input = call.tensor(0);
  ETALON_TRY([[maybe_unused]] const std::size_t dim, dim_of(call.integer(1), input.rank()));
  const DType usual = is_floating(input.dtype()) ? input.dtype() : DType::kInt64;
  ETALON_TRY(const DType dtype, call.dtype_or(2, usual));
  return outs.set(0, dtype, input.sizes());
}

struct Line {
  std::int64_t count;
  std::int64_t input_step;
  std::int64_t output_step;
};

// Elements are first converted to As, the kind of the result.
template <class Total, class As, class T>
void sum_line(const Line& line, const T* from, const TensorView& out, std::int64_t at) {
  Total total{};
  for (std::int64_t i = 0; i < line.count; ++i) {
    total += static_cast<Total>(convert_element<As>(from[i * line.input_step]));
    store_element(out, at + i * line.output_step, static_cast<As>(total));
  }
}

Status kernel(const Call& call) {
  const TensorView& input = call.tensor(0);
  const TensorView& out = call.out();
  ETALON_TRY(const std::size_t dim, dim_of(call.integer(1), input.rank()));
  const bool is_scalar = input.rank() == 0;
  const ReducePlan plan(input, is_scalar ? 0u : DimMask{1} << dim, out.strides());
  const Line line{plan.count, is_scalar ? 1 : input.stride(dim), is_scalar ? 1 : out.stride(dim)};
  return visit_dtype(input.dtype(), [&](auto tag) -> Status {
    using T = typename decltype(tag)::type;
    for_each_run(plan.kept, [&](const auto& offsets) {
      for (std::int64_t i = 0; i < plan.kept.run(); ++i) {
        const T* from = input.data_as<T>() + offsets[0] + i * plan.kept.step(0);
        const std::int64_t at = offsets[1] + i * plan.kept.step(1);
        if (is_floating(out.dtype())) sum_line<double, double>(line, from, out, at);
        else sum_line<std::uint64_t, std::int64_t>(line, from, out, at);
      }
    });
    return {};
  });
}

constexpr OpDef kRows[] = {
    {.schema = "aten::cumsum(Tensor self, int dim, *, ScalarType? dtype=None) -> Tensor",
     .out_name = "aten::cumsum.out",
     .infer = infer,
     .kernel = kernel,
     .flops = flops_per_input_element},
};

}  // namespace

extern constinit const OpFamily kCumsumOps{kRows};

}  // namespace etalon::ops

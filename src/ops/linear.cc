// linear: input * weight^T + bias, over the last dim of an input of any rank.
#include <fmt/core.h>

#include <cstring>

#include "ops/matmul.h"
#include "ops/op.h"
#include "ops/strided.h"

namespace etalon::ops {

namespace {

Status infer(const Call& call, OutShapes& outs) {
  const TensorView& input = call.tensor(0);
  const TensorView& weight = call.tensor(1);
  ETALON_CHECKED(check_matmul_dtypes(input.dtype(), weight.dtype()));
  if (input.rank() == 0 || (weight.rank() != 1 && weight.rank() != 2)) {
    return invalid_input(fmt::format("input {} and weight {}, want at least one dim and one or two",
                                     to_string(input.sizes()), to_string(weight.sizes())));
  }
  if (input.sizes().back() != weight.sizes().back()) {
    return invalid_input(fmt::format("input {} and weight {} differ in the last dim", to_string(input.sizes()),
                                     to_string(weight.sizes())));
  }
  Dims sizes = input.sizes();
  sizes.resize(sizes.size() - 1);
  if (weight.rank() == 2) sizes.push_back(weight.size(0));
  if (const TensorView* bias = call.optional_tensor(2)) {
    ETALON_CHECKED(check_matmul_dtypes(input.dtype(), bias->dtype()));
    const auto common = broadcast(bias->sizes(), sizes);
    if (!common || *common != sizes) {
      return invalid_input(fmt::format("bias {} does not broadcast to {}", to_string(bias->sizes()), to_string(sizes)));
    }
  }
  return outs.set(0, input.dtype(), sizes);
}

Dims leading(const Dims& values, std::size_t count) { return Dims(values.span().first(count)); }

void* at(const TensorView& view, std::int64_t offset) {
  return static_cast<std::byte*>(view.data()) + offset * static_cast<std::int64_t>(size_of(view.dtype()));
}

Status kernel(const Call& call) {
  const TensorView& input = call.tensor(0);
  const TensorView& weight = call.tensor(1);
  const TensorView& out = call.out();
  if (out.numel() == 0) return {};
  if (const TensorView* bias = call.optional_tensor(2)) copy_cast(*bias, out);
  else std::memset(out.data(), 0, out.nbytes());

  const std::size_t rows = input.rank() - 1;
  const bool has_columns = weight.rank() == 2;
  const Matrix columns{weight.data(), weight.strides().back(), has_columns ? weight.stride(0) : 1};
  const GemmSize one_row{1, has_columns ? weight.size(0) : 1, input.sizes().back()};
  // One product for all rows that follow each other evenly; usually that is one product in all.
  const LoopNest<2> nest(leading(input.sizes(), rows), {leading(input.strides(), rows), leading(out.strides(), rows)});
  Status status;
  for_each_run(nest, [&](const auto& offsets) {
    const Matrix a{at(input, offsets[0]), nest.step(0), input.strides().back()};
    const Matrix c{at(out, offsets[1]), nest.step(1), has_columns ? out.strides().back() : 1};
    const Status done = multiply_add({input.dtype(), {nest.run(), one_row.n, one_row.k}, a, columns, c},
                                     Scalar(std::int64_t{1}), call.scratch());
    if (!done.ok()) status = done;
  });
  return status;
}

std::int64_t flops(const Call& call) {
  const TensorView& weight = call.tensor(1);
  const std::int64_t columns = weight.rank() == 2 ? weight.size(0) : 1;
  return 2 * call.tensor(0).numel() * columns;
}

std::size_t scratch(const Call& call) { return matmul_scratch(call.tensor(0).dtype()); }

constexpr OpDef kRows[] = {
    {.schema = "aten::linear(Tensor input, Tensor weight, Tensor? bias=None) -> Tensor",
     .out_name = "aten::linear.out",
     .infer = infer,
     .kernel = kernel,
     .flops = flops,
     .scratch = scratch,
     .tolerance = {1e-4, 1e-4}},
};

}  // namespace

extern constinit const OpFamily kLinearOps{kRows};

}  // namespace etalon::ops

#include "ops/reduction.h"

#include <fmt/core.h>

#include "ops/infer.h"

namespace etalon::ops {

namespace {

bool contains(DimMask mask, std::size_t dim) { return (mask >> dim & 1u) != 0; }

Dims pick(const Dims& values, DimMask mask, bool reduced) {
  Dims picked;
  for (std::size_t d = 0; d < values.size(); ++d) {
    if (contains(mask, d) == reduced) picked.push_back(values[d]);
  }
  return picked;
}

// The output's strides for the dims that are kept.
Dims kept_strides(const Dims& output_strides, DimMask reduced, std::size_t input_rank) {
  return output_strides.size() == input_rank ? pick(output_strides, reduced, false) : output_strides;
}

DimMask all_dims(std::size_t rank) { return (DimMask{1} << rank) - 1u; }

}  // namespace

Result<DimMask> dims_to_reduce(const Call& call, std::size_t arg, std::size_t rank) {
  const Value& value = call.arg(arg);
  if (value.is(Value::Tag::kInt)) {
    ETALON_TRY(const std::size_t dim, dim_of(value.as_int(), rank));
    return rank == 0 ? DimMask{0} : DimMask{1} << dim;
  }
  if (!value.is(Value::Tag::kIntList) || value.as_ints().empty()) return all_dims(rank);
  DimMask mask = 0;
  for (const std::int64_t named : value.as_ints()) {
    ETALON_TRY(const std::size_t dim, dim_of(named, rank));
    if (contains(mask, dim)) return invalid_input(fmt::format("dim {} appears more than once", dim));
    mask |= DimMask{1} << dim;
  }
  return rank == 0 ? DimMask{0} : mask;
}

Dims reduced_sizes(const Dims& sizes, DimMask reduced, bool keepdim) {
  Dims out;
  for (std::size_t d = 0; d < sizes.size(); ++d) {
    if (!contains(reduced, d)) out.push_back(sizes[d]);
    else if (keepdim) out.push_back(1);
  }
  return out;
}

Status require_elements(const Dims& sizes, DimMask reduced) {
  for (std::size_t d = 0; d < sizes.size(); ++d) {
    if (contains(reduced, d) && sizes[d] == 0) {
      return invalid_input(fmt::format("dim {} has no elements to choose from, want at least 1", d));
    }
  }
  return {};
}

ReducePlan::ReducePlan(const TensorView& input, DimMask mask, const Dims& output_strides)
    : kept(pick(input.sizes(), mask, false),
           {pick(input.strides(), mask, false), kept_strides(output_strides, mask, input.rank())}),
      reduced(pick(input.sizes(), mask, true), {pick(input.strides(), mask, true)}),
      count(numel(pick(input.sizes(), mask, true))) {}

std::int64_t flops_per_input_element(const Call& call) { return call.tensor(0).numel(); }

}  // namespace etalon::ops

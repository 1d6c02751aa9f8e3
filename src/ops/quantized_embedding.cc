// Rows of a quantized table, looked up and made real: quantized_decomposed::embedding_byte, _4bit and _2bit.
//
// real = (q - zero_point) * scale, with one scale per row or one per group of a row. Narrow numbers are
// packed into bytes and stored above zero: two of four bits with the first in the high half, or four of two
// bits with the first in the lowest.
#include <fmt/core.h>

#include "ops/convert.h"
#include "ops/dispatch.h"
#include "ops/index_value.h"
#include "ops/infer.h"
#include "ops/row_major.h"

namespace etalon::ops {
namespace {

constexpr std::size_t kWeight = 0;
constexpr std::size_t kScales = 1;
constexpr std::size_t kZeroPoints = 2;
constexpr std::size_t kQuantMin = 3;
constexpr std::size_t kQuantMax = 4;
constexpr std::size_t kIndices = 5;
constexpr std::size_t kDType = 6;  // not in all

template <int kBits>
constexpr std::int64_t kPerByte = 8 / kBits;

template <int kBits>
std::int64_t width_of(const TensorView& weight) {
  return weight.size(1) * kPerByte<kBits>;
}

Status check_parameters(const TensorView& parameters, std::string_view what, std::int64_t rows,
                        std::int64_t width) {
  ETALON_CHECKED(require_floating(parameters.dtype(), what));
  const std::size_t rank = parameters.rank();
  const bool fits = (rank == 1 || rank == 2) && parameters.size(0) == rows &&
                    (rank == 1 || (parameters.size(1) > 0 && width % parameters.size(1) == 0));
  if (fits) return {};
  return invalid_input(fmt::format("{} has sizes {}, want {} rows and groups that divide {}", what,
                                   to_string(parameters.sizes()), rows, width));
}

template <int kBits>
Status check_weight(const Call& call) {
  const TensorView& weight = call.tensor(kWeight);
  const bool is_byte = weight.dtype() == DType::kUInt8 || (kBits == 8 && weight.dtype() == DType::kInt8);
  if (weight.rank() != 2 || !is_byte) {
    return invalid_input(fmt::format("weight is {} {}, want a matrix of {}", name_of(weight.dtype()),
                                     to_string(weight.sizes()), kBits == 8 ? "int8 or uint8" : "uint8"));
  }
  if (weight.size(1) > (std::int64_t{1} << 40)) return invalid_input("weight is too wide");
  constexpr std::int64_t kLow = -(1 << (kBits - 1));
  const bool range_fits = call.integer(kQuantMin) == kLow && call.integer(kQuantMax) == -kLow - 1;
  if (kBits == 8 || range_fits) return {};
  return invalid_input(fmt::format("quant_min and quant_max are {} and {}, want {} and {}",
                                   call.integer(kQuantMin), call.integer(kQuantMax), kLow, -kLow - 1));
}

template <int kBits>
Status infer(const Call& call, OutShapes& outs) {
  const TensorView& weight = call.tensor(kWeight);
  const TensorView& scales = call.tensor(kScales);
  const TensorView& indices = call.tensor(kIndices);
  ETALON_CHECKED(check_weight<kBits>(call));
  const std::int64_t width = width_of<kBits>(weight);
  ETALON_CHECKED(check_parameters(scales, "weight_scales", weight.size(0), width));
  if (const TensorView* zeros = call.optional_tensor(kZeroPoints)) {
    ETALON_CHECKED(check_parameters(*zeros, "weight_zero_points", weight.size(0), width));
    if (zeros->numel() != scales.numel())
      return invalid_input("weight_zero_points and weight_scales differ in size");
  }
  ETALON_CHECKED(check_index_dtype("embedding", indices));
  if (indices.rank() == kMaxRank) {
    return invalid_input(fmt::format("embedding by an index of rank {}, which is the limit", kMaxRank));
  }
  Dims sizes = indices.sizes();
  sizes.push_back(width);
  ETALON_TRY(const Dims valid, make_dims(sizes.span()));
  DType dtype = scales.dtype();
  if (call.arg_count() > kDType) {
    ETALON_TRY(dtype, call.dtype_or(kDType, dtype));
  }
  ETALON_CHECKED(require_floating(dtype, "dtype"));
  return outs.set(0, dtype, valid);
}

template <int kBits>
int unpack(int byte, std::int64_t place) {
  if constexpr (kBits == 4) return (place == 0 ? byte >> 4 : byte & 15) - 8;
  if constexpr (kBits == 2) return ((byte >> (2 * place)) & 3) - 2;
  return byte;
}

// Number `column` of a packed row whose first byte is at `offset`.
template <int kBits>
int quantized_at(const TensorView& weight, std::int64_t offset, std::int64_t column) {
  const std::int64_t at = offset + column / kPerByte<kBits> * weight.stride(1);
  const int byte =
      weight.dtype() == DType::kInt8 ? weight.data_as<std::int8_t>()[at] : weight.data_as<std::uint8_t>()[at];
  return unpack<kBits>(byte, column % kPerByte<kBits>);
}

float parameter_at(const TensorView& parameters, std::int64_t row, std::int64_t group) {
  const std::int64_t offset =
      row * parameters.stride(0) + (parameters.rank() == 2 ? group * parameters.stride(1) : 0);
  const auto* from =
      parameters.data_as<std::byte>() + static_cast<std::size_t>(offset) * size_of(parameters.dtype());
  float value = 0;
  convert_run(parameters.dtype(), from, DType::kFloat32, &value, 1);
  return value;
}

template <int kBits, class T>
void write_row(const Call& call, std::int64_t row, T* to, std::int64_t step) {
  const TensorView& weight = call.tensor(kWeight);
  const TensorView& scales = call.tensor(kScales);
  const TensorView* zeros = call.optional_tensor(kZeroPoints);
  const std::int64_t groups = scales.rank() == 2 ? scales.size(1) : 1;
  const std::int64_t size = width_of<kBits>(weight) / groups;
  for (std::int64_t group = 0; group < groups; ++group) {
    const float scale = parameter_at(scales, row, group);
    const float zero = zeros == nullptr ? 0.0f : parameter_at(*zeros, row, group);
    for (std::int64_t column = group * size; column < (group + 1) * size; ++column) {
      const int q = quantized_at<kBits>(weight, row * weight.stride(0), column);
      to[column * step] = convert_element<T>((static_cast<float>(q) - zero) * scale);
    }
  }
}

template <int kBits>
Status kernel(const Call& call) {
  const TensorView& out = call.out();
  const TensorView& index = call.tensor(kIndices);
  const std::int64_t rows = call.tensor(kWeight).size(0);
  const IndexReader indices(index);
  Dims row_strides = out.strides();
  row_strides.resize(index.rank());
  return visit_floating(out.dtype(), [&](auto tag) -> Status {
    using T = typename decltype(tag)::type;
    RowMajorCursor from(index.sizes(), index.strides());
    RowMajorCursor to(index.sizes(), row_strides);
    for (std::int64_t i = 0; i < index.numel(); ++i) {
      const std::int64_t row = indices[from.offset()];
      if (!in_range(row, rows)) return index_out_of_range("embedding", row, 0, rows);
      write_row<kBits>(call, row, out.data_as<T>() + to.offset(), out.stride(out.rank() - 1));
      from.next();
      to.next();
    }
    return {};
  });
}

constexpr OpDef row(std::string_view schema, std::string_view out_name, InferFn infer, KernelFn kernel) {
  return {.schema = schema, .out_name = out_name, .infer = infer, .kernel = kernel};
}

#define ETALON_EMBEDDING_ARGS                                                                \
  "(Tensor weight, Tensor weight_scales, Tensor? weight_zero_points, int weight_quant_min, " \
  "int weight_quant_max, Tensor indices"
#define ETALON_EMBEDDING_ROWS(name, bits)                                \
  row("quantized_decomposed::" name ETALON_EMBEDDING_ARGS ") -> Tensor", \
      "quantized_decomposed::" name ".out", infer<bits>, kernel<bits>),  \
      row("quantized_decomposed::" name ".dtype" ETALON_EMBEDDING_ARGS   \
          ", *, ScalarType? dtype=None) -> Tensor",                      \
          "quantized_decomposed::" name ".dtype_out", infer<bits>, kernel<bits>)

constexpr OpDef kRows[] = {
    ETALON_EMBEDDING_ROWS("embedding_byte", 8),
    ETALON_EMBEDDING_ROWS("embedding_4bit", 4),
    ETALON_EMBEDDING_ROWS("embedding_2bit", 2),
};

}  // namespace

extern constinit const OpFamily kQuantizedEmbeddingOps{kRows};

}  // namespace etalon::ops

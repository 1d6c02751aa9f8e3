// Softmax, products of matrices, bilinear resizing.
#include <algorithm>
#include <cmath>

#include "backends/native/reference/element.h"
#include "backends/native/reference/nodes.h"
#include "backends/native/reference/walk.h"

namespace etalon::native::reference {
namespace {

namespace xnn = formats::xnn;

// One output row or column of a bilinear resize: two inputs and the second's weight.
struct Sample {
  std::int64_t first = 0, second = 0;
  float weight = 0;
};

Sample sample_at(std::int64_t at, std::int64_t in_size, std::int64_t out_size, bool align_corners) {
  const std::int64_t ends = align_corners && out_size > 1 ? 1 : 0;
  const float scale = static_cast<float>(in_size - ends) / static_cast<float>(out_size - ends);
  // Without aligned corners pixels are squares that are measured at their centres.
  const float offset = align_corners ? 0.f : 0.5f * scale - 0.5f;
  const float place = static_cast<float>(at) * scale + offset;
  const float inside = std::min(std::max(place, 0.f), static_cast<float>(in_size - 1));
  Sample out;
  out.first = static_cast<std::int64_t>(inside);
  out.second = std::min(out.first + 1, in_size - 1);
  out.weight = inside - static_cast<float>(out.first);
  return out;
}

// 8-bit images: weights have 11 bits, and only the last of the two interpolations rounds.
std::int32_t blend_integers(std::int32_t top_left, std::int32_t top_right, std::int32_t bottom_left,
                            std::int32_t bottom_right, float down, float right) {
  const auto a = static_cast<std::int64_t>(std::lrint(right * 2048));
  const auto b = static_cast<std::int64_t>(std::lrint(down * 2048));
  const std::int64_t top = top_left * 2048 + (top_right - top_left) * a;
  const std::int64_t bottom = bottom_left * 2048 + (bottom_right - bottom_left) * a;
  return static_cast<std::int32_t>((top * 2048 + (bottom - top) * b + (1 << 21)) >> 22);
}

float blend(float top_left, float top_right, float bottom_left, float bottom_right, float down, float right) {
  const float top = top_left + (top_right - top_left) * right;
  const float bottom = bottom_left + (bottom_right - bottom_left) * right;
  return top + (bottom - top) * down;
}

bool keeps_quantisation(const TensorRef& input, const TensorRef& output) {
  const Quantisation& a = input.type->quantisation;
  const Quantisation& b = output.type->quantisation;
  return input.type->type == output.type->type && is_static_int8(input.type->type) && a.scale == b.scale &&
         a.zero_point == b.zero_point;
}

}  // namespace

// Over the last dim.
void run_softmax(const TensorRef& input, const TensorRef& output) {
  const Reader read(input);
  const Writer write(output);
  const Dims& dims = input.type->dims;
  const std::int64_t length = dims.empty() ? 1 : dims.back();
  const std::int64_t total = numel(dims);
  for (std::int64_t begin = 0; begin < total; begin += length) {
    float largest = -std::numeric_limits<float>::infinity();
    for (std::int64_t i = 0; i < length; ++i) largest = std::max(largest, read(begin + i));
    double sum = 0;
    for (std::int64_t i = 0; i < length; ++i) sum += std::exp(static_cast<double>(read(begin + i) - largest));
    for (std::int64_t i = 0; i < length; ++i) {
      write(begin + i, static_cast<float>(std::exp(static_cast<double>(read(begin + i) - largest)) / sum));
    }
  }
}

void run_batch_matmul(const xnn::Node& node, const TensorRef& left, const TensorRef& right,
                      const TensorRef& output) {
  const bool is_transposed = (node.flags & xnn::kTransposeWeights) != 0;
  const Dims& a = left.type->dims;
  const Dims& b = right.type->dims;
  const std::size_t rank = a.size();
  const std::int64_t rows = a[rank - 2], inner = a[rank - 1], columns = output.type->dims[rank - 1];
  const std::int64_t step = is_transposed ? 1 : columns;  // along the sum
  const std::int64_t apart = is_transposed ? inner : 1;   // between columns
  const Dims batch(output.type->dims.span().first(rank - 2));
  Dims left_strides = broadcast_strides(Dims(a.span().first(rank - 2)), batch);
  Dims right_strides = broadcast_strides(Dims(b.span().first(rank - 2)), batch);
  const Reader x(left), y(right);
  const Writer write(output);
  std::int64_t at = 0;
  walk<2>(batch, {left_strides, right_strides}, [&](const auto& matrix) {
    for (std::int64_t row = 0; row < rows; ++row) {
      for (std::int64_t column = 0; column < columns; ++column) {
        double sum = 0;
        const std::int64_t x_at = (matrix[0] * rows + row) * inner;
        const std::int64_t y_at = matrix[1] * inner * columns + column * apart;
        for (std::int64_t k = 0; k < inner; ++k) sum += static_cast<double>(x(x_at + k)) * y(y_at + k * step);
        write(at++, static_cast<float>(sum));
      }
    }
  });
}

void run_resize(const xnn::Node& node, const TensorRef& input, const TensorRef& output) {
  const Dims& from = input.type->dims;
  const Dims& to = output.type->dims;
  const bool align = (node.flags & xnn::kAlignCorners) != 0;
  const bool stays_integer = keeps_quantisation(input, output);
  const Reader read(input);
  const Writer write(output);
  std::int64_t index = 0;
  for (std::int64_t n = 0; n < to[0]; ++n) {
    for (std::int64_t y = 0; y < to[1]; ++y) {
      const Sample row = sample_at(y, from[1], to[1], align);
      for (std::int64_t x = 0; x < to[2]; ++x) {
        const Sample column = sample_at(x, from[2], to[2], align);
        for (std::int64_t c = 0; c < to[3]; ++c, ++index) {
          const auto at = [&](std::int64_t in_y, std::int64_t in_x) {
            return ((n * from[1] + in_y) * from[2] + in_x) * from[3] + c;
          };
          const std::int64_t corners[4] = {at(row.first, column.first), at(row.first, column.second),
                                           at(row.second, column.first), at(row.second, column.second)};
          if (stays_integer) {
            write.store_integer(
                index, blend_integers(load_int8(input, corners[0]), load_int8(input, corners[1]),
                                      load_int8(input, corners[2]), load_int8(input, corners[3]), row.weight,
                                      column.weight));
          } else {
            write(index, blend(read(corners[0]), read(corners[1]), read(corners[2]), read(corners[3]),
                               row.weight, column.weight));
          }
        }
      }
    }
  }
}

}  // namespace etalon::native::reference

#include <limits>

#include "backends/native/reference/element.h"
#include "backends/native/reference/nodes.h"

namespace etalon::native::reference {
namespace {

namespace xnn = formats::xnn;

// Calls body(input index, tap) for the elements of one window that lie in the image; taps count column by
// column.
template <class Body>
void for_each_in_window(const xnn::Pool& p, std::int64_t dilation_h, std::int64_t dilation_w,
                        const Dims& input, std::int64_t n, std::int64_t top, std::int64_t left,
                        std::int64_t c, Body&& body) {
  for (std::int64_t ky = 0; ky < p.pooling_height; ++ky) {
    const std::int64_t y = top + ky * dilation_h;
    if (y < 0 || y >= input[1]) continue;
    for (std::int64_t kx = 0; kx < p.pooling_width; ++kx) {
      const std::int64_t x = left + kx * dilation_w;
      if (x < 0 || x >= input[2]) continue;
      body(((n * input[1] + y) * input[2] + x) * input[3] + c, kx * std::int64_t{p.pooling_height} + ky);
    }
  }
}

// Calls body(output index, n, top, left, c) for every output; top and left are its window's first row and
// column.
template <class Body>
void for_each_output(const xnn::Pool& p, std::int64_t stride_h, std::int64_t stride_w, const Dims& output,
                     Body&& body) {
  std::int64_t index = 0;
  for (std::int64_t n = 0; n < output[0]; ++n) {
    for (std::int64_t y = 0; y < output[1]; ++y) {
      for (std::int64_t x = 0; x < output[2]; ++x) {
        for (std::int64_t c = 0; c < output[3]; ++c) {
          body(index++, n, y * stride_h - p.padding_top, x * stride_w - p.padding_left, c);
        }
      }
    }
  }
}

// The mean of `count` elements, of which place(i) says where they are. 8-bit sums are exact, and one factor
// scales them: small images have many means that lie halfway between two numbers.
class Averager {
 public:
  Averager(const TensorRef& input, const TensorRef& output, std::int64_t count)
      : read_(input), input_(input), count_(count) {
    const Quantisation& from = input.type->quantisation;
    is_integer_ = is_static_int8(input.type->type) && is_static_int8(output.type->type);
    if (is_integer_) factor_ = from.scale / output.type->quantisation.scale / static_cast<float>(count);
  }

  template <class Place>
  void store(const Writer& write, std::int64_t to, Place&& place) const {
    if (is_integer_) {
      std::int64_t sum = -count_ * input_.type->quantisation.zero_point;
      for (std::int64_t i = 0; i < count_; ++i) sum += load_int8(input_, place(i));
      const float scaled = static_cast<float>(sum) * factor_ + static_cast<float>(write.zero_point());
      return write.store_integer(to, round_into(scaled, write.range()));
    }
    double sum = 0;
    for (std::int64_t i = 0; i < count_; ++i) sum += read_(place(i));
    write(to, static_cast<float>(sum / static_cast<double>(count_)));
  }

 private:
  Reader read_;
  const TensorRef& input_;
  std::int64_t count_;
  bool is_integer_ = false;
  float factor_ = 1;
};

}  // namespace

// Padding is not counted.
void run_average_pool(const xnn::Node& node, const TensorRef& input, const TensorRef& output) {
  const auto& p = std::get<xnn::Pool>(node.params);
  const Reader read(input);
  const Writer write(output, node.output_min, node.output_max);
  for_each_output(p, p.stride_height, p.stride_width, output.type->dims,
                  [&](auto i, auto n, auto top, auto left, auto c) {
                    double sum = 0;
                    std::int64_t count = 0;
                    for_each_in_window(p, 1, 1, input.type->dims, n, top, left, c,
                                       [&](std::int64_t at, std::int64_t) {
                                         sum += read(at);
                                         ++count;
                                       });
                    write(i, count == 0 ? 0.f : static_cast<float>(sum / static_cast<double>(count)));
                  });
}

void run_max_pool(const xnn::Node& node, const TensorRef& input, const TensorRef& output) {
  const auto& p = std::get<xnn::Pool>(node.params);
  const Reader read(input);
  const Writer write(output, node.output_min, node.output_max);
  for_each_output(p, p.stride_height, p.stride_width, output.type->dims,
                  [&](auto i, auto n, auto top, auto left, auto c) {
                    float largest = -std::numeric_limits<float>::infinity();
                    for_each_in_window(p, p.dilation_height, p.dilation_width, input.type->dims, n, top, left,
                                       c, [&](std::int64_t at, std::int64_t) {
                                         const float value = read(at);
                                         if (value > largest || value != value) largest = value;
                                       });
                    write(i, largest);
                  });
}

void run_arg_max_pool(const xnn::Node& node, const TensorRef& input, const TensorRef& values,
                      const TensorRef& indices) {
  const auto& p = std::get<xnn::Pool>(node.params);
  const Reader read(input);
  const Writer write(values);
  for_each_output(p, p.pooling_height, p.pooling_width, values.type->dims,
                  [&](auto i, auto n, auto top, auto left, auto c) {
                    float largest = -std::numeric_limits<float>::infinity();
                    std::int64_t best = 0;
                    for_each_in_window(p, 1, 1, input.type->dims, n, top, left, c,
                                       [&](std::int64_t at, std::int64_t tap) {
                                         if (!(read(at) > largest)) return;
                                         largest = read(at);
                                         best = tap;
                                       });
                    write(i, largest);
                    store(indices.data, i, static_cast<std::int32_t>(best));
                  });
}

void run_global_average(const xnn::Node& node, const TensorRef& input, const TensorRef& output) {
  const Dims& dims = input.type->dims;
  const std::size_t rank = dims.size();
  const std::int64_t channels = dims.back();
  const std::int64_t area = dims[rank - 3] * dims[rank - 2];
  const std::int64_t images = numel(Dims(dims.span().first(rank - 3)));
  const Averager average(input, output, area);
  const Writer write(output, node.output_min, node.output_max);
  for (std::int64_t n = 0; n < images; ++n) {
    for (std::int64_t c = 0; c < channels; ++c) {
      average.store(write, n * channels + c, [&](std::int64_t i) { return (n * area + i) * channels + c; });
    }
  }
}

}  // namespace etalon::native::reference

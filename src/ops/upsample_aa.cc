// _upsample_bilinear2d_aa: resizing with a triangle filter that widens when the image shrinks (antialiasing).
#include <fmt/core.h>

#include "ops/rows.h"
#include "ops/upsample.h"

namespace etalon::ops {

namespace {

Status infer(const Call& call, OutShapes& outs) {
  const TensorView& input = call.tensor(0);
  const auto size = call.ints(1);
  if (input.rank() != 4) return invalid_input(fmt::format("input is {}, want four dims", to_string(input.sizes())));
  ETALON_CHECKED(check_image(input));
  if (size.size() != 2 || size[0] < 1 || size[1] < 1) return invalid_input("output_size must be two positive sizes");
  if (!is_floating(input.dtype())) {
    return unsupported("dtype " + std::string(name_of(input.dtype())) + ", want a floating one");
  }
  ETALON_TRY(const Dims sizes, make_dims(image_sizes(input, size[0], size[1]).span()));
  return outs.set(0, input.dtype(), sizes);
}

// The filter of one output pixel: weights for input pixels first, first + 1, ...
template <class T>
struct Filter {
  std::int64_t first;
  std::int64_t count;
  T* weights;
};

template <class T>
class Filters {
 public:
  Filters(std::int64_t input, T scale) : input_(input), scale_(scale), support_(std::max(scale, T{1})) {}

  // Most weights that a filter can have.
  static std::int64_t capacity(std::int64_t input, T scale) {
    const T most = std::ceil(std::max(scale, T{1})) * T{2} + T{1};
    return static_cast<std::int64_t>(std::min(most, static_cast<T>(input)));
  }

  Filter<T> at(std::int64_t out, T* weights) const {
    const T centre = scale_ * (static_cast<T>(out) + T(0.5));
    const auto first = std::max(static_cast<std::int64_t>(centre - support_ + T(0.5)), std::int64_t{0});
    const auto end = std::min(static_cast<std::int64_t>(centre + support_ + T(0.5)), input_);
    const std::int64_t count = std::min(std::max(end - first, std::int64_t{0}), capacity(input_, scale_));
    const T inverse = scale_ >= T{1} ? T{1} / scale_ : T{1};
    T total{};
    for (std::int64_t i = 0; i < count; ++i) {
      const T distance = std::abs((static_cast<T>(i + first) - centre + T(0.5)) * inverse);
      weights[i] = std::max(T{0}, T{1} - distance);
      total += weights[i];
    }
    for (std::int64_t i = 0; i < count && total != T{}; ++i) weights[i] /= total;
    return {first, count, weights};
  }

 private:
  std::int64_t input_;
  T scale_;
  T support_;
};

std::optional<double> scale_argument(const Call& call, std::size_t i) { return call.optional_number(i); }

// All horizontal filters are computed once per call, a vertical one once per output row.
template <class Compute>
std::size_t scratch_of(const Call& call) {
  if (call.tensor(0).rank() != 4 || call.ints(1).size() != 2) return 0;
  const Planes in(call.tensor(0));
  const std::int64_t height = call.ints(1)[0], width = call.ints(1)[1];
  const bool align = call.flag(2);
  const auto x_scale = source_scale<Compute>(in.width, width, align, scale_argument(call, 4));
  const auto y_scale = source_scale<Compute>(in.height, height, align, scale_argument(call, 3));
  return scratch_for(1, Filters<Compute>::capacity(in.width, x_scale) * width) +
         scratch_for(1, Filters<Compute>::capacity(in.height, y_scale)) +
         static_cast<std::size_t>(width) * sizeof(Filter<Compute>) + 64;
}

template <class T>
Status run(const Call& call) {
  using Compute = std::conditional_t<std::is_same_v<T, double>, double, float>;
  const Planes in(call.tensor(0)), out(call.out());
  const bool align = call.flag(2);
  const auto y_scale = source_scale<Compute>(in.height, out.height, align, scale_argument(call, 3));
  const auto x_scale = source_scale<Compute>(in.width, out.width, align, scale_argument(call, 4));
  const Filters<Compute> vertical(in.height, y_scale), horizontal(in.width, x_scale);

  ScratchArrays arrays(call.scratch());
  const std::int64_t capacity = Filters<Compute>::capacity(in.width, x_scale);
  auto* x_weights = arrays.take<Compute>(capacity * out.width);
  auto* y_weights = arrays.take<Compute>(Filters<Compute>::capacity(in.height, y_scale));
  auto* columns = arrays.take<Filter<Compute>>(out.width);
  for (std::int64_t x = 0; x < out.width; ++x) columns[x] = horizontal.at(x, x_weights + x * capacity);

  for (std::int64_t y = 0; y < out.height; ++y) {
    const Filter<Compute> rows = vertical.at(y, y_weights);
    for_each_plane(in, [&](std::int64_t image, std::int64_t channel) {
      const T* from = call.tensor(0).data_as<T>() + in.at(image, channel);
      T* to = call.out().data_as<T>() + out.at(image, channel);
      for (std::int64_t x = 0; x < out.width; ++x) {
        Compute sum{};
        for (std::int64_t i = 0; i < rows.count; ++i) {
          Compute row_sum{};
          for (std::int64_t j = 0; j < columns[x].count; ++j) {
            row_sum += columns[x].weights[j] * static_cast<Compute>(from[in.pixel(rows.first + i, columns[x].first + j)]);
          }
          sum += rows.weights[i] * row_sum;
        }
        to[out.pixel(y, x)] = T(sum);
      }
    });
  }
  return {};
}

Status kernel(const Call& call) {
  return visit_floating(call.tensor(0).dtype(),
                        [&](auto tag) -> Status { return run<typename decltype(tag)::type>(call); });
}

std::size_t scratch(const Call& call) { return std::max(scratch_of<float>(call), scratch_of<double>(call)); }

std::int64_t flops(const Call& call) {
  if (call.tensor(0).rank() != 4 || call.ints(1).size() != 2) return 0;
  const Planes in(call.tensor(0));
  const std::int64_t height = call.ints(1)[0], width = call.ints(1)[1];
  const double y_scale = source_scale<double>(in.height, height, call.flag(2), scale_argument(call, 3));
  const double x_scale = source_scale<double>(in.width, width, call.flag(2), scale_argument(call, 4));
  return 2 * in.batch * in.channels * height * width * Filters<double>::capacity(in.height, y_scale) *
         Filters<double>::capacity(in.width, x_scale);
}

constexpr OpDef kRows[] = {
    {.schema = "aten::_upsample_bilinear2d_aa(Tensor self, SymInt[2] output_size, bool align_corners, float? "
               "scales_h=None, float? scales_w=None) -> Tensor",
     .out_name = "aten::_upsample_bilinear2d_aa.out",
     .infer = infer,
     .kernel = kernel,
     .flops = flops,
     .scratch = scratch,
     .tolerance = {1e-5, 1e-5}},
};

}  // namespace

extern constinit const OpFamily kUpsampleAaOps{kRows};

}  // namespace etalon::ops

// upsample_bilinear2d and upsample_nearest2d: resizing by interpolation.
#include "ops/upsample.h"

#include <fmt/core.h>

#include <type_traits>

namespace etalon::ops {

namespace {

// upsample_bilinear2d(input, output_size, align_corners, scale_factors); upsample_nearest2d has no align_corners.
Result<Resize> bilinear_resize(const Call& call) { return resize_of(call, 1, 3); }
Result<Resize> nearest_resize(const Call& call) { return resize_of(call, 1, 2); }

Status infer_resized(const TensorView& input, const Resize& resize, OutShapes& outs) {
  if (input.rank() != 4) return invalid_input(fmt::format("input is {}, want four dims", to_string(input.sizes())));
  ETALON_CHECKED(check_image(input));
  if (!is_floating(input.dtype()) && input.dtype() != DType::kUInt8) {
    return unsupported("dtype " + std::string(name_of(input.dtype())) + ", want a floating one or uint8");
  }
  ETALON_TRY(const Dims sizes, make_dims(image_sizes(input, resize.height, resize.width).span()));
  return outs.set(0, input.dtype(), sizes);
}

// With `scale_factors` the output size is input * factor, rounded down.
Result<Resize> resolved(const TensorView& input, Result<Resize> resize) {
  if (!resize.ok() || resize->height >= 0 || input.rank() != 4) return resize;
  const double height = std::floor(static_cast<double>(input.size(2)) * *resize->scale_y);
  const double width = std::floor(static_cast<double>(input.size(3)) * *resize->scale_x);
  constexpr double kLargest = 1e9;
  if (!(height >= 1.0 && height < kLargest && width >= 1.0 && width < kLargest)) {
    return invalid_input(fmt::format("scaled size {} x {} is not a sensible one", height, width));
  }
  return Resize{static_cast<std::int64_t>(height), static_cast<std::int64_t>(width), resize->scale_y, resize->scale_x};
}

template <auto kResize>
Status infer(const Call& call, OutShapes& outs) {
  ETALON_TRY(const Resize resize, resolved(call.tensor(0), kResize(call)));
  return infer_resized(call.tensor(0), resize, outs);
}

template <class Math, class T>
T rounded(Math value) {
  if constexpr (std::is_same_v<T, std::uint8_t>) {
    return static_cast<T>(std::min(std::max(std::nearbyint(value), Math{0}), Math{255}));
  } else {
    return T(value);
  }
}

template <class T>
void interpolate(const Call& call, const Resize& resize) {
  using Math = std::conditional_t<std::is_same_v<T, double>, double, float>;
  const Planes in(call.tensor(0)), out(call.out());
  const bool align = call.flag(2);
  const Math y_scale = source_scale<Math>(in.height, out.height, align, resize.scale_y);
  const Math x_scale = source_scale<Math>(in.width, out.width, align, resize.scale_x);
  for_each_plane(in, [&](std::int64_t image, std::int64_t channel) {
    const T* from = call.tensor(0).data_as<T>() + in.at(image, channel);
    T* to = call.out().data_as<T>() + out.at(image, channel);
    const auto pixel = [&](std::int64_t y, std::int64_t x) { return static_cast<Math>(from[in.pixel(y, x)]); };
    for (std::int64_t y = 0; y < out.height; ++y) {
      const Neighbours<Math> rows(y, in.height, out.height, y_scale, align);
      for (std::int64_t x = 0; x < out.width; ++x) {
        const Neighbours<Math> columns(x, in.width, out.width, x_scale, align);
        const auto blend = [&](std::int64_t row) {
          return pixel(row, columns.low) * (Math{1} - columns.share) + pixel(row, columns.high) * columns.share;
        };
        const Math value = blend(rows.low) * (Math{1} - rows.share) + blend(rows.high) * rows.share;
        to[out.pixel(y, x)] = rounded<Math, T>(value);
      }
    }
  });
}

std::int64_t nearest(std::int64_t out, std::int64_t input, std::int64_t output, std::optional<double> given) {
  if (input == output) return out;
  if (output == 2 * input) return out / 2;
  const auto scale = source_scale<float>(input, output, false, given);
  return std::min(static_cast<std::int64_t>(std::floor(static_cast<float>(out) * scale)), input - 1);
}

template <class T>
void repeat_nearest(const Call& call, const Resize& resize) {
  const Planes in(call.tensor(0)), out(call.out());
  for_each_plane(in, [&](std::int64_t image, std::int64_t channel) {
    const T* from = call.tensor(0).data_as<T>() + in.at(image, channel);
    T* to = call.out().data_as<T>() + out.at(image, channel);
    for (std::int64_t y = 0; y < out.height; ++y) {
      const T* row = from + in.pixel(nearest(y, in.height, out.height, resize.scale_y), 0);
      for (std::int64_t x = 0; x < out.width; ++x) {
        to[out.pixel(y, x)] = row[nearest(x, in.width, out.width, resize.scale_x) * in.column_stride];
      }
    }
  });
}

Status kernel_bilinear(const Call& call) {
  ETALON_TRY(const Resize resize, bilinear_resize(call));
  if (call.tensor(0).dtype() == DType::kUInt8) {
    interpolate<std::uint8_t>(call, resize);
    return {};
  }
  return visit_floating(call.tensor(0).dtype(), [&](auto tag) -> Status {
    interpolate<typename decltype(tag)::type>(call, resize);
    return {};
  });
}

Status kernel_nearest(const Call& call) {
  ETALON_TRY(const Resize resize, nearest_resize(call));
  return visit_element_size(call.tensor(0).dtype(), [&](auto tag) -> Status {
    repeat_nearest<typename decltype(tag)::type>(call, resize);
    return {};
  });
}

std::int64_t flops_bilinear(const Call& call) {
  const auto resize = resolved(call.tensor(0), bilinear_resize(call));
  if (!resize.ok() || call.tensor(0).rank() != 4) return 0;
  return 9 * call.tensor(0).size(0) * call.tensor(0).size(1) * resize->height * resize->width;
}

constexpr OpDef kRows[] = {
    {.schema = "aten::upsample_bilinear2d.vec(Tensor input, SymInt[]? output_size, bool align_corners, float[]? "
               "scale_factors) -> Tensor",
     .out_name = "aten::upsample_bilinear2d.vec_out",
     .infer = infer<bilinear_resize>,
     .kernel = kernel_bilinear,
     .flops = flops_bilinear,
     .tolerance = {1e-5, 1e-5}},
    {.schema = "aten::upsample_nearest2d.vec(Tensor input, SymInt[]? output_size, float[]? scale_factors) -> Tensor",
     .out_name = "aten::upsample_nearest2d.vec_out",
     .infer = infer<nearest_resize>,
     .kernel = kernel_nearest},
};

}  // namespace

Result<Resize> resize_of(const Call& call, std::size_t output_size, std::size_t scale_factors) {
  if (call.has(output_size) == call.has(scale_factors)) {
    return invalid_input("want exactly one of output_size and scale_factors");
  }
  if (call.has(scale_factors)) {
    const auto factors = call.doubles(scale_factors);
    if (factors.size() != 2) return invalid_input("scale_factors must be two numbers");
    return Resize{-1, -1, factors[0], factors[1]};
  }
  const auto size = call.ints(output_size);
  if (size.size() != 2 || size[0] < 1 || size[1] < 1) return invalid_input("output_size must be two positive sizes");
  return Resize{size[0], size[1], std::nullopt, std::nullopt};
}

extern constinit const OpFamily kUpsampleOps{kRows};

}  // namespace etalon::ops

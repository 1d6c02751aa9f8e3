#include "cli/calibration_images.h"

#include <fmt/core.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <memory>

#include "base/file.h"

#define STB_IMAGE_STATIC
#define STB_IMAGE_IMPLEMENTATION
#define STBI_NO_STDIO
#define STBI_ONLY_JPEG
#define STBI_ONLY_PNG
#define STBI_MAX_DIMENSIONS 16384
#define STB_IMAGE_RESIZE_STATIC
#define STB_IMAGE_RESIZE_IMPLEMENTATION
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#include <stb/stb_image.h>
#include <stb/stb_image_resize.h>
#pragma GCC diagnostic pop

namespace etalon::cli {
namespace {

using runtime::Tensor;

struct Wanted {
  int height = 0, width = 0, channels = 0;
  bool channels_last = false;
};

Result<Wanted> wanted_of(const Dims& sizes) {
  const auto is_channels = [](std::int64_t size) { return size == 1 || size == 3; };
  const bool one_image = sizes.size() == 4 && sizes[0] == 1 &&
                         std::ranges::all_of(sizes, [](std::int64_t s) { return s > 0 && s <= 16384; });
  const auto at = [&](std::size_t dim) { return static_cast<int>(sizes[dim]); };
  if (one_image && is_channels(sizes[1])) return Wanted{at(2), at(3), at(1), false};
  if (one_image && is_channels(sizes[3])) return Wanted{at(1), at(2), at(3), true};
  return invalid_input(fmt::format(
      "the model's input is {}, images want [1, 3, H, W] or [1, H, W, 3]; use .npy files", to_string(sizes)));
}

struct Freed {
  void operator()(stbi_uc* pixels) const { stbi_image_free(pixels); }
};

// Bytes in rows of interleaved channels.
struct Pixels {
  std::unique_ptr<stbi_uc, Freed> data;
  int height = 0, width = 0;
};

Result<Pixels> decode(const std::string& path, int channels) {
  ETALON_TRY(const MappedFile file, MappedFile::open(path));
  constexpr std::size_t kLargest = std::size_t{1} << 28;
  if (file.bytes().size() > kLargest)
    return invalid_input(
        fmt::format("it has {} bytes, which is more than an image should", file.bytes().size()));
  Pixels image;
  int stored = 0;
  const auto* bytes = reinterpret_cast<const stbi_uc*>(file.bytes().data());
  image.data.reset(stbi_load_from_memory(bytes, static_cast<int>(file.bytes().size()), &image.width,
                                         &image.height, &stored, channels));
  if (image.data == nullptr)
    return invalid_input(fmt::format("not a JPEG or PNG image that can be read ({})", stbi_failure_reason()));
  return image;
}

// The whole image with a shorter side of `shorter`, as floats of 0 to 255.
Result<std::vector<float>> resized(const Pixels& image, int channels, int shorter, int& height, int& width) {
  const double scale = static_cast<double>(shorter) / std::min(image.height, image.width);
  height = std::max(shorter, static_cast<int>(std::lround(image.height * scale)));
  width = std::max(shorter, static_cast<int>(std::lround(image.width * scale)));
  if (static_cast<double>(height) * width > 3e8)
    return invalid_input("it is too long and narrow to be resized");
  std::vector<float> source(static_cast<std::size_t>(image.height) * static_cast<std::size_t>(image.width) *
                            static_cast<std::size_t>(channels));
  std::copy_n(image.data.get(), source.size(), source.begin());
  std::vector<float> out(static_cast<std::size_t>(height) * static_cast<std::size_t>(width) *
                         static_cast<std::size_t>(channels));
  const int done = stbir_resize(source.data(), image.width, image.height, 0, out.data(), width, height, 0,
                                STBIR_TYPE_FLOAT, channels, STBIR_ALPHA_CHANNEL_NONE, 0, STBIR_EDGE_CLAMP,
                                STBIR_EDGE_CLAMP, STBIR_FILTER_TRIANGLE, STBIR_FILTER_TRIANGLE,
                                STBIR_COLORSPACE_LINEAR, nullptr);
  if (done == 0) return resource_error("memory is too short to resize it");
  return out;
}

}  // namespace

bool is_image_name(const std::string& path) {
  std::string name = path;
  std::ranges::transform(name, name.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return name.ends_with(".jpg") || name.ends_with(".jpeg") || name.ends_with(".png");
}

Result<Tensor> read_image(const std::string& path, const Dims& sizes,
                          const ImagePreprocessing& preprocessing) {
  ETALON_TRY(const Wanted wanted, wanted_of(sizes));
  ETALON_TRY(const Pixels image, decode(path, wanted.channels), path);
  const int larger = std::max(wanted.height, wanted.width);
  const int shorter =
      std::max(larger, preprocessing.resize > 0 ? preprocessing.resize : (larger * 8 + 3) / 7);
  int height = 0, width = 0;
  ETALON_TRY(const std::vector<float> pixels, resized(image, wanted.channels, shorter, height, width), path);
  ETALON_TRY(Tensor tensor, Tensor::zeros(DType::kFloat32, sizes));
  const auto out = tensor.elements<float>();
  const int top = (height - wanted.height) / 2, left = (width - wanted.width) / 2;
  std::size_t place = 0;
  const auto put = [&](int y, int x, int c) {
    const auto channel = static_cast<std::size_t>(c);
    const auto from = (static_cast<std::size_t>(top + y) * static_cast<std::size_t>(width) +
                       static_cast<std::size_t>(left + x)) *
                          static_cast<std::size_t>(wanted.channels) +
                      channel;
    out[place++] = (pixels[from] / 255.0f - preprocessing.mean[channel]) / preprocessing.deviation[channel];
  };
  if (wanted.channels_last) {
    for (int y = 0; y < wanted.height; ++y) {
      for (int x = 0; x < wanted.width; ++x) {
        for (int c = 0; c < wanted.channels; ++c) put(y, x, c);
      }
    }
    return tensor;
  }
  for (int c = 0; c < wanted.channels; ++c) {
    for (int y = 0; y < wanted.height; ++y) {
      for (int x = 0; x < wanted.width; ++x) put(y, x, c);
    }
  }
  return tensor;
}

}  // namespace etalon::cli

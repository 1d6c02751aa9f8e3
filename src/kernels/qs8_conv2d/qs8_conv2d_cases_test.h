// Convolutions to test every int8 algorithm with, and the bytes they must give.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "kernels/qs8_conv2d/qs8_conv2d.h"

namespace etalon::kernels::testing {

struct Qs8Case {
  std::string name;
  Conv2dShape shape;
  Qs8Conv2dParams params;
  bool scale_is_per_channel = true;
  bool has_bias = true;
  bool is_extreme = false;  // all inputs and weights at an end of their range
};

// 64-byte aligned bytes that end where the allocation's guard begins.
class ByteBuffer {
 public:
  explicit ByteBuffer(std::size_t size, std::uint8_t fill = 0)
      : size_(size), data_(static_cast<std::uint8_t*>(std::aligned_alloc(64, bytes())), std::free) {
    std::memset(data_.get(), fill, size);
    std::memset(data_.get() + size, kGuard, bytes() - size);
  }
  template <class T>
  T* as() { return reinterpret_cast<T*>(data_.get()); }
  template <class T>
  const T* as() const { return reinterpret_cast<const T*>(data_.get()); }
  std::size_t size() const { return size_; }
  bool guard_is_whole() const {
    return std::all_of(data_.get() + size_, data_.get() + bytes(), [](std::uint8_t byte) { return byte == kGuard; });
  }

 private:
  static constexpr std::uint8_t kGuard = 0xa5;
  std::size_t bytes() const { return (size_ + 63) / 64 * 64 + 256; }
  std::size_t size_;
  std::unique_ptr<std::uint8_t, decltype(&std::free)> data_;
};

class Dice {
 public:
  explicit Dice(std::uint32_t seed) : state_(seed * 2654435761u + 12345u) {}
  // low..high, both included.
  std::int32_t next(std::int32_t low, std::int32_t high) {
    state_ = state_ * 1664525u + 1013904223u;
    return low + static_cast<std::int32_t>((state_ >> 8) % static_cast<std::uint32_t>(high - low + 1));
  }

 private:
  std::uint32_t state_;
};

struct Qs8Tensors {
  ByteBuffer input, filter;
  std::vector<std::int32_t> bias;
  std::vector<float> scales;
  std::vector<std::int8_t> want;  // [pixel][out_c]
  std::vector<std::uint8_t> table;
};

inline std::size_t count(std::int64_t n) { return static_cast<std::size_t>(n); }

// The scales bring most outputs into range, and some out of it.
inline Qs8Tensors make_tensors(Qs8Case& c, std::uint32_t seed) {
  const Conv2dShape& s = c.shape;
  const std::int64_t taps = s.kernel_h * s.kernel_w * (s.in_c / s.groups);
  Qs8Tensors t{ByteBuffer(count(s.batch * s.in_h * s.in_w * s.in_pixel_stride)), ByteBuffer(count(s.out_c * taps)),
               {}, {}, {}, {}};
  Dice dice(seed);
  const auto byte = [&] { return static_cast<std::int8_t>(c.is_extreme ? dice.next(0, 7) == 0 ? 127 : -128 : dice.next(-128, 127)); };
  for (std::size_t i = 0; i < t.input.size(); ++i) t.input.as<std::int8_t>()[i] = byte();
  for (std::size_t i = 0; i < t.filter.size(); ++i) t.filter.as<std::int8_t>()[i] = byte();
  const float spread = 1.0f / (90.0f * std::sqrt(static_cast<float>(taps)));
  for (std::int64_t o = 0; o < s.out_c; ++o) {
    t.bias.push_back(dice.next(-9000, 9000));
    t.scales.push_back(spread * static_cast<float>(dice.next(50, 150)) / 100);
    // Powers of two make halves, which show how they are rounded.
    if (o % 3 == 1) t.scales.back() = std::exp2(std::floor(std::log2(t.scales.back())));
  }
  for (int i = 0; i < 256; ++i) t.table.push_back(static_cast<std::uint8_t>(dice.next(0, 255)));
  if (c.params.table != nullptr) c.params.table = t.table.data();
  return t;
}

inline std::int64_t sum_at(const Qs8Case& c, const Qs8Tensors& t, std::int64_t pixel, std::int64_t o) {
  const Conv2dShape& s = c.shape;
  const std::int64_t in_per_group = s.in_c / s.groups, out_per_group = s.out_c / s.groups;
  const std::int64_t image = pixel / (s.out_h * s.out_w), y = pixel / s.out_w % s.out_h, x = pixel % s.out_w;
  std::int64_t sum = c.has_bias ? t.bias[count(o)] : 0;
  for (std::int64_t tap = 0; tap < s.kernel_h * s.kernel_w; ++tap) {
    const std::int64_t in_y = y * s.stride_h - s.pad_top + tap / s.kernel_w * s.dilation_h;
    const std::int64_t in_x = x * s.stride_w - s.pad_left + tap % s.kernel_w * s.dilation_w;
    if (in_y < 0 || in_y >= s.in_h || in_x < 0 || in_x >= s.in_w) continue;
    for (std::int64_t k = 0; k < in_per_group; ++k) {
      const std::int64_t w = s.is_depthwise() ? tap * s.out_c + o
                                              : (o * s.kernel_h * s.kernel_w + tap) * in_per_group + k;
      const std::int64_t channel = o / out_per_group * in_per_group + k;
      const std::int64_t at = s.input_is_nchw
                                  ? ((image * s.in_c + channel) * s.in_h + in_y) * s.in_w + in_x
                                  : ((image * s.in_h + in_y) * s.in_w + in_x) * s.in_pixel_stride + channel;
      sum += (t.input.as<std::int8_t>()[at] - c.params.input_zero_point) * t.filter.as<std::int8_t>()[w];
    }
  }
  return sum;
}

inline void compute_reference(const Qs8Case& c, Qs8Tensors& t) {
  const Conv2dShape& s = c.shape;
  for (std::int64_t pixel = 0; pixel < s.batch * s.out_h * s.out_w; ++pixel) {
    for (std::int64_t o = 0; o < s.out_c; ++o) {
      const auto sum = static_cast<std::int32_t>(static_cast<std::uint32_t>(sum_at(c, t, pixel, o)));
      const volatile float scaled = static_cast<float>(sum) * t.scales[c.scale_is_per_channel ? count(o) : 0];
      // nearbyint rounds halves to even, too.
      const double stored = std::nearbyint(static_cast<double>(scaled)) + c.params.output_zero_point;
      const auto byte = static_cast<std::int8_t>(std::clamp<double>(stored, c.params.min, c.params.max));
      t.want.push_back(c.params.table == nullptr ? byte : static_cast<std::int8_t>(t.table[static_cast<std::uint8_t>(byte)]));
    }
  }
}

inline std::string difference(const Conv2dShape& s, const Qs8Tensors& t, const ByteBuffer& output, std::int8_t untouched) {
  for (std::int64_t p = 0; p < s.batch * s.out_h * s.out_w; ++p) {
    for (std::int64_t o = 0; o < s.out_pixel_stride; ++o) {
      const std::int8_t got = output.as<std::int8_t>()[p * s.out_pixel_stride + o];
      const std::int8_t want = o < s.out_c ? t.want[count(p * s.out_c + o)] : untouched;
      if (got == want) continue;
      return "pixel " + std::to_string(p) + " channel " + std::to_string(o) + " is " + std::to_string(got) + ", wanted " +
             std::to_string(want);
    }
  }
  return "";
}

// Empty if the algorithm gives every byte of the case with this many workers.
inline std::string run_case(const Qs8Conv2dAlgorithm& a, const Qs8Case& c, const Qs8Tensors& t, unsigned workers,
                            const Machine& machine) {
  const Conv2dShape& s = c.shape;
  ByteBuffer packed(a.packed_bytes(s), 7), again(a.packed_bytes(s), 9);
  const Qs8Conv2dWeights weights{t.filter.as<std::int8_t>(), c.has_bias ? t.bias.data() : nullptr, t.scales.data(),
                                 c.scale_is_per_channel};
  a.pack(s, c.params, weights, packed.as<void>());
  a.pack(s, c.params, weights, again.as<void>());
  if (std::memcmp(packed.as<char>(), again.as<char>(), packed.size()) != 0) return "packing leaves gaps";
  const std::int8_t untouched = 55;
  ByteBuffer output(count(s.batch * s.out_h * s.out_w * s.out_pixel_stride), untouched);
  for (unsigned worker = 0; worker < workers; ++worker) {
    ByteBuffer scratch(a.scratch_bytes(s, machine), 0x5b);
    const Qs8Conv2dCall call{t.input.as<std::int8_t>(), output.as<std::int8_t>(), packed.as<void>(), scratch.as<std::byte>()};
    a.run(s, c.params, machine, call, worker, workers);
    if (!scratch.guard_is_whole()) return "writes beyond the scratch";
  }
  if (!output.guard_is_whole() || !packed.guard_is_whole()) return "writes beyond the end";
  return difference(s, t, output, untouched);
}

std::vector<Qs8Case> qs8_cases();
// Whose input comes in planes, which few algorithms read.
std::vector<Qs8Case> qs8_plane_cases();

}  // namespace etalon::kernels::testing

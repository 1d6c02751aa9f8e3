// For tests on machines without a tile unit; no list names it.
#include "kernels/simd/scalar.h"
// The ISA comes first.
#include "kernels/qd8_conv2d/amx_floats_impl.h"
#include "kernels/qs8_conv2d/amx_plain_impl.h"
#include "kernels/qs8_conv2d/emulated_bytes_impl.h"

namespace etalon::kernels {
namespace {

struct PlainFloats : FloatsOfTiles {
  template <int kWide>
  void rows(const TileSums& sums, std::int64_t begin, std::int64_t end) const {
    const FloatsHeader header(sums.panel);
    for (std::int64_t i = begin; i < end; ++i) {
      if (sums.targets[i] < 0) continue;
      const Qd8Row& of = row(sums.targets[i]);
      for (std::int64_t c = 0; c < sums.columns; ++c) {
        const auto excess = static_cast<std::uint32_t>(of.zero_point) * static_cast<std::uint32_t>(header.weight_sums[c]);
        const auto sum = static_cast<std::int32_t>(static_cast<std::uint32_t>(sums.at[i][c]) - excess);
        const float real = static_cast<float>(sum) * (of.scale * header.scales[c]) + header.bias[c];
        const float clamped = real < params.min ? params.min : real > params.max ? params.max : real;
        output[sums.targets[i] * shape.out_pixel_stride + sums.channel + c] = clamped;
      }
    }
  }
};

}  // namespace

extern constinit const Qd8Conv2dAlgorithm kQd8DenseEmulatedScalar =
    float_tiles<FloatTiles<EmulatedBytes, PlainBytes, PlainFloats>>(Isa::kScalar, "emulated tiles, scalar");

}  // namespace etalon::kernels

// The int8 algorithm on a tile unit. Packed weights begin with what all panels have in common.
#pragma once

#include "kernels/qs8_conv2d/amx_impl.h"
#include "kernels/qs8_conv2d/qs8_conv2d.h"

namespace etalon::kernels {
namespace {

template <class Tiles, class Bytes, template <bool> class Requantised>
struct RequantisedTiles {
  struct alignas(64) Head {
    std::uint32_t scales_are_below_one;
  };
  template <bool kScalesBelowOne>
  using Run = TileRun<Tiles, Bytes, Requantised<kScalesBelowOne>>;
  static constexpr std::int64_t kHeaderBytes = Requantised<true>::kHeaderBytes;

  static const char* refusal(const Conv2dShape& s, const Qs8Conv2dParams&) {
    return s.is_depthwise() ? "does not do depthwise convolutions" : nullptr;
  }

  // A row of sums leaves its tile in a cycle, and takes as long to finish as on the vector unit.
  static double cycles(const Conv2dShape& s, const Machine&) {
    const TilePlan plan = plan_of(s);
    const auto outputs = static_cast<double>(s.batch * s.out_h * s.out_w * s.groups * round_up(plan.out_per_group, kTileColumns));
    return 400 + product_cycles(s, plan) + outputs * (0.066 + 0.15);
  }

  static std::size_t packed_bytes(const Conv2dShape& s) {
    return sizeof(Head) + static_cast<std::size_t>(s.groups * plan_of(s).group_bytes(kHeaderBytes));
  }

  static void pack(const Conv2dShape& s, const Qs8Conv2dParams& p, const Qs8Conv2dWeights& w, void* packed) {
    __builtin_memset(packed, 0, packed_bytes(s));
    auto* head = static_cast<Head*>(packed);
    head->scales_are_below_one = 1;
    const auto zero = static_cast<std::uint32_t>(p.input_zero_point);
    const auto write_header = [&](std::int64_t channel, std::uint32_t sum, std::byte* panel, std::int64_t slot) {
      const auto bias = static_cast<std::uint32_t>(w.bias == nullptr ? 0 : w.bias[channel]);
      const float scale = w.scales[w.scale_is_per_channel ? channel : 0];
      reinterpret_cast<std::int32_t*>(panel)[slot] = static_cast<std::int32_t>(bias - zero * sum);
      reinterpret_cast<float*>(panel + 4 * kPanel)[slot] = scale;
      if (!(scale < 1)) head->scales_are_below_one = 0;
    };
    pack_tiles<Requantised<true>>(s, plan_of(s), w.filter, reinterpret_cast<std::byte*>(head + 1), write_header);
  }

  static std::size_t scratch_bytes(const Conv2dShape& s, const Machine& machine) {
    return Run<true>::scratch_bytes(s, machine);
  }

  static void run(const Conv2dShape& s, const Qs8Conv2dParams& p, const Machine& machine, const Qs8Conv2dCall& call,
                  unsigned worker, unsigned workers) {
    const auto* head = static_cast<const Head*>(call.packed);
    if (head->scales_are_below_one != 0) run_with<true>(s, p, machine, call, worker, workers);
    else run_with<false>(s, p, machine, call, worker, workers);
  }

  template <bool kScalesBelowOne>
  static void run_with(const Conv2dShape& s, const Qs8Conv2dParams& p, const Machine& machine, const Qs8Conv2dCall& call,
                       unsigned worker, unsigned workers) {
    const auto* panels = static_cast<const std::byte*>(call.packed) + sizeof(Head);
    Run<kScalesBelowOne>(s, machine, call.input, panels, call.scratch, {p, call.output, s.out_pixel_stride}).work(worker, workers);
  }
};

template <class Kernel>
constexpr Qs8Conv2dAlgorithm requantised_tiles(Isa isa, std::string_view name) {
  return {.name = name, .tile = "32x32c4", .isa = isa, .is_depthwise = false, .refusal = Kernel::refusal,
          .cycles = Kernel::cycles, .packed_bytes = Kernel::packed_bytes, .pack = Kernel::pack,
          .scratch_bytes = Kernel::scratch_bytes, .run = Kernel::run};
}

}  // namespace
}  // namespace etalon::kernels

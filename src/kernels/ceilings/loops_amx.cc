// Tile products from registers: four sums, two tiles of each factor, as the inner loop of a blocked product has them.
#include "kernels/ceilings/ceilings.h"

namespace etalon::kernels {
namespace {

constexpr int kSteps = 4;  // products of each sum in one round

struct alignas(64) Configuration {
  std::uint8_t palette = 1, start_row = 0, reserved[14] = {};
  std::uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  std::uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};

struct alignas(64) Tile {
  std::uint16_t words[512];
};

inline void prepare(std::uint16_t ones) {
  Tile tile;
  for (std::uint16_t& word : tile.words) word = ones;
  const Configuration configuration;
  asm volatile("ldtilecfg %0" ::"m"(configuration));
  asm volatile(
      "tileloadd (%0,%1,1), %%tmm4\n\ttileloadd (%0,%1,1), %%tmm5\n\ttileloadd (%0,%1,1), %%tmm6\n\t"
      "tileloadd (%0,%1,1), %%tmm7\n\ttilezero %%tmm0\n\ttilezero %%tmm1\n\ttilezero %%tmm2\n\ttilezero %%tmm3" ::"r"(
          &tile),
      "r"(std::int64_t{64})
      : "memory");
}

// The first four bytes of the first sum.
inline std::uint32_t finish() {
  Tile tile;
  asm volatile("tilestored %%tmm0, (%0,%1,1)\n\ttilerelease" ::"r"(&tile), "r"(std::int64_t{64}) : "memory");
  return tile.words[0] | static_cast<std::uint32_t>(tile.words[1]) << 16;
}

#define ETALON_FOUR_PRODUCTS(instruction)                                                            \
  instruction " %%tmm6, %%tmm4, %%tmm0\n\t" instruction " %%tmm7, %%tmm4, %%tmm1\n\t" instruction \
              " %%tmm6, %%tmm5, %%tmm2\n\t" instruction " %%tmm7, %%tmm5, %%tmm3\n\t"
#define ETALON_ROUND(instruction)                                            \
  ETALON_FOUR_PRODUCTS(instruction) ETALON_FOUR_PRODUCTS(instruction) \
  ETALON_FOUR_PRODUCTS(instruction) ETALON_FOUR_PRODUCTS(instruction)

double int8_products(std::int64_t rounds) {
  prepare(0x0101);
  for (std::int64_t round = 0; round < rounds; ++round) asm volatile(ETALON_ROUND("tdpbssd")::);
  return static_cast<double>(static_cast<std::int32_t>(finish()));
}

double bf16_products(std::int64_t rounds) {
  prepare(0x3f80);
  for (std::int64_t round = 0; round < rounds; ++round) asm volatile(ETALON_ROUND("tdpbf16ps")::);
  return static_cast<double>(__builtin_bit_cast(float, finish()));
}

}  // namespace

extern constinit const ComputeLoop kInt8Amx = {
    Isa::kAmx, "", "int8", "amx", 2 * 16 * 16 * 64 * 4 * kSteps, 64 * kSteps, &int8_products};
extern constinit const ComputeLoop kBf16Amx = {
    Isa::kAmx, "", "bfloat16", "amx", 2 * 16 * 16 * 32 * 4 * kSteps, 32 * kSteps, &bf16_products};

}  // namespace etalon::kernels

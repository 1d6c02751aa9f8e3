#include "base/sha256.h"

#include <array>
#include <bit>
#include <cstdint>

namespace etalon {
namespace {

constexpr std::size_t kBlock = 64;

// FIPS 180-4 defines the constants as the first 32 bits of the fractional parts of roots of the first primes;
// they are computed here in integers, exactly, rather than listed.
constexpr bool is_prime(std::uint32_t n) {
  for (std::uint32_t d = 2; d * d <= n; ++d) {
    if (n % d == 0) return false;
  }
  return n > 1;
}

// floor(root(p) * 2^32) mod 2^32 for the square (power 2) or cube (power 3) root, by bisection.
constexpr std::uint32_t root_fraction(std::uint32_t prime, int power) {
  using Wide = unsigned __int128;
  std::uint64_t low = 0;
  std::uint64_t high = std::uint64_t{1} << 36;  // above 2^32 times the largest root, cbrt(311) or sqrt(19)
  while (high - low > 1) {
    const std::uint64_t middle = low + (high - low) / 2;
    // middle^power <= prime * 2^(32 * power); a cube stays below 2^108.
    const Wide square = Wide(middle) * middle;
    const bool fits = power == 2 ? square <= (Wide(prime) << 64) : square * middle <= (Wide(prime) << 96);
    (fits ? low : high) = middle;
  }
  return static_cast<std::uint32_t>(low);
}

template <std::size_t N>
constexpr std::array<std::uint32_t, N> prime_roots(int power) {
  std::array<std::uint32_t, N> out{};
  std::uint32_t prime = 1;
  for (std::uint32_t& value : out) {
    do {
      ++prime;
    } while (!is_prime(prime));
    value = root_fraction(prime, power);
  }
  return out;
}

constexpr std::array<std::uint32_t, 8> kStart = prime_roots<8>(2);
constexpr std::array<std::uint32_t, 64> kRound = prime_roots<64>(3);
static_assert(kStart[0] == 0x6A09E667U && kRound[0] == 0x428A2F98U && kRound[63] == 0xC67178F2U);

void add_block(std::array<std::uint32_t, 8>& state, const std::byte* block) {
  std::array<std::uint32_t, 64> w;
  for (std::size_t i = 0; i < 16; ++i) {
    w[i] = std::to_integer<std::uint32_t>(block[4 * i]) << 24 |
           std::to_integer<std::uint32_t>(block[4 * i + 1]) << 16 |
           std::to_integer<std::uint32_t>(block[4 * i + 2]) << 8 |
           std::to_integer<std::uint32_t>(block[4 * i + 3]);
  }
  for (std::size_t i = 16; i < 64; ++i) {
    const std::uint32_t s0 = std::rotr(w[i - 15], 7) ^ std::rotr(w[i - 15], 18) ^ (w[i - 15] >> 3);
    const std::uint32_t s1 = std::rotr(w[i - 2], 17) ^ std::rotr(w[i - 2], 19) ^ (w[i - 2] >> 10);
    w[i] = w[i - 16] + s0 + w[i - 7] + s1;
  }
  auto [a, b, c, d, e, f, g, h] = state;
  for (std::size_t i = 0; i < 64; ++i) {
    const std::uint32_t s1 = std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25);
    const std::uint32_t t1 = h + s1 + ((e & f) ^ (~e & g)) + kRound[i] + w[i];
    const std::uint32_t s0 = std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22);
    const std::uint32_t t2 = s0 + ((a & b) ^ (a & c) ^ (b & c));
    h = g, g = f, f = e, e = d + t1, d = c, c = b, b = a, a = t1 + t2;
  }
  const std::array<std::uint32_t, 8> added = {a, b, c, d, e, f, g, h};
  for (std::size_t i = 0; i < 8; ++i) state[i] += added[i];
}

}  // namespace

std::string sha256_hex(Bytes bytes) {
  std::array<std::uint32_t, 8> state = kStart;
  const std::size_t whole = bytes.size() / kBlock * kBlock;
  for (std::size_t at = 0; at < whole; at += kBlock) add_block(state, bytes.data() + at);
  // The rest, a 1 bit, zeros, and the length in bits.
  std::array<std::byte, 2 * kBlock> tail{};
  const Bytes rest = bytes.subspan(whole);
  for (std::size_t i = 0; i < rest.size(); ++i) tail[i] = rest[i];
  tail[rest.size()] = std::byte{0x80};
  const std::size_t tail_size = rest.size() < kBlock - 8 ? kBlock : 2 * kBlock;
  const std::uint64_t bits = static_cast<std::uint64_t>(bytes.size()) * 8;
  for (std::size_t i = 0; i < 8; ++i) tail[tail_size - 1 - i] = static_cast<std::byte>(bits >> (8 * i));
  for (std::size_t at = 0; at < tail_size; at += kBlock) add_block(state, tail.data() + at);
  std::string hex;
  for (const std::uint32_t word : state) {
    for (int shift = 28; shift >= 0; shift -= 4) hex.push_back("0123456789abcdef"[(word >> shift) & 15U]);
  }
  return hex;
}

}  // namespace etalon

#include "frontend/pt2/drawn_weights.h"

#include <cmath>
#include <cstring>

#include "tensor/half.h"

namespace etalon::frontend {
namespace {

constexpr std::uint64_t kFnvOffset = 0xcbf29ce484222325u;
constexpr std::uint64_t kFnvPrime = 0x100000001b3u;

std::uint64_t seed_of(std::string_view name) {
  std::uint64_t seed = kFnvOffset;
  for (const char c : name) seed = (seed ^ static_cast<unsigned char>(c)) * kFnvPrime;
  return seed;
}

// splitmix64's output number `index`: each depends on the seed only, so that drawing is not one long chain.
inline std::uint64_t word_at(std::uint64_t seed, std::uint64_t index) {
  std::uint64_t z = seed + (index + 1) * 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

inline float uniform_of(std::uint64_t word) {
  return static_cast<float>(static_cast<std::int64_t>(word >> 40)) * 0x1p-23f - 1.0f;
}

// Values are base + factor * u; a base of one comes with a power of two as factor, so that no rounding can
// differ.
struct Role {
  float base;
  float factor;
};

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

Role role_of(std::string_view name, const Dims& sizes) {
  const std::size_t dot = name.rfind('.');
  const std::string_view last = dot == std::string_view::npos ? name : name.substr(dot + 1);
  const std::string_view path = dot == std::string_view::npos ? std::string_view{} : name.substr(0, dot);
  const std::size_t owner_dot = path.rfind('.');
  const std::string_view owner = owner_dot == std::string_view::npos ? path : path.substr(owner_dot + 1);
  if (last == "running_var") return {1.0f, 0.25f};
  if (last == "running_mean") return {0.0f, 0.02f};
  if (sizes.size() >= 2) {
    const bool of_embedding = last == "weight" && sizes.size() == 2 && contains(owner, "embed");
    if (of_embedding || contains(last, "embed") || contains(last, "token")) return {0.0f, 0.035f};
    double fan_in = 1;
    for (std::size_t i = 1; i < sizes.size(); ++i) fan_in *= static_cast<double>(sizes[i]);
    if (fan_in < 1) fan_in = 1;
    return {0.0f, static_cast<float>(std::sqrt((sizes.size() == 2 ? 1.0 : 6.0) / fan_in))};
  }
  if (sizes.size() == 1 && last == "weight") return {1.0f, 0.125f};
  return {0.0f, 0.02f};
}

template <class T, class Convert>
std::vector<std::byte> draw_as(std::string_view name, const Dims& sizes, Convert convert) {
  const auto count = static_cast<std::size_t>(numel(sizes));
  const Role role = role_of(name, sizes);
  const std::uint64_t seed = seed_of(name);
  std::vector<std::byte> bytes(count * sizeof(T));
  for (std::size_t i = 0; i < count; ++i) {
    const float product = role.factor * uniform_of(word_at(seed, i));
    const T value = convert(role.base + product);
    std::memcpy(bytes.data() + i * sizeof(T), &value, sizeof(T));
  }
  return bytes;
}

}  // namespace

DrawnWords::DrawnWords(std::string_view name) : seed_(seed_of(name)) {}
std::uint64_t DrawnWords::next() { return word_at(seed_, index_++); }
float DrawnWords::next_uniform() { return uniform_of(next()); }

std::vector<std::byte> draw_weights(std::string_view name, DType dtype, const Dims& sizes) {
  switch (dtype) {
    case DType::kFloat32:
      return draw_as<float>(name, sizes, [](float v) { return v; });
    case DType::kFloat64:
      return draw_as<double>(name, sizes, [](float v) { return static_cast<double>(v); });
    case DType::kFloat16:
      return draw_as<std::uint16_t>(name, sizes, [](float v) { return Half::from_float(v); });
    case DType::kBFloat16:
      return draw_as<std::uint16_t>(name, sizes, [](float v) { return BFloat16::from_float(v); });
    default:
      return std::vector<std::byte>(static_cast<std::size_t>(numel(sizes)) * size_of(dtype));
  }
}

}  // namespace etalon::frontend

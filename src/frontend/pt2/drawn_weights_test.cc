#include "frontend/pt2/drawn_weights.h"

#include <gtest/gtest.h>

#include <bit>
#include <cstring>

namespace etalon::frontend {
namespace {

struct Vector {
  const char* name;
  Dims sizes;
  std::uint32_t first_bits;
  std::uint32_t second_bits;
};

std::uint32_t bits_at(const std::vector<std::byte>& bytes, std::size_t index) {
  std::uint32_t bits;
  std::memcpy(&bits, bytes.data() + index * sizeof(bits), sizeof(bits));
  return bits;
}

// zoo/draw_vectors.json
TEST(DrawnWeights, equal_what_python_draws) {
  const Vector vectors[] = {
      {"features.0.0.weight", {16, 3, 3, 3}, 0x3eb2c4bf, 0xbe829b44},
      {"classifier.3.weight", {1000, 1024}, 0xbba866e8, 0xbbe82e00},
      {"classifier.3.bias", {1000}, 0x3aa80614, 0xbc153e54},
      {"layer1.0.bn1.weight", {64}, 0x3f6830a9, 0x3f8fa6ff},
      {"layer1.0.bn1.running_mean", {64}, 0xbc9311a0, 0x3c1facc5},
      {"layer1.0.bn1.running_var", {64}, 0x3f895c03, 0x3f95a667},
      {"pos_embed", {1, 197, 192}, 0xbc9befb5, 0x3a0abb33},
      {"encoder.embeddings.word_embeddings.weight", {30522, 128}, 0xbce00e1f, 0xbcaf2dd5},
  };
  for (const Vector& v : vectors) {
    const auto bytes = draw_weights(v.name, DType::kFloat32, v.sizes);
    ASSERT_EQ(bytes.size(), static_cast<std::size_t>(numel(v.sizes)) * 4);
    EXPECT_EQ(bits_at(bytes, 0), v.first_bits) << v.name;
    EXPECT_EQ(bits_at(bytes, 1), v.second_bits) << v.name;
  }
}

TEST(DrawnWeights, draw_inputs_from_the_same_words) {
  DrawnWords words("input_0");
  EXPECT_EQ(std::bit_cast<std::uint32_t>(words.next_uniform()), 0xbf351f90u);
  EXPECT_EQ(std::bit_cast<std::uint32_t>(words.next_uniform()), 0xbf40f7b2u);
}

TEST(DrawnWeights, round_half_precision_from_float) {
  const auto wide = draw_weights("a.bias", DType::kFloat32, {1});
  const auto half = draw_weights("a.bias", DType::kBFloat16, {1});
  std::uint16_t bits;
  std::memcpy(&bits, half.data(), sizeof(bits));
  EXPECT_NEAR(static_cast<double>(bits), bits_at(wide, 0) / 65536.0, 1.0);
}

TEST(DrawnWeights, leave_integers_zero) {
  for (const std::byte byte : draw_weights("steps", DType::kInt64, {4})) EXPECT_EQ(byte, std::byte{0});
}

}  // namespace
}  // namespace etalon::frontend

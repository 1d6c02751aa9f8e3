#include "backends/native/self_check.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "backends/native/memory_block.h"
#include "kernels/qs8_conv2d/qs8_conv2d.h"

namespace etalon::native {
namespace {

using kernels::Conv2dAlgorithm;
using kernels::Conv2dShape;
using kernels::Qs8Conv2dAlgorithm;

// Odd sizes, so that tails are part of it.
constexpr std::int64_t kRows = 37, kInputs = 70, kOutputs = 51;

Conv2dShape product() {
  Conv2dShape shape;
  shape.in_w = shape.out_w = kRows;
  shape.in_c = shape.in_pixel_stride = kInputs;
  shape.out_c = shape.out_pixel_stride = kOutputs;
  return shape;
}

// Numbers of all magnitudes around one, the same every time.
std::vector<float> numbers(std::int64_t count, std::uint32_t seed) {
  std::vector<float> out(static_cast<std::size_t>(count));
  for (float& x : out) {
    seed = seed * 1664525u + 1013904223u;
    x = std::ldexp(static_cast<float>(seed >> 8) / 8388608.0f - 1.0f, static_cast<int>(seed & 7u) - 4);
  }
  return out;
}

bool run(const Conv2dAlgorithm& algorithm, const kernels::Machine& machine, const std::vector<float>& input,
         const std::vector<float>& filter, const std::vector<float>& bias, std::vector<float>& output) {
  const Conv2dShape shape = product();
  auto packed = MemoryBlock::allocate(std::max<std::size_t>(algorithm.packed_bytes(shape), kAlignment));
  auto scratch = MemoryBlock::allocate(std::max<std::size_t>(algorithm.scratch_bytes(shape, machine), kAlignment));
  if (!packed.ok() || !scratch.ok()) return false;
  algorithm.pack(shape, filter.data(), bias.data(), packed->data());
  kernels::Conv2dCall call;
  call.input = input.data();
  call.output = output.data();
  call.packed = packed->data();
  call.scratch = scratch->data();
  algorithm.run(shape, kernels::Epilogue{}, machine, call, 0, 1);
  return true;
}

// Of the largest output, generously: what is looked for is arithmetic gone wrong.
float tolerance_of(kernels::MathMode math) {
  switch (math) {
    case kernels::MathMode::kExact: return 2e-6f;
    case kernels::MathMode::kFast: return 1e-4f;
    default: return 2e-2f;
  }
}

bool is_close(const std::vector<float>& a, const std::vector<float>& b, float tolerance) {
  float largest = 0, difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    largest = std::max(largest, std::abs(b[i]));
    if (!(std::abs(a[i] - b[i]) <= largest + 1e30f)) return false;  // not a number
    difference = std::max(difference, std::abs(a[i] - b[i]));
  }
  return difference <= tolerance * largest;
}

bool floats_agree(kernels::Isa isa, const kernels::Machine& machine) {
  const Conv2dShape shape = product();
  const auto input = numbers(kRows * kInputs, 1), filter = numbers(kOutputs * kInputs, 2), bias = numbers(kOutputs, 3);
  std::vector<float> expected(static_cast<std::size_t>(kRows * kOutputs)), found(expected.size());
  const auto reference = kernels::choose_conv2d(shape, {}, kernels::Isa::kScalar, kernels::MathMode::kExact, machine);
  if (!run(*reference.algorithm, machine, input, filter, bias, expected)) return false;
  for (const Conv2dAlgorithm* algorithm : kernels::conv2d_algorithms()) {
    if (algorithm->isa != isa || algorithm->is_depthwise || algorithm->refusal(shape, {}) != nullptr) continue;
    std::ranges::fill(found, std::nanf(""));
    if (!run(*algorithm, machine, input, filter, bias, found)) return false;
    if (!is_close(found, expected, tolerance_of(algorithm->math))) return false;
  }
  return true;
}

// Bytes of all values, the same every time.
std::vector<std::int8_t> bytes(std::int64_t count, std::uint32_t seed) {
  std::vector<std::int8_t> out(static_cast<std::size_t>(count));
  for (std::int8_t& x : out) {
    seed = seed * 1664525u + 1013904223u;
    x = static_cast<std::int8_t>(seed >> 24);
  }
  return out;
}

bool run(const Qs8Conv2dAlgorithm& algorithm, const kernels::Machine& machine, std::vector<std::int8_t>& output) {
  const Conv2dShape shape = product();
  const auto input = bytes(kRows * kInputs, 1), filter = bytes(kOutputs * kInputs, 2);
  const float scale = 1.0f / 512;  // most results are in range, some are not
  kernels::Qs8Conv2dParams params;
  params.input_zero_point = -7;
  params.output_zero_point = 5;
  auto packed = MemoryBlock::allocate(std::max<std::size_t>(algorithm.packed_bytes(shape), kAlignment));
  auto scratch = MemoryBlock::allocate(std::max<std::size_t>(algorithm.scratch_bytes(shape, machine), kAlignment));
  if (!packed.ok() || !scratch.ok()) return false;
  algorithm.pack(shape, params, {filter.data(), nullptr, &scale, false}, packed->data());
  const kernels::Qs8Conv2dCall call{input.data(), output.data(), packed->data(), scratch->data()};
  algorithm.run(shape, params, machine, call, 0, 1);
  return true;
}

bool bytes_agree(kernels::Isa isa, const kernels::Machine& machine) {
  std::vector<std::int8_t> expected(static_cast<std::size_t>(kRows * kOutputs)), found(expected.size());
  const auto reference = kernels::choose_qs8_conv2d(product(), {}, kernels::Isa::kScalar, machine);
  if (!run(*reference.algorithm, machine, expected)) return false;
  for (const Qs8Conv2dAlgorithm* algorithm : kernels::qs8_conv2d_algorithms()) {
    if (algorithm->isa != isa || algorithm->is_depthwise || algorithm->refusal(product(), {}) != nullptr) continue;
    std::ranges::fill(found, std::int8_t{0});
    if (!run(*algorithm, machine, found) || found != expected) return false;
  }
  return true;
}

}  // namespace

bool agrees_with_scalar(kernels::Isa isa, const kernels::Machine& machine) {
  return floats_agree(isa, machine) && bytes_agree(isa, machine);
}

}  // namespace etalon::native

// Every algorithm gives the same bits however many workers share the work.
#include <gtest/gtest.h>

#include "kernels/conv2d/conv2d_cases_test.h"
#include "kernels/testing.h"

namespace etalon::kernels {
namespace {

using testing::Conv2dCase;
using testing::Conv2dTensors;
using testing::FloatBuffer;

FloatBuffer run(const Conv2dAlgorithm& a, const Conv2dCase& c, const Conv2dTensors& t, const FloatBuffer& packed,
                unsigned workers) {
  const Conv2dShape& s = c.shape;
  FloatBuffer output(static_cast<std::size_t>(s.batch * s.out_h * s.out_w * s.out_pixel_stride), -3.0f);
  Conv2dCall call{.input = t.input.data(), .output = output.data(), .packed = packed.data()};
  if (s.has_input_scale) call.input_scale = t.scale.data();
  if (c.epilogue.residual != Epilogue::Residual::kNone) {
    call.residual = t.residual.data(), call.residual_pixel_stride = testing::residual_stride_of(s);
  }
  for (unsigned i = 0; i < workers; ++i) {
    FloatBuffer scratch((a.scratch_bytes(s, {}) + 3) / 4);
    call.scratch = reinterpret_cast<std::byte*>(scratch.data());
    a.run(s, c.epilogue, {}, call, workers - 1 - i, workers);
  }
  return output;
}

TEST(Conv2d, AnyNumberOfWorkersGivesTheSameBits) {
  std::uint32_t seed = 1;
  for (const Conv2dCase& c : testing::conv2d_cases()) {
    const Conv2dTensors t = testing::make_tensors(c, seed++);
    if (seed % 2 == 0) continue;
    for (const Conv2dAlgorithm* a : conv2d_algorithms()) {
      if (!testing::cpu_runs(a->isa) || a->is_depthwise != c.shape.is_depthwise()) continue;
      if (a->refusal(c.shape, c.epilogue) != nullptr) continue;
      FloatBuffer packed(a->packed_bytes(c.shape) / sizeof(float));
      a->pack(c.shape, t.filter.data(), t.bias.data(), packed.data());
      const FloatBuffer alone = run(*a, c, t, packed, 1);
      for (const unsigned workers : {2u, 3u}) {
        const FloatBuffer shared = run(*a, c, t, packed, workers);
        EXPECT_EQ(std::memcmp(alone.data(), shared.data(), alone.size() * sizeof(float)), 0)
            << a->name << " on " << c.name << ", workers " << workers;
      }
    }
  }
}

}  // namespace
}  // namespace etalon::kernels

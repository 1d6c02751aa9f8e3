// A compiled delegate runs without the heap, on one thread and on several.
#include "backends/native/native_testing.h"
#include "base/malloc_counting_testing.h"

namespace etalon::native {
namespace {

using namespace testing;  // NOLINT: the builders of this layer

TEST(NativeNoHeap, the_counter_counts) {
  allocations = 0;
  counting = true;
  void* volatile block = std::malloc(16);
  counting = false;
  std::free(block);
  EXPECT_EQ(allocations, ETALON_COUNTS_MALLOC);
}

// A node of every kind that has a kernel, and one that has none.
TEST(NativeNoHeap, a_run_uses_no_heap) {
  GraphBuilder b;
  auto x = b.transpose(b.input({1, 3, 16, 16}), {0, 2, 3, 1});
  x = b.conv(x, 3, 16, 3, 1, 1, 0, 6);
  x = b.node(NodeType::kAdd, {b.conv(x, 16, 16, 3, 1, 1), x});
  x = b.node(NodeType::kHardswish, {b.depthwise(x, 16, 5, 2, 2)});
  x = b.node(NodeType::kStaticConstantPad, {x}, xnn::Pad{{0, 1, 1, 0}, {0, 1, 1, 0}, 0});
  xnn::Pool pool;
  pool.pooling_height = pool.pooling_width = 2;
  pool.stride_height = pool.stride_width = 2;
  x = b.node(NodeType::kMaxPooling2d, {x}, pool);
  x = b.node(NodeType::kConcatenate2, {x, b.node(NodeType::kSigmoid, {x})}, xnn::Concatenate{3});
  x = b.node(NodeType::kExp, {b.reshape(x, {5, 5, 32})});
  const auto weights =
      b.node(NodeType::kSoftmax, {b.node(NodeType::kBatchMatrixMultiply, {x, b.transpose(x, {0, 2, 1})})});
  x = b.node(NodeType::kBatchMatrixMultiply, {weights, x});
  b.output(b.linear(b.reshape(x, {1, 800}), 800, 7));
  for (const unsigned threads : {1u, 2u}) {
    const auto payload = xnn::encode(b.graph).value();
    auto backend = std::move(NativeBackend::create({.threads = threads})).value();
    std::vector<float> in(3 * 16 * 16, 0.5f), out(7);
    TensorView image(DType::kFloat32, {1, 3, 16, 16}, in.data());
    TensorView scores(DType::kFloat32, {1, 7}, out.data());
    ops::Value values[] = {ops::Value::of_tensor(&image), ops::Value::of_tensor(&scores)};
    ops::Value* args[] = {&values[0], &values[1]};
    const ops::Value* seen[] = {&values[0], &values[1]};
    runtime::DelegateSource source;
    source.payload = payload;
    source.args = seen;
    auto delegate = backend->compile(source);
    ASSERT_TRUE(delegate.ok()) << delegate.error().message();
    for (int run = 0; run < 3; ++run) {
      allocations = 0;
      counting = true;
      const Status status = (*delegate)->execute(args, {});
      counting = false;
      ASSERT_TRUE(status.ok()) << status.error().message();
      EXPECT_EQ(allocations, 0) << threads << " threads, run " << run;
    }
  }
}

}  // namespace
}  // namespace etalon::native

// After loading, a run must not use the heap. Counted where all of C++ and C meet: in malloc and operator new.
#include <gtest/gtest.h>

#include "base/malloc_counting_testing.h"
#include "runtime/method.h"
#include "runtime/program_testing.h"
#include "runtime/tensor.h"

namespace etalon::runtime {
namespace {

using namespace testing;  // NOLINT: the builders of this layer

int allocations_in(Method& method) {
  allocations = 0;
  counting = true;
  const Status status = method.execute();
  counting = false;
  EXPECT_TRUE(status.ok()) << (status.ok() ? "" : status.error().message());
  return allocations;
}

TEST(NoHeap, the_counter_counts) {
  allocations = 0;
  counting = true;
  void* volatile block = std::malloc(16);
  counting = false;
  std::free(block);
  EXPECT_EQ(allocations, ETALON_COUNTS_MALLOC);
}

// Every kind of instruction, a fixed and a dynamic part, lists, and an operator with scratch memory.
PlanBuilder busy_program() {
  PlanBuilder b;
  const auto x = b.dynamic({4, 8});
  const auto sum = b.dynamic({4, 8});
  const auto joined = b.dynamic({8, 8});
  const auto soft = b.dynamic({8, 8});
  const auto weight = b.tensor({3, 8});
  const auto transposed = b.tensor({8, 3});
  const auto out = b.dynamic({8, 3});
  const auto moved = b.dynamic({8, 3});
  const auto yes = b.boolean(true);
  b.add(x, x, sum);
  b.kernel("aten::cat", "out", {b.tensors({x, sum}), b.integer(0), joined, joined});
  b.kernel("aten::_softmax", "out", {joined, b.integer(-1), b.boolean(false), soft, soft});
  b.kernel("aten::permute_copy", "out", {weight, b.ints({1, 0}), transposed, transposed});
  b.kernel("aten::mm", "out", {soft, transposed, out, out});
  b.instruction(pte::MoveCall{out, moved});
  b.instruction(pte::JumpFalseCall{yes, 0});
  b.instruction(pte::FreeCall{sum});
  b.plan.inputs = {x, weight};
  b.plan.outputs = {moved};
  return b;
}

TEST(NoHeap, a_program_of_every_kind_of_instruction_runs_without_the_heap) {
  auto program = built(busy_program());
  ASSERT_TRUE(program.ok()) << program.error().message();
  auto method = Method::load(*program->program, "forward");
  ASSERT_TRUE(method.ok()) << method.error().message();
  for (const std::int64_t rows : {4, 2, 3}) {
    auto input = Tensor::zeros(DType::kFloat32, {rows, 8});
    ASSERT_TRUE(method->set_input(0, ops::Value::of_tensor(&input->view())).ok());
    EXPECT_EQ(allocations_in(*method), 0) << rows << " rows";
    EXPECT_EQ(method->output(0).as_tensor()->sizes(), (Dims{2 * rows, 3}));
  }
}

// A recorder with room for what comes: the cost that tracing adds must not be allocations either.
class Recorder final : public EventTracer {
 public:
  Recorder() { events.reserve(100); }
  void begin_block(std::string_view) override { events.clear(); }
  void record(const Event& event) override { events.push_back(event); }
  std::vector<Event> events;
};

TEST(NoHeap, tracing_needs_no_heap_either) {
  auto program = built(busy_program());
  ASSERT_TRUE(program.ok());
  auto method = Method::load(*program->program, "forward");
  ASSERT_TRUE(method.ok()) << method.error().message();
  Recorder recorder;
  method->set_tracer(&recorder);
  EXPECT_EQ(allocations_in(*method), 0);
  EXPECT_EQ(recorder.events.size(), 5u * 2 + 3 + 1);
}

}  // namespace
}  // namespace etalon::runtime

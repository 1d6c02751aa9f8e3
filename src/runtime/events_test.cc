#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/method.h"
#include "runtime/program_testing.h"

namespace etalon::runtime {
namespace {

using namespace testing;  // NOLINT: the builders of this layer
using ::testing::ElementsAre;

class Recorder final : public EventTracer {
 public:
  explicit Recorder(TraceDetail detail = TraceDetail::kInstructions) : detail_(detail) {}
  void begin_block(std::string_view name) override { log.push_back("[" + std::string(name) + "]"); }
  void record(const Event& event) override {
    log.push_back(std::string(event.name));
    events.push_back(event);
  }
  TraceDetail detail() const override { return detail_; }

  std::vector<std::string> log;
  std::vector<Event> events;

 private:
  TraceDetail detail_;
};

PlanBuilder small_program() {
  PlanBuilder b;
  const auto x = b.tensor({2});
  const auto y = b.tensor({2});
  const auto n = b.integer(0);
  b.add(x, x, y);
  b.kernel("executorch_prim::add", "Scalar", {b.integer(1), b.integer(2), n});
  b.instruction(pte::MoveCall{y, x});
  b.instruction(pte::FreeCall{y});
  b.plan.inputs = {x};
  b.plan.outputs = {y, n};
  return b;
}

TEST(Events, loading_and_running_report_what_executorch_reports) {
  auto program = built(small_program());
  ASSERT_TRUE(program.ok());
  Recorder recorder;
  MethodOptions options;
  options.tracer = &recorder;
  auto method = Method::load(*program->program, "forward", options);
  ASSERT_TRUE(method.ok()) << method.error().message();
  ASSERT_TRUE(method->execute().ok());
  EXPECT_THAT(recorder.log,
              ElementsAre("[Default]", "Method::init", "Program::load_method", "[Execute]", "native_call_add.out",
                          "OPERATOR_CALL", "OPERATOR_CALL", "MOVE_CALL", "FREE_CALL", "Method::execute"));
  EXPECT_EQ(method->output(1).as_int(), 3);
}

TEST(Events, instructions_have_their_number_and_methods_none) {
  auto program = built(small_program());
  ASSERT_TRUE(program.ok());
  auto method = Method::load(*program->program, "forward");
  ASSERT_TRUE(method.ok());
  Recorder recorder;
  method->set_tracer(&recorder);
  ASSERT_TRUE(method->execute().ok());
  ASSERT_EQ(recorder.events.size(), 6u);
  EXPECT_EQ(recorder.events[0].chain, 0);
  EXPECT_EQ(recorder.events[0].instruction, 0);
  EXPECT_EQ(recorder.events[3].instruction, 2);
  EXPECT_EQ(recorder.events[5].chain, -1);
  EXPECT_EQ(recorder.events[5].instruction, 0);
}

TEST(Events, inner_events_lie_inside_outer_ones) {
  auto program = built(small_program());
  ASSERT_TRUE(program.ok());
  auto method = Method::load(*program->program, "forward");
  ASSERT_TRUE(method.ok());
  Recorder recorder;
  method->set_tracer(&recorder);
  ASSERT_TRUE(method->execute().ok());
  const Event& kernel = recorder.events[0];
  const Event& call = recorder.events[1];
  const Event& whole = recorder.events.back();
  EXPECT_LE(whole.start_ns, call.start_ns);
  EXPECT_LE(call.start_ns, kernel.start_ns);
  EXPECT_LE(kernel.start_ns, kernel.end_ns);
  EXPECT_LE(kernel.end_ns, call.end_ns);
  EXPECT_LE(call.end_ns, whole.end_ns);
}

TEST(Events, a_tracer_may_ask_for_whole_runs_only) {
  auto program = built(small_program());
  ASSERT_TRUE(program.ok());
  auto method = Method::load(*program->program, "forward");
  ASSERT_TRUE(method.ok());
  Recorder recorder(TraceDetail::kMethods);
  method->set_tracer(&recorder);
  ASSERT_TRUE(method->execute().ok());
  EXPECT_THAT(recorder.log, ElementsAre("[Execute]", "Method::execute"));
}

TEST(Events, instructions_tell_which_kernel_runs) {
  auto program = built(small_program());
  ASSERT_TRUE(program.ok());
  auto method = Method::load(*program->program, "forward");
  ASSERT_TRUE(method.ok());
  ASSERT_EQ(method->instruction_count(), 4u);
  const InstructionInfo info = method->instruction(0);
  EXPECT_EQ(info.operation, "aten::add.out");
  ASSERT_NE(info.kernel, nullptr);
  EXPECT_EQ(info.kernel->isa, "portable");
  EXPECT_EQ(info.call->tensor(0).sizes(), (Dims{2}));
  EXPECT_EQ(method->instruction(2).operation, "MOVE_CALL");
  EXPECT_EQ(method->instruction(2).kernel, nullptr);
}

// A delegate that doubles its inputs and reports one event.
class DoublingDelegate final : public Delegate {
 public:
  std::size_t input_count() const override { return 1; }
  Status execute(std::span<ops::Value* const> args, const Place& place) override {
    const TensorView& in = *args[0]->as_tensor();
    const TensorView& out = *args[1]->as_tensor();
    for (std::int64_t i = 0; i < in.numel(); ++i) out.data_as<float>()[i] = 2 * in.data_as<float>()[i];
    if (place.tracer != nullptr) {
      place.tracer->record({"Double (ND) #1", place.chain, place.instruction, 1, 2, true});
    }
    return {};
  }
};

class DoublingBackend final : public Backend {
 public:
  Result<std::unique_ptr<Delegate>> compile(const DelegateSource& source) override {
    if (source.payload.size() != 4) return invalid_input("payload is not four bytes");
    return std::unique_ptr<Delegate>(std::make_unique<DoublingDelegate>());
  }
};

pte::ProgramToWrite delegated_program(const std::vector<float>& payload) {
  PlanBuilder b;
  const auto x = b.tensor({2});
  const auto y = b.tensor({2});
  b.plan.delegates.push_back({"DoublingBackend", true, 0, {}, {}});
  b.instruction(pte::DelegateCall{0, {x, y}});
  b.plan.inputs = {x};
  b.plan.outputs = {y};
  pte::ProgramToWrite source;
  source.delegate_payloads.push_back(floats(payload));
  source.plans.push_back(b.plan);
  return source;
}

TEST(Delegates, are_compiled_and_run_and_report_inside_of_their_call) {
  auto program = built(delegated_program({1}));
  ASSERT_TRUE(program.ok()) << program.error().message();
  BackendRegistry backends;
  backends.add("DoublingBackend", std::make_unique<DoublingBackend>());
  Recorder recorder;
  MethodOptions options;
  options.backends = &backends;
  auto method = Method::load(*program->program, "forward", options);
  ASSERT_TRUE(method.ok()) << method.error().message();
  method->set_tracer(&recorder);
  float values[] = {1.5F, -2};
  TensorView view(DType::kFloat32, {2}, values);
  ASSERT_TRUE(method->set_input(0, ops::Value::of_tensor(&view)).ok());
  ASSERT_TRUE(method->execute().ok());
  EXPECT_EQ(method->output(0).as_tensor()->data_as<float>()[1], -4);
  EXPECT_THAT(recorder.log, ElementsAre("[Execute]", "Double (ND) #1", "DELEGATE_CALL", "Method::execute"));
}

TEST(Delegates, a_payload_that_does_not_compile_is_named) {
  auto program = built(delegated_program({1, 2}));
  ASSERT_TRUE(program.ok());
  BackendRegistry backends;
  backends.add("DoublingBackend", std::make_unique<DoublingBackend>());
  MethodOptions options;
  options.backends = &backends;
  const auto method = Method::load(*program->program, "forward", options);
  ASSERT_FALSE(method.ok());
  EXPECT_EQ(method.error().message(), "method forward: delegate 0 (DoublingBackend): payload is not four bytes");
}

}  // namespace
}  // namespace etalon::runtime

// Delegates as a program meets them: sizes that change, hostile arguments, events.
#include "backends/native/native_testing.h"

namespace etalon::native {
namespace {

using namespace testing;  // NOLINT: the builders of this layer

struct Bound {
  TensorView view;
  ops::Value value;
};

// One delegate with float arguments.
class Fixture {
 public:
  Fixture(const GraphBuilder& builder, std::vector<Dims> args, const Options& options = {}) {
    auto encoded = xnn::encode(builder.graph);
    if (!encoded.ok()) {
      error = encoded.error().message();
      return;
    }
    payload_ = std::move(*encoded);
    backend_ = std::move(NativeBackend::create(options)).value();
    for (const Dims& dims : args) add(dims);
    runtime::DelegateSource source;
    source.payload = payload_;
    const std::vector<const ops::Value*> seen(args_.begin(), args_.end());
    source.args = seen;
    auto compiled = backend_->compile(source);
    if (compiled.ok()) {
      delegate = std::move(*compiled);
    } else {
      error = compiled.error().message();
    }
  }

  void add(const Dims& dims) {
    memory_.emplace_back(4096, 0.5f);
    bound_.push_back({TensorView(DType::kFloat32, dims, memory_.back().data()), {}});
    Bound& bound = bound_.back();
    bound.view.bind(memory_.back().data(), 4096 * sizeof(float));
    bound.view.set_resizable(true);
    bound.value = ops::Value::of_tensor(&bound.view);
    args_.push_back(&bound.value);
  }
  Status run(const runtime::Delegate::Place& place = {}) { return delegate->execute(args_, place); }
  TensorView& arg(std::size_t i) { return bound_[i].view; }

  std::unique_ptr<runtime::Delegate> delegate;
  std::string error;

 private:
  std::vector<std::byte> payload_;
  std::unique_ptr<NativeBackend> backend_;
  std::deque<std::vector<float>> memory_;
  std::deque<Bound> bound_;
  std::vector<ops::Value*> args_;
};

GraphBuilder linear_graph() {
  GraphBuilder b;
  b.output(b.node(NodeType::kSigmoid, {b.linear(b.input({6, 8}), 8, 5)}));
  return b;
}

TEST(Delegate, other_sizes_are_compiled_for_when_they_come) {
  Fixture f(linear_graph(), {{6, 8}, {6, 5}});
  ASSERT_EQ(f.error, "");
  for (const std::int64_t rows : {6, 2, 9, 1, 3, 6, 2}) {
    ASSERT_TRUE(f.arg(0).resize({rows, 8}).ok());
    const Status status = f.run();
    ASSERT_TRUE(status.ok()) << status.error().message();
    EXPECT_EQ(f.arg(1).sizes(), (Dims{rows, 5}));
    for (std::int64_t row = 1; row < rows; ++row) {
      EXPECT_EQ(f.arg(1).data_as<float>()[row * 5], f.arg(1).data_as<float>()[0]);
    }
  }
}

TEST(Delegate, weights_are_packed_once_for_all_sizes) {
  Fixture f(linear_graph(), {{6, 8}, {6, 5}});
  ASSERT_EQ(f.error, "");
  const std::uint64_t before = f.delegate->memory_bytes();
  ASSERT_TRUE(f.arg(0).resize({7, 8}).ok());
  ASSERT_TRUE(f.run().ok());
  EXPECT_LE(f.delegate->memory_bytes(), before + 64);
}

TEST(Delegate, sizes_that_do_not_fit_are_refused_and_the_next_run_works) {
  Fixture f(linear_graph(), {{6, 8}, {6, 5}});
  ASSERT_EQ(f.error, "");
  ASSERT_TRUE(f.arg(0).resize({6, 9}).ok());
  EXPECT_FALSE(f.run().ok());
  ASSERT_TRUE(f.arg(0).resize({0, 8}).ok());
  EXPECT_FALSE(f.run().ok());
  ASSERT_TRUE(f.arg(0).resize({6, 8}).ok());
  EXPECT_TRUE(f.run().ok());
}

TEST(Delegate, an_output_that_cannot_take_the_result_is_an_error) {
  Fixture f(linear_graph(), {{6, 8}, {6, 5}});
  ASSERT_EQ(f.error, "");
  f.arg(1).set_resizable(false);
  ASSERT_TRUE(f.arg(0).resize({7, 8}).ok());
  EXPECT_FALSE(f.run().ok());
}

TEST(Delegate, arguments_are_checked_against_the_payload) {
  EXPECT_NE(Fixture(linear_graph(), {{6, 8}}).error, "");
  EXPECT_NE(Fixture(linear_graph(), {}).error, "");
  EXPECT_NE(Fixture(linear_graph(), {{6, 9}, {6, 5}}).error, "");
  EXPECT_NE(Fixture(linear_graph(), {{std::int64_t{1} << 40, 8}, {6, 5}}).error, "");
}

TEST(Delegate, outputs_that_lie_on_inputs_do_not_crash) {
  GraphBuilder b;
  const auto x = b.input({1, 6, 6, 8});
  b.output(b.conv(x, 8, 8, 3, 1, 1));
  Fixture f(b, {{1, 6, 6, 8}, {1, 6, 6, 8}});
  ASSERT_EQ(f.error, "");
  f.arg(1).bind(f.arg(0).data(), f.arg(0).capacity_bytes());
  EXPECT_TRUE(f.run().ok());
}

TEST(Delegate, constants_that_are_missing_or_too_short_are_errors) {
  GraphBuilder b = linear_graph();
  b.graph.constants[1].inline_data = b.graph.constants[1].inline_data.first(16);
  EXPECT_NE(Fixture(b, {{6, 8}, {6, 5}}).error, "");
  b.graph.constants[1].key = "weights";
  EXPECT_NE(Fixture(b, {{6, 8}, {6, 5}}).error, "");
}

TEST(Delegate, values_that_nobody_computes_are_errors) {
  GraphBuilder b;
  const auto x = b.input({4});
  const auto y = b.node(NodeType::kAbs, {x});
  b.output(b.node(NodeType::kNegate, {y}));
  std::swap(b.graph.nodes[0], b.graph.nodes[1]);
  EXPECT_NE(Fixture(b, {{4}, {4}}).error, "");
}

class Recorder final : public runtime::EventTracer {
 public:
  void begin_block(std::string_view) override {}
  void record(const runtime::Event& event) override { events.push_back(event); }
  std::vector<runtime::Event> events;
};

TEST(Delegate, every_operation_is_an_event_with_the_name_of_its_evidence) {
  GraphBuilder b;
  auto x = b.input({4, 8});
  for (int i = 0; i < 3; ++i) x = b.linear(x, 8, 8);
  b.output(b.node(NodeType::kSoftmax, {x}));
  for (const unsigned threads : {1u, 2u}) {
    Fixture f(b, {{4, 8}, {4, 8}}, {.threads = threads});
    ASSERT_EQ(f.error, "");
    Recorder recorder;
    ASSERT_TRUE(f.run({&recorder, 0, 7}).ok());
    const auto operations = f.delegate->operations();
    ASSERT_EQ(recorder.events.size(), operations.size());
    ASSERT_EQ(operations.size(), 4u);
    EXPECT_EQ(operations[2].name, "Fully Connected (NC, F32) GEMM #3");
    EXPECT_EQ(operations[3].name, "Softmax (NC, F32) #1");
    EXPECT_EQ(operations[0].debug_handles, std::vector<std::uint32_t>{1});
    EXPECT_EQ(operations[0].flops, 2 * 4 * 8 * 8);
    EXPECT_EQ(operations[0].shape, "4x8 -> 4x8");
    for (std::size_t i = 0; i < operations.size(); ++i) {
      EXPECT_EQ(recorder.events[i].name, operations[i].name);
      EXPECT_TRUE(recorder.events[i].is_delegate_event);
      EXPECT_EQ(recorder.events[i].instruction, 7);
      EXPECT_LE(recorder.events[i].start_ns, recorder.events[i].end_ns);
    }
  }
}

TEST(Delegate, the_cap_decides_what_runs_and_the_evidence_says_so) {
  Fixture f(linear_graph(), {{6, 8}, {6, 5}}, {.isa = "scalar"});
  ASSERT_EQ(f.error, "");
  for (const auto& operation : f.delegate->operations()) {
    EXPECT_EQ(operation.isa, "scalar");
    EXPECT_EQ(operation.wanted_isa, "scalar");
    EXPECT_EQ(operation.reason, "");
    EXPECT_NE(operation.kernel, "");
  }
}

// Any byte of the payload changed to anything: an error or a result, never a crash.
TEST(Delegate, damaged_payloads_never_crash) {
  GraphBuilder b;
  auto x = b.transpose(b.input({1, 3, 6, 6}), {0, 2, 3, 1});
  x = b.conv(x, 3, 8, 3, 1, 1, 0, 6);
  x = b.node(NodeType::kGlobalAvgPooling2d, {x});
  b.output(b.linear(b.reshape(x, {1, 8}), 8, 5));
  const auto payload = xnn::encode(b.graph).value();
  auto backend = std::move(NativeBackend::create({.isa = "scalar"})).value();
  std::vector<float> in(1024), out(1024);
  std::uint32_t seed = 3;
  int compiled = 0;
  for (std::size_t at = 0; at < payload.size(); at += 17) {
    auto damaged = payload;
    seed = seed * 1664525u + 1013904223u;
    damaged[at] = static_cast<std::byte>(seed >> 24);
    TensorView image(DType::kFloat32, {1, 3, 6, 6}, in.data());
    TensorView scores(DType::kFloat32, {1, 5}, out.data());
    ops::Value values[] = {ops::Value::of_tensor(&image), ops::Value::of_tensor(&scores)};
    ops::Value* args[] = {&values[0], &values[1]};
    const ops::Value* seen[] = {&values[0], &values[1]};
    runtime::DelegateSource source;
    source.payload = damaged;
    source.args = seen;
    auto delegate = backend->compile(source);
    if (!delegate.ok()) continue;
    ++compiled;
    static_cast<void>((*delegate)->execute(args, {}));
  }
  EXPECT_GT(compiled, 0);
}

}  // namespace
}  // namespace etalon::native

#include "cli/compare/program_taps.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "backends/xnnpack/aot/delegate.h"
#include "base/file.h"
#include "cli/model_outputs.h"
#include "emit/program.h"
#include "emit/record.h"
#include "formats/etrecord/etrecord.h"
#include "ir/text.h"

namespace etalon::cli {
namespace {

using testing::ElementsAre;

// s = 2x, t = s + s, u = t * t; x is -1 .. 1.
constexpr const char* kGraph = R"(graph forward {
  input %x: f32[1, 1, 2, 2]
  constant %w: f32[1, 1, 1, 1] parameter = {2}
  %s: f32[1, 1, 2, 2] = aten::convolution(%x, %w, None, [1, 1], [0, 0], [1, 1], false, [0, 0], 1)
  %t: f32[1, 1, 2, 2] = aten::add.Tensor(%s, %s, 1)
  %u: f32[1, 1, 2, 2] = aten::mul.Tensor(%t, %t)
  return %u
}
)";

struct Emitted {
  std::vector<std::byte> bytes;
  formats::pte::Program program;
  analysis::ValueNames names;
};

Emitted emitted(bool delegated) {
  std::vector<ir::Graph> graphs = {ir::parse(kGraph).value()};
  const std::vector<ir::Graph> before = graphs;
  if (delegated) EXPECT_TRUE(xnnpack::delegate_graph(graphs.front()).ok());
  const auto made = emit::emit_program(graphs);
  EXPECT_TRUE(made.ok());
  Emitted out;
  out.bytes = formats::pte::encode_to_bytes(made->program).value();
  out.program = formats::pte::decode(out.bytes).value();
  const std::string path = testing::TempDir() + "taps.etrecord";
  EXPECT_TRUE(emit::write_record(graphs, before, *made, path).ok());
  const MappedFile file = MappedFile::open(path).value();
  out.names = analysis::ValueNames(formats::etrecord::decode(file.bytes()).value());
  ::unlink(path.c_str());
  return out;
}

std::vector<std::vector<float>> run(Bytes program) {
  const std::string path = testing::TempDir() + "taps.pte";
  EXPECT_TRUE(write_file(path, program).ok());
  OutputsRequest request;
  request.model = path;
  auto outputs = model_outputs(request);
  ::unlink(path.c_str());
  EXPECT_TRUE(outputs.ok()) << (outputs.ok() ? "" : outputs.error().message());
  return outputs.ok() ? *outputs : std::vector<std::vector<float>>();
}

class ProgramTaps : public testing::TestWithParam<bool> {};

TEST_P(ProgramTaps, values_inside_follow_the_outputs_that_stay_as_they_were) {
  const Emitted made = emitted(GetParam());
  const auto taps = find_taps(made.program, made.names);
  ASSERT_TRUE(taps.ok()) << taps.error().message();
  std::vector<Tap> wanted;
  for (const Tap& tap : *taps) {
    if (tap.name == "s" || tap.name == "t") wanted.push_back(tap);
  }
  ASSERT_EQ(wanted.size(), 2u);
  const auto bytes = tapped_program(made.program, wanted);
  ASSERT_TRUE(bytes.ok()) << bytes.error().message();
  const auto plain = run(made.bytes), tapped = run(*bytes);
  ASSERT_EQ(plain.size(), 1u);
  ASSERT_EQ(tapped.size(), 3u);
  EXPECT_EQ(tapped[0], plain[0]);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_FLOAT_EQ(tapped[2][i], 2 * tapped[1][i]) << "t = s + s";
    EXPECT_FLOAT_EQ(tapped[0][i], tapped[2][i] * tapped[2][i]) << "u = t * t";
  }
}

TEST_P(ProgramTaps, without_a_record_nothing_has_a_name) {
  const Emitted made = emitted(GetParam());
  const auto taps = find_taps(made.program, analysis::ValueNames());
  ASSERT_TRUE(taps.ok());
  EXPECT_TRUE(taps->empty());
}

TEST_P(ProgramTaps, another_method_is_an_error) {
  const Emitted made = emitted(GetParam());
  EXPECT_FALSE(find_taps(made.program, made.names, "backward").ok());
  EXPECT_FALSE(tapped_program(made.program, {}, "backward").ok());
}

INSTANTIATE_TEST_SUITE_P(portable_and_delegated, ProgramTaps, testing::Bool());

}  // namespace
}  // namespace etalon::cli

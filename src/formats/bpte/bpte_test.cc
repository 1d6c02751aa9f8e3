#include "formats/bpte/bpte.h"

#include <gtest/gtest.h>

#include "formats/pte/pte.h"
#include "formats/sample_test.h"

namespace etalon::formats::bpte {
namespace {

TEST(Bpte, reads_test_cases_and_the_program) {
  const auto file = sample("tiny.bpte");
  const auto bundle = decode(file.bytes());
  ASSERT_TRUE(bundle.ok()) << bundle.error().message();
  ASSERT_EQ(bundle->suites.size(), 1U);
  EXPECT_EQ(bundle->suites[0].method, "forward");
  ASSERT_EQ(bundle->suites[0].cases.size(), 1U);
  const TestCase& test = bundle->suites[0].cases[0];
  ASSERT_EQ(test.inputs.size(), 1U);
  const auto& input = std::get<Tensor>(test.inputs[0]);
  EXPECT_EQ(input.sizes, (std::vector<std::int32_t>{1, 1, 4, 4}));
  EXPECT_EQ(input.data.size(), 64U);
  ASSERT_EQ(test.expected_outputs.size(), 1U);
  EXPECT_EQ(std::get<Tensor>(test.expected_outputs[0]).data.size(), 12U);
  const auto program = pte::decode(bundle->program);
  ASSERT_TRUE(program.ok()) << program.error().message();
  EXPECT_NE(program->find_plan("forward"), nullptr);
}

TEST(Bpte, refuses_a_plain_program) {
  const auto file = sample("tiny_portable.pte");
  const auto bundle = decode(file.bytes());
  ASSERT_FALSE(bundle.ok());
  EXPECT_EQ(bundle.error().code(), ErrorCode::kInvalidInput);
}

TEST(Bpte, survives_truncation_and_byte_flips) {
  const auto file = sample("tiny.bpte");
  const auto read = [](Bytes bytes) { (void)decode(bytes).ok(); };
  flip_every_byte(file.bytes(), read);
  for (std::size_t size = 0; size < file.bytes().size(); ++size) read(copy_of(file.bytes().first(size)));
}

}  // namespace
}  // namespace etalon::formats::bpte

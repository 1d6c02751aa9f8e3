#include "formats/ptd/ptd.h"

#include <gtest/gtest.h>

#include "formats/pte/pte.h"
#include "formats/sample_test.h"

namespace etalon::formats::ptd {
namespace {

TEST(Ptd, holds_the_tensors_that_a_program_asks_for) {
  const auto file = sample("external.ptd");
  const auto data = decode(file.bytes());
  ASSERT_TRUE(data.ok()) << data.error().message();
  EXPECT_EQ(data->entries.size(), 4U);
  const auto program_file = sample("external.pte");
  const auto program = pte::decode(program_file.bytes());
  ASSERT_TRUE(program.ok());
  for (const pte::EValue& value : program->plans[0].values) {
    const auto* tensor = std::get_if<pte::Tensor>(&value);
    if (tensor == nullptr || !tensor->is_external()) continue;
    const Entry* entry = data->find(tensor->extra->fully_qualified_name);
    ASSERT_NE(entry, nullptr);
    EXPECT_EQ(entry->layout->sizes, tensor->sizes);
    EXPECT_EQ(entry->layout->dim_order, tensor->dim_order);
    EXPECT_EQ(entry->layout->dtype, tensor->dtype);
    EXPECT_EQ(entry->data.size(), *pte::tensor_nbytes(*tensor));
  }
  EXPECT_EQ(data->find("no such key"), nullptr);
}

TEST(Ptd, refuses_every_truncation) {
  const auto file = sample("external.ptd");
  expect_every_truncation_fails(file.bytes(), [](Bytes bytes) { return decode(bytes).ok(); });
}

TEST(Ptd, survives_every_byte_flip) {
  const auto file = sample("external.ptd");
  flip_every_byte(file.bytes(), [](Bytes bytes) { (void)decode(bytes).ok(); });
}

}  // namespace
}  // namespace etalon::formats::ptd

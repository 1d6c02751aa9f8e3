#include "formats/pt2/torch_save.h"

#include <gtest/gtest.h>

#include "formats/pt2/pt2.h"
#include "formats/sample_test.h"
#include "formats/zip/zip.h"

namespace etalon::formats::pt2 {
namespace {

std::vector<std::byte> archive_of(const std::vector<std::pair<std::string, Bytes>>& entries) {
  const std::string path = testing::TempDir() + "/etalon_torch_save.zip";
  auto file = FileWriter::create(path);
  EXPECT_TRUE(file.ok());
  zip::ZipWriter writer(*file);
  for (const auto& [name, content] : entries) EXPECT_TRUE(writer.add(name, content).ok());
  EXPECT_TRUE(writer.finish().ok());
  EXPECT_TRUE(file->commit().ok());
  return copy_of(MappedFile::open(path)->bytes());
}

Result<PyValue> read_pickle(std::string_view text) {
  return read_torch_save(archive_of({{"archive/data.pkl", as_byte_span(text)}}));
}

TEST(TorchSave, reads_tensors_numbers_and_containers) {
  const auto file = sample("misc.pt");
  auto value = read_torch_save(file.bytes());
  ASSERT_TRUE(value.ok()) << value.error().message();
  EXPECT_EQ(value->kind, PyValue::Kind::kTuple);
  const auto leaves = flatten(std::move(*value));
  ASSERT_EQ(leaves.size(), 12U);
  EXPECT_EQ(std::get<SavedTensor>(leaves[0]).dtype, 6);
  const auto& bytes = std::get<SavedTensor>(leaves[1]);
  EXPECT_EQ(bytes.dtype, 0);
  EXPECT_EQ(bytes.storage[2], std::byte{2});
  const auto& parameter = std::get<SavedTensor>(leaves[2]);
  EXPECT_TRUE(parameter.is_param);
  EXPECT_TRUE(parameter.requires_grad);
  EXPECT_EQ(parameter.dtype, 15);
  EXPECT_EQ(std::get<SavedTensor>(leaves[3]).dtype, 9);
  EXPECT_EQ(std::get<SavedTensor>(leaves[4]).dtype, 27);
  EXPECT_EQ(std::get<std::int64_t>(leaves[5]), 1);
  EXPECT_EQ(std::get<bool>(leaves[6]), true);
  EXPECT_TRUE(std::holds_alternative<PyNone>(leaves[7]));
  EXPECT_EQ(std::get<std::string>(leaves[8]), "s");
  EXPECT_EQ(std::get<double>(leaves[9]), 2.5);
  EXPECT_EQ(std::get<std::int64_t>(leaves[10]), -7);
  EXPECT_EQ(std::get<std::int64_t>(leaves[11]), std::int64_t{1} << 40);
}

TEST(TorchSave, is_used_for_archives_of_torch_2_8) {
  const auto newer = sample("tiny_cnn.pt2");
  const auto zip = zip::ZipReader::open(newer.bytes());
  ASSERT_TRUE(zip.ok());
  const auto weights = sample("weights.pt");
  const auto bytes = archive_of({{"m/models/model.json", zip->find("tiny_cnn/models/model.json")->stored},
                                 {"m/data/weights/model.pt", weights.bytes()}});
  const auto archive = decode(bytes);
  ASSERT_TRUE(archive.ok()) << archive.error().message();
  const auto expected = decode(newer.bytes());
  ASSERT_TRUE(expected.ok());
  ASSERT_EQ(archive->models[0].weights.size(), expected->models[0].weights.size());
  for (const auto& [name, tensor] : expected->models[0].weights) {
    const StoredTensor& found = archive->models[0].weights.at(name);
    EXPECT_EQ(found.sizes, tensor.sizes) << name;
    EXPECT_EQ(found.dtype, tensor.dtype) << name;
    EXPECT_EQ(copy_of(found.payload), copy_of(tensor.payload)) << name;
  }
}

TEST(TorchSave, never_runs_what_a_pickle_asks_for) {
  const auto value =
      read_pickle(std::string_view("\x80\x02"
                                   "cos\nsystem\nX\x02\x00\x00\x00ls\x85R.",
                                   24));
  ASSERT_FALSE(value.ok());
  EXPECT_EQ(value.error().code(), ErrorCode::kUnsupported);
  EXPECT_NE(value.error().message().find("os system"), std::string::npos) << value.error().message();
}

TEST(TorchSave, refuses_lists_that_contain_themselves) {
  const auto value =
      read_pickle(std::string_view("\x80\x02]q\x00h\x00"
                                   "a.",
                                   9));
  ASSERT_FALSE(value.ok());
  EXPECT_EQ(value.error().code(), ErrorCode::kResource);
}

TEST(TorchSave, refuses_pickles_that_unfold_without_end) {
  // Forty lists, each holding the one before twice.
  std::string text("\x80\x02]q\x00", 5);
  for (char i = 0; i < 40; ++i) text += std::string("]q") + char(i + 1) + "(h" + i + "h" + i + "e";
  const auto value = read_pickle(text + ".");
  ASSERT_FALSE(value.ok());
  EXPECT_EQ(value.error().code(), ErrorCode::kResource);
}

TEST(TorchSave, survives_truncation_and_byte_flips) {
  const auto file = sample("misc.pt");
  expect_every_truncation_fails(file.bytes(), [](Bytes bytes) { return read_torch_save(bytes).ok(); });
  flip_every_byte(file.bytes(), [](Bytes bytes) { (void)read_torch_save(bytes).ok(); });
}

}  // namespace
}  // namespace etalon::formats::pt2

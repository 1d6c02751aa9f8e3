#include "base/file.h"

#include <gtest/gtest.h>

namespace etalon {
namespace {

std::string temporary_path(const char* name) { return testing::TempDir() + name; }

TEST(File, write_then_map_gives_the_same_bytes) {
  const std::string path = temporary_path("etalon_file_test");
  ASSERT_TRUE(write_file(path, "hello").ok());
  const auto file = MappedFile::open(path);
  ASSERT_TRUE(file.ok());
  EXPECT_EQ(as_text(file->bytes()), "hello");
}

TEST(File, a_writer_that_is_not_committed_leaves_the_old_file) {
  const std::string path = temporary_path("etalon_file_keep");
  ASSERT_TRUE(write_file(path, "old").ok());
  {
    auto writer = FileWriter::create(path);
    ASSERT_TRUE(writer.ok());
    ASSERT_TRUE(writer->write("new").ok());
  }
  EXPECT_EQ(read_text_file(path).value(), "old");
}

TEST(File, errors_name_the_file_and_say_what_kind) {
  const auto missing = MappedFile::open("/nonexistent/file");
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().code(), ErrorCode::kNotFound);
  EXPECT_NE(missing.error().message().find("/nonexistent/file"), std::string::npos);
  EXPECT_EQ(MappedFile::open("/tmp").error().code(), ErrorCode::kInvalidInput);
}

TEST(File, a_full_disk_is_an_error_and_not_half_a_file) {
  if (!file_exists("/dev/full")) GTEST_SKIP() << "no /dev/full on this system";
  // A temporary beside /dev/full cannot be renamed over it; writing must fail first.
  auto writer = FileWriter::create("/dev/full/impossible");
  EXPECT_FALSE(writer.ok());
}

TEST(File, make_directories_makes_every_level) {
  const std::string path = temporary_path("etalon_dirs/a/b/c");
  ASSERT_TRUE(make_directories(path).ok());
  EXPECT_TRUE(file_exists(path));
  EXPECT_TRUE(make_directories(path).ok());
}

TEST(Bytes, slices_outside_the_bytes_are_nothing) {
  const Bytes bytes = as_byte_span("abcd");
  EXPECT_EQ(as_text(*slice(bytes, 1, 2)), "bc");
  EXPECT_FALSE(slice(bytes, 3, 2));
  EXPECT_FALSE(slice(bytes, ~std::uint64_t{0}, 2));
  EXPECT_EQ(read_le<std::uint16_t>(bytes, 0).value(), 0x6261);
  EXPECT_FALSE(read_le<std::uint32_t>(bytes, 1));
}

}  // namespace
}  // namespace etalon

#include "backends/native/prepacked_cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace etalon::native {
namespace {

using ::testing::HasSubstr;

class PrepackedCacheTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::path(::testing::TempDir()) /
              ("etalon_prepacked_" + std::to_string(::testing::UnitTest::GetInstance()->random_seed()) +
               ::testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::create_directories(folder_);
    ASSERT_TRUE(write_file(program_path(), program_).ok());
    ASSERT_TRUE(write().ok());
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string program_path() const { return (folder_ / "model.pte").string(); }
  std::string path() const { return program_path() + ".prepacked"; }
  Status write() {
    return write_prepacked(path(), *identity_of(program_path()), as_byte_span(program_), "avx512",
                           {{"conv 1", as_byte_span(first_)}, {"conv 2", as_byte_span(second_)}});
  }
  Result<PrepackedCache> open(std::string_view configuration = "avx512") {
    return PrepackedCache::open(path(), *identity_of(program_path()), as_byte_span(program_), configuration);
  }
  void overwrite(std::streamoff offset, char byte) {
    std::fstream file(path(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(offset);
    file.put(byte);
  }

  std::filesystem::path folder_;
  std::string program_ = "a program";
  std::string first_ = std::string(1000, 'x');
  std::string second_ = std::string(77, 'y');
};

TEST_F(PrepackedCacheTest, GivesBackWhatWasWritten) {
  const auto cache = open();
  ASSERT_TRUE(cache.ok()) << cache.error().message();
  const auto found = cache->find("conv 2", 77);
  ASSERT_TRUE(found);
  EXPECT_EQ(as_text(*found), second_);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(found->data()) % 64, 0u);
  EXPECT_FALSE(cache->find("conv 2", 78));
  EXPECT_FALSE(cache->find("conv 3", 77));
}

TEST_F(PrepackedCacheTest, IsStaleForAnotherConfiguration) {
  const auto cache = open("avx2");
  ASSERT_FALSE(cache.ok());
  EXPECT_THAT(cache.error().message(), HasSubstr("another instruction set"));
}

TEST_F(PrepackedCacheTest, IsStaleWhenTheProgramChanged) {
  program_ = "a prograM";
  ASSERT_TRUE(write_file(program_path(), program_).ok());
  std::filesystem::last_write_time(program_path(), std::filesystem::file_time_type::clock::now() + std::chrono::hours(1));
  const auto cache = open();
  ASSERT_FALSE(cache.ok());
  EXPECT_THAT(cache.error().message(), HasSubstr("has changed"));
}

TEST_F(PrepackedCacheTest, FitsACopyOfTheProgram) {
  std::filesystem::last_write_time(program_path(), std::filesystem::file_time_type::clock::now() + std::chrono::hours(1));
  EXPECT_TRUE(open().ok());
}

TEST_F(PrepackedCacheTest, RefusesDamagedData) {
  const auto size = static_cast<std::streamoff>(std::filesystem::file_size(path()));
  overwrite(size - 128, 'z');  // inside the second entry
  const auto cache = open();
  ASSERT_TRUE(cache.ok());
  EXPECT_FALSE(cache->find("conv 2", 77));
  EXPECT_TRUE(cache->find("conv 1", 1000));
}

TEST_F(PrepackedCacheTest, RefusesEveryTruncationAndEveryDamagedByteOfItsHeadAndIndex) {
  std::ifstream in(path(), std::ios::binary);
  const std::string whole((std::istreambuf_iterator<char>(in)), {});
  for (std::size_t length = 0; length < whole.size(); length += 13) {
    ASSERT_TRUE(write_file(path(), std::string_view(whole).substr(0, length)).ok());
    EXPECT_FALSE(open().ok()) << length;
  }
  for (std::size_t at = 0; at < 72 + 2 * 34; ++at) {
    if (at >= 16 && at < 24) continue;  // the time of change alone: the hash decides
    if (at >= 24 && at < 32) continue;  // the hash: only looked at when the time does not fit
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x55);
    ASSERT_TRUE(write_file(path(), damaged).ok());
    EXPECT_FALSE(open().ok()) << at;
  }
}

}  // namespace
}  // namespace etalon::native

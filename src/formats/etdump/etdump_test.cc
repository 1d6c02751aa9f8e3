#include "formats/etdump/etdump.h"

#include <gtest/gtest.h>

#include "etdump_generated.h"
#include "fmt/format.h"
#include "formats/etdump/view.h"
#include "formats/sample_test.h"

namespace etalon::formats::etdump {
namespace {

const ProfileEvent* find_event(const RunData& run, std::string_view name) {
  for (const Event& event : run.events) {
    const auto* profile = std::get_if<ProfileEvent>(&event);
    if (profile != nullptr && (profile->name == name || profile->delegate_debug_name == name)) return profile;
  }
  return nullptr;
}

EtDump small_dump() {
  ProfileEvent load{
      .name = "Method::init", .chain_index = -1, .instruction_id = 0, .start_time = 5, .end_time = 9};
  ProfileEvent part{
      .instruction_id = 3, .delegate_debug_name = "Add (ND) #1", .start_time = 12, .end_time = 14};
  part.delegate_metadata.emplace();
  ProfileEvent whole{
      .name = "Method::execute", .chain_index = -1, .instruction_id = 0, .start_time = 10, .end_time = 20};
  DebugEvent debug{.chain_index = ~std::uint64_t{0}, .instruction_id = 0};
  debug.value = {Tensor{6, {1, 4}, {4, 1}, 64}, true};
  EtDump out;
  out.runs = {{"Default", -1, {}, {load}}, {"Execute", -1, {}, {part, whole, debug}}};
  return out;
}

// Events as text, so that the two ways of reading can be held against each other.
std::string text_of(const ProfileEventView& event) {
  return fmt::format("{}|{}|{}|{}|{}|{}|{}|{}", event.name, event.delegate_debug_name, event.chain_index, event.instruction_id,
                     event.delegate_debug_id, event.start_time, event.end_time,
                     event.delegate_metadata ? static_cast<int>(event.delegate_metadata->size()) : -1);
}

TEST(EtDumpView, gives_the_profile_events_that_decode_gives) {
  for (const char* name : {"tiny_portable.etdump", "tiny_xnnpack.etdump"}) {
    const auto file = sample(name);
    const auto dump = decode(file.bytes());
    const auto view = EtDumpView::open(file.bytes());
    ASSERT_TRUE(dump.ok() && view.ok());
    ASSERT_EQ(view->run_count(), dump->runs.size());
    std::vector<ProfileEventView> events;
    for (std::size_t run = 0; run < view->run_count(); ++run) {
      EXPECT_EQ(view->run_name(run), dump->runs[run].name);
      ASSERT_TRUE(view->read_events(run, events).ok());
      std::vector<std::string> seen, wanted;
      for (const ProfileEventView& event : events) seen.push_back(text_of(event));
      for (const Event& event : dump->runs[run].events) {
        if (const auto* profile = std::get_if<ProfileEvent>(&event)) wanted.push_back(text_of(view_of(*profile)));
      }
      EXPECT_EQ(seen, wanted);
      EXPECT_FALSE(wanted.empty());
    }
  }
}

TEST(EtDumpView, refuses_damaged_files_and_leaves_out_other_events) {
  const auto bytes = encode(small_dump());
  ASSERT_TRUE(bytes.ok());
  const auto view = EtDumpView::open(*bytes);
  ASSERT_TRUE(view.ok());
  std::vector<ProfileEventView> events;
  ASSERT_TRUE(view->read_events(1, events).ok());
  EXPECT_EQ(events.size(), 2U);
  EXPECT_FALSE(EtDumpView::open(Bytes(*bytes).first(bytes->size() / 2)).ok());
  EXPECT_FALSE(EtDumpView::open({}).ok());
}

TEST(EtDump, reads_events_of_kernels) {
  const auto file = sample("tiny_portable.etdump");
  const auto dump = decode(file.bytes());
  ASSERT_TRUE(dump.ok()) << dump.error().message();
  ASSERT_EQ(dump->runs.size(), 3U);
  EXPECT_EQ(dump->runs[0].name, "Default");
  EXPECT_EQ(dump->runs[1].name, "Execute");
  EXPECT_NE(find_event(dump->runs[0], "Program::load_method"), nullptr);
  const ProfileEvent* kernel = find_event(dump->runs[2], "native_call_convolution.out");
  ASSERT_NE(kernel, nullptr);
  EXPECT_EQ(kernel->chain_index, 0);
  EXPECT_EQ(kernel->instruction_id, 0);
  EXPECT_GE(kernel->end_time, kernel->start_time);
  EXPECT_FALSE(kernel->is_delegate_event());
  EXPECT_FALSE(kernel->delegate_metadata.has_value());
  const ProfileEvent* whole = find_event(dump->runs[2], "Method::execute");
  ASSERT_NE(whole, nullptr);
  EXPECT_EQ(whole->chain_index, -1);
}

TEST(EtDump, reads_events_of_delegates) {
  const auto file = sample("tiny_xnnpack.etdump");
  const auto dump = decode(file.bytes());
  ASSERT_TRUE(dump.ok()) << dump.error().message();
  int delegated = 0;
  for (const Event& event : dump->runs[1].events) {
    const auto* profile = std::get_if<ProfileEvent>(&event);
    if (profile == nullptr || !profile->is_delegate_event()) continue;
    EXPECT_TRUE(profile->name.empty());
    EXPECT_TRUE(profile->delegate_metadata.has_value());
    ++delegated;
  }
  EXPECT_GT(delegated, 3);
}

TEST(EtDump, reads_back_what_it_writes) {
  const auto bytes = encode(small_dump());
  ASSERT_TRUE(bytes.ok()) << bytes.error().message();
  EXPECT_EQ(read_le<std::uint32_t>(*bytes, 0), bytes->size() - 4);
  EXPECT_EQ(as_text(Bytes(*bytes).subspan(8, 4)), "ED00");
  const auto dump = decode(*bytes);
  ASSERT_TRUE(dump.ok()) << dump.error().message();
  ASSERT_EQ(dump->runs.size(), 2U);
  const ProfileEvent* part = find_event(dump->runs[1], "Add (ND) #1");
  ASSERT_NE(part, nullptr);
  EXPECT_EQ(part->instruction_id, 3);
  EXPECT_EQ(part->delegate_debug_id, -1);
  EXPECT_EQ(part->end_time, 14U);
  EXPECT_TRUE(part->delegate_metadata.has_value());
  EXPECT_EQ(find_event(dump->runs[1], "Method::execute")->chain_index, -1);
  const auto& debug = std::get<DebugEvent>(dump->runs[1].events[2]);
  EXPECT_TRUE(debug.value.is_output);
  EXPECT_EQ(debug.chain_index, ~std::uint64_t{0});
  EXPECT_EQ(std::get<Tensor>(debug.value.payload).sizes, (std::vector<std::int64_t>{1, 4}));
}

TEST(EtDump, writes_every_kind_of_value_back) {
  const std::vector<Payload> payloads = {
      None{}, std::int64_t{-5}, true, 1.5F, 2.5, std::vector<Tensor>{{6, {2}, {1}, 0}, {4, {}, {}, 8}}};
  EtDump dump;
  dump.runs.resize(1);
  for (const Payload& payload : payloads)
    dump.runs[0].events.push_back(DebugEvent{.value = {payload, false}});
  const auto bytes = encode(dump);
  ASSERT_TRUE(bytes.ok()) << bytes.error().message();
  const auto back = decode(*bytes);
  ASSERT_TRUE(back.ok()) << back.error().message();
  for (std::size_t i = 0; i < payloads.size(); ++i) {
    EXPECT_EQ(std::get<DebugEvent>(back->runs[0].events[i]).value.payload.index(), payloads[i].index());
  }
}

TEST(EtDump, leaves_out_an_empty_event_list) {
  EtDump dump;
  dump.runs = {{"Default", -1, {}, {}}};
  const auto bytes = encode(dump);
  ASSERT_TRUE(bytes.ok());
  const auto back = decode(*bytes);
  ASSERT_TRUE(back.ok());
  EXPECT_TRUE(back->runs[0].events.empty());
}

TEST(EtDump, accepts_a_wrong_prefix) {
  auto bytes = *encode(small_dump());
  bytes[0] = std::byte{0xee};
  EXPECT_TRUE(decode(bytes).ok());
}

TEST(EtDump, accepts_a_file_without_prefix) {
  flatbuffers::FlatBufferBuilder builder;
  const auto run = fb::etdump::CreateRunData(builder, builder.CreateString("Default"));
  const auto runs = builder.CreateVector(std::vector{run});
  fb::etdump::FinishETDumpBuffer(builder, fb::etdump::CreateETDump(builder, 0, runs));
  const auto dump =
      decode({reinterpret_cast<const std::byte*>(builder.GetBufferPointer()), builder.GetSize()});
  ASSERT_TRUE(dump.ok()) << dump.error().message();
  EXPECT_EQ(dump->runs[0].name, "Default");
  EXPECT_EQ(dump->runs[0].bundled_input_index, -1);
}

TEST(EtDump, refuses_to_write_what_inspector_cannot_read) {
  EtDump dump;
  dump.runs.resize(1);
  dump.runs[0].events = {AllocationEvent{}};
  EXPECT_FALSE(encode(dump).ok());
  dump.runs[0].events = {ProfileEvent{.delegate_debug_id = 1, .delegate_debug_name = "x"}};
  EXPECT_FALSE(encode(dump).ok());
}

TEST(EtDump, survives_truncation_and_byte_flips) {
  for (const char* name : {"tiny_portable.etdump", "tiny_xnnpack.etdump"}) {
    const auto file = sample(name);
    const auto read = [](Bytes bytes) { (void)decode(bytes).ok(); };
    flip_every_byte(file.bytes(), read);
    for (std::size_t size = 0; size < file.bytes().size(); ++size) read(copy_of(file.bytes().first(size)));
  }
}

}  // namespace
}  // namespace etalon::formats::etdump

#include "trace/etdump_recorder.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace etalon::trace {
namespace {

namespace names = runtime::event_names;
using formats::etdump::ProfileEvent;

const ProfileEvent& event(const formats::etdump::EtDump& dump, std::size_t run, std::size_t i) {
  return std::get<ProfileEvent>(dump.runs.at(run).events.at(i));
}

EtdumpRecorder recorded_model() {
  EtdumpRecorder recorder;
  recorder.begin_block(names::kDefaultBlock);
  recorder.record({names::kInit, -1, 0, 1000, 1500});
  recorder.record({names::kLoadMethod, -1, 0, 1000, 1600});
  for (std::uint64_t run = 0; run < 2; ++run) {
    const std::uint64_t t = 2000 + run * 1000;
    recorder.begin_block(names::kExecuteBlock);
    recorder.record({"native_call_add.out", 0, 0, t + 20, t + 80});
    recorder.record({names::kOperatorCall, 0, 0, t + 10, t + 90});
    recorder.record({"Add (ND) #1", 0, 1, t + 110, t + 120, true});
    recorder.record({names::kDelegateCall, 0, 1, t + 100, t + 190});
    recorder.record({names::kExecute, -1, 0, t, t + 200});
  }
  return recorder;
}

TEST(EtdumpRecorder, keeps_one_block_per_run_in_the_order_in_which_events_ended) {
  const auto dump = recorded_model().dump();
  ASSERT_EQ(dump.runs.size(), 3u);
  EXPECT_EQ(dump.runs[0].name, "Default");
  EXPECT_EQ(dump.runs[2].name, "Execute");
  ASSERT_EQ(dump.runs[1].events.size(), 5u);
  EXPECT_EQ(event(dump, 1, 0).name, "native_call_add.out");
  EXPECT_EQ(event(dump, 1, 4).name, "Method::execute");
}

TEST(EtdumpRecorder, gives_methods_no_chain_and_instructions_their_number) {
  const auto dump = recorded_model().dump();
  EXPECT_EQ(event(dump, 0, 0).chain_index, -1);
  EXPECT_EQ(event(dump, 0, 0).instruction_id, 0);
  EXPECT_EQ(event(dump, 1, 3).chain_index, 0);
  EXPECT_EQ(event(dump, 1, 3).instruction_id, 1);
}

TEST(EtdumpRecorder, names_delegate_events_by_their_own_name_only) {
  const auto dump = recorded_model().dump();
  const ProfileEvent& inner = event(dump, 1, 2);
  EXPECT_TRUE(inner.is_delegate_event());
  EXPECT_TRUE(inner.name.empty());
  EXPECT_EQ(inner.delegate_debug_name, "Add (ND) #1");
  EXPECT_TRUE(inner.delegate_metadata.has_value());
  EXPECT_FALSE(event(dump, 1, 3).delegate_metadata.has_value());
}

TEST(EtdumpRecorder, counts_time_from_the_first_event) {
  const auto dump = recorded_model().dump();
  EXPECT_EQ(event(dump, 0, 0).start_time, 0u);
  EXPECT_EQ(event(dump, 0, 1).end_time, 600u);
  EXPECT_EQ(event(dump, 2, 4).end_time - event(dump, 2, 4).start_time, 200u);
}

TEST(EtdumpRecorder, what_it_writes_is_read_back) {
  const auto bytes = formats::etdump::encode(recorded_model().dump());
  ASSERT_TRUE(bytes.ok()) << bytes.error().message();
  const auto back = formats::etdump::decode(Bytes(*bytes));
  ASSERT_TRUE(back.ok()) << back.error().message();
  ASSERT_EQ(back->runs.size(), 3u);
  EXPECT_EQ(event(*back, 1, 2).delegate_debug_name, "Add (ND) #1");
  EXPECT_EQ(event(*back, 0, 1).chain_index, -1);
}

TEST(EtdumpRecorder, loses_nothing_when_a_run_has_more_events_than_guessed) {
  EtdumpRecorder recorder(runtime::TraceDetail::kInstructions, 2);
  recorder.begin_block(names::kExecuteBlock);
  for (int i = 0; i < 100; ++i) recorder.record({names::kMove, 0, i, 1, 2});
  EXPECT_EQ(recorder.event_count(), 100u);
  EXPECT_EQ(event(recorder.dump(), 0, 99).instruction_id, 99);
}

TEST(EtdumpRecorder, an_empty_recording_is_an_empty_dump) {
  EXPECT_TRUE(EtdumpRecorder().dump().runs.empty());
  EXPECT_FALSE(EtdumpRecorder().write("/nonexistent/folder/x.etdump").ok());
}

}  // namespace
}  // namespace etalon::trace

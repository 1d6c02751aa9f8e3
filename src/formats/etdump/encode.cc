#include "etdump_generated.h"
#include "fmt/format.h"
#include "formats/etdump/etdump.h"

namespace etalon::formats::etdump {
namespace {

using flatbuffers::FlatBufferBuilder;
using flatbuffers::Offset;

class Encoder {
 public:
  Result<std::vector<std::byte>> run(const EtDump& dump) {
    std::vector<Offset<fb::etdump::RunData>> runs;
    for (std::size_t i = 0; i < dump.runs.size(); ++i) {
      ETALON_TRY(const auto offset, run_data(dump.runs[i]), fmt::format("run {} '{}'", i, dump.runs[i].name));
      runs.push_back(offset);
    }
    const auto list = builder_.CreateVector(runs);
    const auto root = fb::etdump::CreateETDump(builder_, dump.version, list);
    builder_.FinishSizePrefixed(root, fb::etdump::ETDumpIdentifier());
    const auto* begin = reinterpret_cast<const std::byte*>(builder_.GetBufferPointer());
    return std::vector<std::byte>(begin, begin + builder_.GetSize());
  }

 private:
  // Half of what a flatbuffer can hold, so that one more event never reaches its end, which it does not
  // survive.
  static constexpr flatbuffers::uoffset_t kMaxSize = flatbuffers::uoffset_t{1} << 30;

  // Null, not an empty string, where nothing is set: that is how the runtime leaves them.
  Offset<flatbuffers::String> text(const std::string& value) {
    return value.empty() ? Offset<flatbuffers::String>() : builder_.CreateSharedString(value);
  }

  Result<Offset<fb::etdump::RunData>> run_data(const RunData& run) {
    std::vector<Offset<fb::etdump::Event>> events;
    events.reserve(run.events.size());
    for (const Event& event : run.events) {
      if (builder_.GetSize() > kMaxSize)
        return resource_error("the events take more than 1 GiB, record fewer runs");
      ETALON_TRY(const auto offset, std::visit([&](const auto& item) { return encode(item); }, event),
                 fmt::format("event {}", events.size()));
      events.push_back(offset);
    }
    const auto name = builder_.CreateSharedString(run.name);
    Offset<flatbuffers::Vector<Offset<fb::etdump::Event>>> event_list;
    if (!events.empty()) event_list = builder_.CreateVector(events);
    Offset<flatbuffers::Vector<Offset<fb::etdump::Allocator>>> allocators;
    if (!run.allocators.empty()) allocators = allocator_list(run);
    return fb::etdump::CreateRunData(builder_, name, run.bundled_input_index, allocators, event_list);
  }

  Offset<flatbuffers::Vector<Offset<fb::etdump::Allocator>>> allocator_list(const RunData& run) {
    std::vector<Offset<fb::etdump::Allocator>> out;
    for (const std::string& name : run.allocators) {
      out.push_back(fb::etdump::CreateAllocator(builder_, builder_.CreateSharedString(name)));
    }
    return builder_.CreateVector(out);
  }

  template <class Item>
  static Status check_ids(const Item& item) {
    if (item.delegate_debug_id == -1 || item.delegate_debug_name.empty()) return {};
    return invalid_input(fmt::format("the delegate event has both number {} and name '{}', want one of them",
                                     item.delegate_debug_id, item.delegate_debug_name));
  }

  Result<Offset<fb::etdump::Event>> encode(const ProfileEvent& event) {
    ETALON_CHECKED(check_ids(event));
    const auto name = text(event.name);
    const auto delegate_name = text(event.delegate_debug_name);
    Offset<flatbuffers::Vector<std::uint8_t>> metadata;
    if (event.delegate_metadata) {
      const auto* bytes = reinterpret_cast<const std::uint8_t*>(event.delegate_metadata->data());
      metadata = builder_.CreateVector(bytes, event.delegate_metadata->size());
    }
    const auto out = fb::etdump::CreateProfileEvent(builder_, name, event.chain_index, event.instruction_id,
                                                    event.delegate_debug_id, delegate_name, metadata,
                                                    event.start_time, event.end_time);
    return fb::etdump::CreateEvent(builder_, out);
  }

  Result<Offset<fb::etdump::Event>> encode(const AllocationEvent&) {
    return invalid_input("allocation events cannot be opened by Inspector, leave them out");
  }

  Result<Offset<fb::etdump::Event>> encode(const DebugEvent& event) {
    ETALON_CHECKED(check_ids(event));
    const auto name = text(event.name);
    const auto delegate_name = text(event.delegate_debug_name);
    ETALON_TRY(const auto content, value(event.value));
    const auto out = fb::etdump::CreateDebugEvent(builder_, event.chain_index, event.instruction_id, content,
                                                  event.delegate_debug_id, delegate_name, name);
    return fb::etdump::CreateEvent(builder_, 0, 0, out);
  }

  Offset<fb::etdump::Tensor> tensor(const Tensor& item) {
    const auto sizes = builder_.CreateVector(item.sizes);
    const auto strides = builder_.CreateVector(item.strides);
    return fb::etdump::CreateTensor(builder_, item.dtype, sizes, strides, item.offset);
  }

  Result<Offset<fb::etdump::Value>> value(const Value& item) {
    using Type = fb::etdump::ValueType;
    Type type = Type::Null;
    Offset<fb::etdump::Tensor> one;
    Offset<fb::etdump::TensorList> many;
    Offset<fb::etdump::Int> number;
    Offset<fb::etdump::Float> single;
    Offset<fb::etdump::Double> wide;
    Offset<fb::etdump::Bool> flag;
    if (const auto* v = std::get_if<std::int64_t>(&item.payload)) {
      type = Type::Int;
      number = fb::etdump::CreateInt(builder_, *v);
    } else if (const auto* b = std::get_if<bool>(&item.payload)) {
      type = Type::Bool;
      flag = fb::etdump::CreateBool(builder_, *b);
    } else if (const auto* f = std::get_if<float>(&item.payload)) {
      type = Type::Float;
      single = fb::etdump::CreateFloat(builder_, *f);
    } else if (const auto* d = std::get_if<double>(&item.payload)) {
      type = Type::Double;
      wide = fb::etdump::CreateDouble(builder_, *d);
    } else if (const auto* t = std::get_if<Tensor>(&item.payload)) {
      type = Type::Tensor;
      one = tensor(*t);
    } else if (const auto* list = std::get_if<std::vector<Tensor>>(&item.payload)) {
      type = Type::TensorList;
      many = tensor_list(*list);
    } else if (std::holds_alternative<Text>(item.payload)) {
      return unsupported("the format has no place for strings");
    }
    Offset<fb::etdump::Bool> output;
    if (item.is_output) output = fb::etdump::CreateBool(builder_, true);
    return fb::etdump::CreateValue(builder_, type, one, many, number, single, wide, flag, output);
  }

  Offset<fb::etdump::TensorList> tensor_list(const std::vector<Tensor>& items) {
    std::vector<Offset<fb::etdump::Tensor>> out;
    for (const Tensor& item : items) out.push_back(tensor(item));
    return fb::etdump::CreateTensorList(builder_, builder_.CreateVector(out));
  }

  FlatBufferBuilder builder_;
};

}  // namespace

Result<std::vector<std::byte>> encode(const EtDump& dump) { return Encoder().run(dump); }

}  // namespace etalon::formats::etdump

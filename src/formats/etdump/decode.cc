#include "formats/etdump/etdump.h"
#include "formats/etdump/verified_root.h"

namespace etalon::formats::etdump {
namespace {

Result<Tensor> decode_tensor(TableReader& reader, const fb::etdump::Tensor& table) {
  Tensor out;
  out.dtype = table.scalar_type();
  ETALON_TRY(out.sizes, reader.optional_numbers(table.sizes()));
  ETALON_TRY(out.strides, reader.optional_numbers(table.strides()));
  out.offset = table.offset();
  return out;
}

template <class Table>
Result<const Table*> present(const Table* table, std::string_view what) {
  if (table == nullptr) return TableReader::missing(what);
  return table;
}

Result<Payload> decode_payload(TableReader& reader, const fb::etdump::Value& table) {
  using Type = fb::etdump::ValueType;
  switch (table.val()) {
    case Type::Null:
      return Payload(None{});
    case Type::Int: {
      ETALON_TRY(const auto* content, present(table.int_value(), "int value"));
      return Payload(content->int_val());
    }
    case Type::Bool: {
      ETALON_TRY(const auto* content, present(table.bool_value(), "bool value"));
      return Payload(content->bool_val());
    }
    case Type::Float: {
      ETALON_TRY(const auto* content, present(table.float_value(), "float value"));
      return Payload(content->float_val());
    }
    case Type::Double: {
      ETALON_TRY(const auto* content, present(table.double_value(), "double value"));
      return Payload(content->double_val());
    }
    case Type::Tensor: {
      ETALON_TRY(const auto* content, present(table.tensor(), "tensor"));
      ETALON_TRY(Tensor tensor, decode_tensor(reader, *content));
      return Payload(std::move(tensor));
    }
    case Type::TensorList: {
      ETALON_TRY(const auto* content, present(table.tensor_list(), "tensor list"));
      ETALON_TRY(auto tensors, reader.tables<Tensor>(content->tensors(), "tensor", [&](const auto& item) {
        return decode_tensor(reader, item);
      }));
      return Payload(std::move(tensors));
    }
    case Type::String:
      return Payload(Text{});  // the schema has no field for it
  }
  return invalid_input(fmt::format("unknown kind of value {}", static_cast<int>(table.val())));
}

Result<ProfileEvent> decode_profile(TableReader& reader, const fb::etdump::ProfileEvent& table) {
  ProfileEvent out;
  ETALON_TRY(out.name, reader.optional_text(table.name()));
  out.chain_index = table.chain_index();
  out.instruction_id = table.instruction_id();
  out.delegate_debug_id = table.delegate_debug_id_int();
  ETALON_TRY(out.delegate_debug_name, reader.optional_text(table.delegate_debug_id_str()));
  if (table.delegate_debug_metadata() != nullptr) {
    ETALON_TRY(out.delegate_metadata, reader.optional_bytes(table.delegate_debug_metadata()));
  }
  out.start_time = table.start_time();
  out.end_time = table.end_time();
  return out;
}

Result<DebugEvent> decode_debug(TableReader& reader, const fb::etdump::DebugEvent& table) {
  DebugEvent out;
  ETALON_TRY(out.name, reader.optional_text(table.name()));
  out.chain_index = table.chain_index();
  out.instruction_id = table.instruction_id();
  out.delegate_debug_id = table.delegate_debug_id_int();
  ETALON_TRY(out.delegate_debug_name, reader.optional_text(table.delegate_debug_id_str()));
  if (const auto* entry = table.debug_entry()) {
    ETALON_TRY(out.value.payload, decode_payload(reader, *entry));
    out.value.is_output = entry->output() != nullptr && entry->output()->bool_val();
  }
  return out;
}

Result<Event> decode_event(TableReader& reader, const fb::etdump::Event& table) {
  if (const auto* profile = table.profile_event()) {
    ETALON_TRY(ProfileEvent out, decode_profile(reader, *profile));
    return Event(std::move(out));
  }
  if (const auto* allocation = table.allocation_event()) {
    return Event(AllocationEvent{allocation->allocator_id(), allocation->allocation_size()});
  }
  if (const auto* debug = table.debug_event()) {
    ETALON_TRY(DebugEvent out, decode_debug(reader, *debug));
    return Event(std::move(out));
  }
  return invalid_input("neither a profile, an allocation nor a debug event");
}

Result<RunData> decode_run(TableReader& reader, const fb::etdump::RunData& table) {
  RunData out;
  ETALON_TRY(out.name, reader.optional_text(table.name()));
  out.bundled_input_index = table.bundled_input_index();
  ETALON_TRY(out.allocators,
             reader.tables<std::string>(table.allocators(), "allocator",
                                        [&](const auto& item) { return reader.optional_text(item.name()); }));
  ETALON_TRY(out.events, reader.tables<Event>(table.events(), "event",
                                              [&](const auto& item) { return decode_event(reader, item); }));
  return out;
}

}  // namespace

Result<EtDump> decode(Bytes file) {
  const AlignedFlatbuffer buffer(file);
  ETALON_TRY(const auto* table, verified_root(file, buffer));
  TableReader reader(file.size());
  EtDump out;
  out.version = table->version();
  ETALON_TRY(out.runs, reader.tables<RunData>(table->run_data(), "run",
                                              [&](const auto& item) { return decode_run(reader, item); }));
  return out;
}

}  // namespace etalon::formats::etdump

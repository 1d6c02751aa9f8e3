#include "formats/pte/decode_plan.h"

namespace etalon::formats::pte {
namespace {

template <class T>
Result<EValue> as_value(Result<std::vector<T>> items, auto make) {
  if (!items.ok()) return items.take_error();
  return EValue(make(std::move(items).value()));
}

ExtraTensorInfo decode_extra(const fb::pte::ExtraTensorInfo& table, std::string name) {
  ExtraTensorInfo out;
  out.mutable_data_segments_idx = table.mutable_data_segments_idx();
  out.fully_qualified_name = std::move(name);
  out.location = table.location() == 1 ? TensorDataLocation::kExternal : TensorDataLocation::kSegment;
  out.device_type = table.device_type();
  out.device_index = table.device_index();
  return out;
}

Result<Tensor> decode_tensor(TableReader& reader, const fb::pte::Tensor& table) {
  if (table.storage_offset() != 0) {
    return unsupported(fmt::format("storage offset is {}, want 0", table.storage_offset()));
  }
  if (table.shape_dynamism() < 0 || table.shape_dynamism() > 2) {
    return invalid_input(fmt::format("unknown shape dynamism {}", table.shape_dynamism()));
  }
  Tensor out;
  out.dtype = table.scalar_type();
  out.layout = table.layout();
  out.requires_grad = table.requires_grad();
  out.dynamism = static_cast<ShapeDynamism>(table.shape_dynamism());
  ETALON_TRY(out.sizes, reader.numbers(table.sizes(), "sizes"));
  ETALON_TRY(out.dim_order, reader.numbers(table.dim_order(), "dim order"));
  out.data_buffer_idx = table.data_buffer_idx();
  if (const auto* place = table.allocation_info()) {
    const std::uint64_t high = place->memory_offset_high();
    out.allocation = Allocation{place->memory_id(), high << 32 | place->memory_offset_low()};
  }
  if (const auto* extra = table.extra_tensor_info()) {
    if (extra->location() < 0 || extra->location() > 1) {
      return invalid_input(fmt::format("unknown data location {}", extra->location()));
    }
    ETALON_TRY(auto name, reader.optional_text(extra->fully_qualified_name()));
    out.extra = decode_extra(*extra, std::move(name));
    if (out.is_external() && out.extra->fully_qualified_name.empty()) {
      return invalid_input("an external tensor has no name to look it up by");
    }
  }
  return out;
}

Result<EValue> decode_value(TableReader& reader, const fb::pte::EValue& table) {
  using Tag = fb::pte::KernelTypes;
  if (table.val_type() == Tag::Null) return EValue(Null{});
  if (table.val() == nullptr) return TableReader::missing("content");
  switch (table.val_type()) {
    case Tag::Int:
      return EValue(Int{table.val_as_Int()->int_val()});
    case Tag::Bool:
      return EValue(Bool{table.val_as_Bool()->bool_val()});
    case Tag::Double:
      return EValue(Double{table.val_as_Double()->double_val()});
    case Tag::Tensor: {
      ETALON_TRY(auto tensor, decode_tensor(reader, *table.val_as_Tensor()));
      return EValue(std::move(tensor));
    }
    case Tag::String: {
      ETALON_TRY(auto text, reader.text(table.val_as_String()->string_val(), "string"));
      return EValue(String{std::move(text)});
    }
    case Tag::IntList:
      return as_value(reader.numbers(table.val_as_IntList()->items(), "int list"),
                      [](auto items) { return IntList{std::move(items)}; });
    case Tag::DoubleList:
      return as_value(reader.numbers(table.val_as_DoubleList()->items(), "double list"),
                      [](auto items) { return DoubleList{std::move(items)}; });
    case Tag::BoolList:
      return as_value(reader.numbers(table.val_as_BoolList()->items(), "bool list"),
                      [](auto items) { return BoolList{std::move(items)}; });
    case Tag::TensorList:
      return as_value(reader.numbers(table.val_as_TensorList()->items(), "tensor list"),
                      [](auto items) { return TensorList{std::move(items)}; });
    case Tag::OptionalTensorList:
      return as_value(reader.numbers(table.val_as_OptionalTensorList()->items(), "optional tensor list"),
                      [](auto items) { return OptionalTensorList{std::move(items)}; });
    default:
      break;
  }
  return invalid_input(fmt::format("unknown kind of value {}", static_cast<int>(table.val_type())));
}

Result<Instruction> decode_instruction(TableReader& reader, const fb::pte::Instruction& table) {
  using Tag = fb::pte::InstructionArguments;
  if (table.instr_args() == nullptr) return TableReader::missing("content");
  switch (table.instr_args_type()) {
    case Tag::KernelCall: {
      const auto& call = *table.instr_args_as_KernelCall();
      ETALON_TRY(auto args, reader.numbers(call.args(), "argument list"));
      return Instruction(KernelCall{call.op_index(), std::move(args)});
    }
    case Tag::DelegateCall: {
      const auto& call = *table.instr_args_as_DelegateCall();
      ETALON_TRY(auto args, reader.numbers(call.args(), "argument list"));
      return Instruction(DelegateCall{call.delegate_index(), std::move(args)});
    }
    case Tag::MoveCall: {
      const auto& call = *table.instr_args_as_MoveCall();
      return Instruction(MoveCall{call.move_from(), call.move_to()});
    }
    case Tag::JumpFalseCall: {
      const auto& call = *table.instr_args_as_JumpFalseCall();
      return Instruction(JumpFalseCall{call.cond_value_index(), call.destination_instruction()});
    }
    case Tag::FreeCall:
      return Instruction(FreeCall{table.instr_args_as_FreeCall()->value_index()});
    default:
      break;
  }
  return invalid_input(
      fmt::format("unknown kind of instruction {}", static_cast<int>(table.instr_args_type())));
}

Result<Frame> decode_frame(TableReader& reader, const fb::pte::Frame& table) {
  Frame out;
  ETALON_TRY(out.filename, reader.optional_text(table.filename()));
  out.line = table.lineno();
  ETALON_TRY(out.name, reader.optional_text(table.name()));
  ETALON_TRY(out.context, reader.optional_text(table.context()));
  return out;
}

Result<Chain> decode_chain(TableReader& reader, const fb::pte::Chain& table) {
  Chain out;
  if (table.instructions() == nullptr) return TableReader::missing("instruction list");
  ETALON_TRY(out.inputs, reader.optional_numbers(table.inputs()));
  ETALON_TRY(out.outputs, reader.optional_numbers(table.outputs()));
  ETALON_TRY(out.instructions,
             reader.tables<Instruction>(table.instructions(), "instruction",
                                        [&](const auto& item) { return decode_instruction(reader, item); }));
  ETALON_TRY(out.stacktrace,
             reader.tables<std::vector<Frame>>(table.stacktrace(), "stack trace", [&](const auto& list) {
               return reader.tables<Frame>(list.items(), "frame",
                                           [&](const auto& item) { return decode_frame(reader, item); });
             }));
  return out;
}

Result<Operator> decode_operator(TableReader& reader, const fb::pte::Operator& table) {
  Operator out;
  ETALON_TRY(out.name, reader.text(table.name(), "name"));
  ETALON_TRY(out.overload, reader.optional_text(table.overload()));
  return out;
}

Result<CompileSpec> decode_compile_spec(TableReader& reader, const fb::pte::CompileSpec& table) {
  CompileSpec out;
  ETALON_TRY(out.key, reader.text(table.key(), "key"));
  ETALON_TRY(out.value, reader.optional_bytes(table.value()));
  return out;
}

Result<Delegate> decode_delegate(TableReader& reader, const fb::pte::BackendDelegate& table) {
  Delegate out;
  ETALON_TRY(out.id, reader.text(table.id(), "backend name"));
  if (table.processed() == nullptr) return TableReader::missing("payload reference");
  const int location = table.processed()->location();
  if (location < 0 || location > 1)
    return invalid_input(fmt::format("unknown payload location {}", location));
  out.in_segment = location == 1;
  out.index = table.processed()->index();
  ETALON_TRY(out.compile_specs,
             reader.tables<CompileSpec>(table.compile_specs(), "compile spec",
                                        [&](const auto& item) { return decode_compile_spec(reader, item); }));
  return out;
}

Result<BufferDevice> decode_device(const fb::pte::NonConstBufferDevice& table) {
  return BufferDevice{table.buffer_idx(), table.device_type(), table.device_index()};
}

}  // namespace

Result<ExecutionPlan> decode_plan(TableReader& reader, const fb::pte::ExecutionPlan& table) {
  ExecutionPlan out;
  ETALON_TRY(out.name, reader.text(table.name(), "method name"));
  if (table.values() == nullptr) return TableReader::missing("value list");
  if (const auto* meta = table.container_meta_type()) {
    ETALON_TRY(out.encoded_inputs, reader.optional_text(meta->encoded_inp_str()));
    ETALON_TRY(out.encoded_outputs, reader.optional_text(meta->encoded_out_str()));
  }
  ETALON_TRY(out.values, reader.tables<EValue>(table.values(), "value",
                                               [&](const auto& item) { return decode_value(reader, item); }));
  ETALON_TRY(out.inputs, reader.numbers(table.inputs(), "input list"));
  ETALON_TRY(out.outputs, reader.numbers(table.outputs(), "output list"));
  ETALON_TRY(out.chains, reader.tables<Chain>(table.chains(), "chain",
                                              [&](const auto& item) { return decode_chain(reader, item); }));
  ETALON_TRY(out.operators, reader.tables<Operator>(table.operators(), "operator", [&](const auto& item) {
    return decode_operator(reader, item);
  }));
  ETALON_TRY(out.delegates, reader.tables<Delegate>(table.delegates(), "delegate", [&](const auto& item) {
    return decode_delegate(reader, item);
  }));
  ETALON_TRY(out.planned_buffer_sizes,
             reader.numbers(table.non_const_buffer_sizes(), "list of planned buffers"));
  ETALON_TRY(out.buffer_devices,
             reader.tables<BufferDevice>(table.non_const_buffer_device(), "buffer device",
                                         [](const auto& item) { return decode_device(item); }));
  return out;
}

}  // namespace etalon::formats::pte

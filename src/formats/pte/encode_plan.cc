#include "formats/pte/encode_plan.h"

namespace etalon::formats::pte {
namespace {

using flatbuffers::FlatBufferBuilder;
using flatbuffers::Offset;
template <class T>
using Vector = Offset<flatbuffers::Vector<Offset<T>>>;

struct Union {
  fb::pte::KernelTypes type;
  Offset<void> value;
};

// Encodes each item with encode(item) -> Offset<Table> and makes the vector of them.
template <class Table, class Items, class Encode>
Vector<Table> encode_all(FlatBufferBuilder& builder, const Items& items, Encode&& encode) {
  std::vector<Offset<Table>> offsets;
  offsets.reserve(items.size());
  for (const auto& item : items) offsets.push_back(encode(item));
  return builder.CreateVector(offsets);
}

class PlanEncoder {
 public:
  PlanEncoder(FlatBufferBuilder& builder, const Renumbering& numbers)
      : builder_(builder), numbers_(numbers) {}

  Offset<fb::pte::ExecutionPlan> plan(const ExecutionPlan& plan) {
    const auto name = builder_.CreateString(plan.name);
    const auto meta = fb::pte::CreateContainerMetadata(builder_, builder_.CreateString(plan.encoded_inputs),
                                                       builder_.CreateString(plan.encoded_outputs));
    const auto values =
        encode_all<fb::pte::EValue>(builder_, plan.values, [&](const EValue& item) { return value(item); });
    const auto inputs = builder_.CreateVector(plan.inputs);
    const auto outputs = builder_.CreateVector(plan.outputs);
    const auto chains =
        encode_all<fb::pte::Chain>(builder_, plan.chains, [&](const Chain& item) { return chain(item); });
    const auto operators = encode_all<fb::pte::Operator>(builder_, plan.operators, [&](const Operator& item) {
      const auto base = builder_.CreateString(item.name);
      return fb::pte::CreateOperator(builder_, base, builder_.CreateString(item.overload));
    });
    const auto delegates = encode_all<fb::pte::BackendDelegate>(
        builder_, plan.delegates, [&](const Delegate& item) { return delegate(item); });
    const auto sizes = builder_.CreateVector(plan.planned_buffer_sizes);
    const auto devices = buffer_devices(plan);
    return fb::pte::CreateExecutionPlan(builder_, name, meta, values, inputs, outputs, chains, operators,
                                        delegates, sizes, devices);
  }

 private:
  using Type = fb::pte::KernelTypes;

  Offset<fb::pte::EValue> value(const EValue& item) {
    const Union out = std::visit([&](const auto& content) { return encode(content); }, item);
    return fb::pte::CreateEValue(builder_, out.type, out.value);
  }

  Union encode(const Null&) { return {Type::Null, fb::pte::CreateNull(builder_).Union()}; }
  Union encode(const Int& v) { return {Type::Int, fb::pte::CreateInt(builder_, v.value).Union()}; }
  Union encode(const Bool& v) { return {Type::Bool, fb::pte::CreateBool(builder_, v.value).Union()}; }
  Union encode(const Double& v) { return {Type::Double, fb::pte::CreateDouble(builder_, v.value).Union()}; }
  Union encode(const String& v) {
    return {Type::String, fb::pte::CreateString(builder_, builder_.CreateString(v.value)).Union()};
  }
  Union encode(const IntList& v) {
    return {Type::IntList, fb::pte::CreateIntList(builder_, builder_.CreateVector(v.items)).Union()};
  }
  Union encode(const DoubleList& v) {
    return {Type::DoubleList, fb::pte::CreateDoubleList(builder_, builder_.CreateVector(v.items)).Union()};
  }
  Union encode(const BoolList& v) {
    return {Type::BoolList, fb::pte::CreateBoolList(builder_, builder_.CreateVector(v.items)).Union()};
  }
  Union encode(const TensorList& v) {
    return {Type::TensorList, fb::pte::CreateTensorList(builder_, builder_.CreateVector(v.items)).Union()};
  }
  Union encode(const OptionalTensorList& v) {
    const auto items = builder_.CreateVector(v.items);
    return {Type::OptionalTensorList, fb::pte::CreateOptionalTensorList(builder_, items).Union()};
  }
  Union encode(const Tensor& tensor) {
    const auto sizes = builder_.CreateVector(tensor.sizes);
    const auto dim_order = builder_.CreateVector(tensor.dim_order);
    Offset<fb::pte::AllocationDetails> place;
    if (tensor.allocation) {
      const std::uint64_t offset = tensor.allocation->offset;
      place = fb::pte::CreateAllocationDetails(builder_, tensor.allocation->memory_id,
                                               static_cast<std::uint32_t>(offset),
                                               static_cast<std::uint32_t>(offset >> 32));
    }
    const auto more = extra(tensor);
    const std::uint32_t data =
        tensor.is_constant() ? numbers_.constants[tensor.data_buffer_idx] : tensor.data_buffer_idx;
    const auto out =
        fb::pte::CreateTensor(builder_, tensor.dtype, 0, sizes, dim_order, tensor.requires_grad, data, place,
                              tensor.layout, static_cast<std::int8_t>(tensor.dynamism), more);
    return {Type::Tensor, out.Union()};
  }

  Offset<fb::pte::ExtraTensorInfo> extra(const Tensor& tensor) {
    if (!tensor.extra) return {};
    const auto name = builder_.CreateString(tensor.extra->fully_qualified_name);
    return fb::pte::CreateExtraTensorInfo(builder_, tensor.extra->mutable_data_segments_idx, name,
                                          static_cast<std::int8_t>(tensor.extra->location),
                                          tensor.extra->device_type, tensor.extra->device_index);
  }

  Offset<fb::pte::Chain> chain(const Chain& item) {
    const auto inputs = builder_.CreateVector(item.inputs);
    const auto outputs = builder_.CreateVector(item.outputs);
    const auto instructions =
        encode_all<fb::pte::Instruction>(builder_, item.instructions, [&](const Instruction& instruction) {
          return std::visit([&](const auto& call) { return step(call); }, instruction);
        });
    Vector<fb::pte::FrameList> stacks;
    if (!item.stacktrace.empty()) {
      stacks = encode_all<fb::pte::FrameList>(
          builder_, item.stacktrace, [&](const std::vector<Frame>& frames) { return stack(frames); });
    }
    return fb::pte::CreateChain(builder_, inputs, outputs, instructions, stacks);
  }

  Offset<fb::pte::FrameList> stack(const std::vector<Frame>& frames) {
    const auto items = encode_all<fb::pte::Frame>(builder_, frames, [&](const Frame& frame) {
      const auto file = builder_.CreateString(frame.filename);
      const auto name = builder_.CreateString(frame.name);
      return fb::pte::CreateFrame(builder_, file, frame.line, name, builder_.CreateString(frame.context));
    });
    return fb::pte::CreateFrameList(builder_, items);
  }

  template <class Table>
  Offset<fb::pte::Instruction> instruction(fb::pte::InstructionArguments type, Offset<Table> content) {
    return fb::pte::CreateInstruction(builder_, type, content.Union());
  }
  Offset<fb::pte::Instruction> step(const KernelCall& call) {
    const auto args = builder_.CreateVector(call.args);
    return instruction(fb::pte::InstructionArguments::KernelCall,
                       fb::pte::CreateKernelCall(builder_, call.op_index, args));
  }
  Offset<fb::pte::Instruction> step(const DelegateCall& call) {
    const auto args = builder_.CreateVector(call.args);
    return instruction(fb::pte::InstructionArguments::DelegateCall,
                       fb::pte::CreateDelegateCall(builder_, call.delegate_index, args));
  }
  Offset<fb::pte::Instruction> step(const MoveCall& call) {
    return instruction(fb::pte::InstructionArguments::MoveCall,
                       fb::pte::CreateMoveCall(builder_, call.from, call.to));
  }
  Offset<fb::pte::Instruction> step(const JumpFalseCall& call) {
    return instruction(fb::pte::InstructionArguments::JumpFalseCall,
                       fb::pte::CreateJumpFalseCall(builder_, call.condition, call.destination));
  }
  Offset<fb::pte::Instruction> step(const FreeCall& call) {
    return instruction(fb::pte::InstructionArguments::FreeCall,
                       fb::pte::CreateFreeCall(builder_, call.value));
  }

  Offset<fb::pte::BackendDelegate> delegate(const Delegate& item) {
    const PayloadPlace place = numbers_.payloads[item.index];
    const auto id = builder_.CreateString(item.id);
    const auto reference =
        fb::pte::CreateBackendDelegateDataReference(builder_, place.in_segment ? 1 : 0, place.index);
    const auto specs =
        encode_all<fb::pte::CompileSpec>(builder_, item.compile_specs, [&](const CompileSpec& spec) {
          const auto key = builder_.CreateString(spec.key);
          const auto* bytes = reinterpret_cast<const std::uint8_t*>(spec.value.data());
          return fb::pte::CreateCompileSpec(builder_, key, builder_.CreateVector(bytes, spec.value.size()));
        });
    return fb::pte::CreateBackendDelegate(builder_, id, reference, specs);
  }

  Vector<fb::pte::NonConstBufferDevice> buffer_devices(const ExecutionPlan& plan) {
    if (plan.buffer_devices.empty()) return {};
    return encode_all<fb::pte::NonConstBufferDevice>(
        builder_, plan.buffer_devices, [&](const BufferDevice& item) {
          return fb::pte::CreateNonConstBufferDevice(builder_, item.buffer_idx, item.device_type,
                                                     item.device_index);
        });
  }

  FlatBufferBuilder& builder_;
  const Renumbering& numbers_;
};

}  // namespace

Offset<fb::pte::ExecutionPlan> encode_plan(FlatBufferBuilder& builder, const ExecutionPlan& plan,
                                           const Renumbering& numbers) {
  return PlanEncoder(builder, numbers).plan(plan);
}

}  // namespace etalon::formats::pte

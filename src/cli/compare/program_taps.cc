#include "cli/compare/program_taps.h"

#include <fmt/core.h>

#include <algorithm>
#include <limits>
#include <map>

#include "tensor/dtype.h"

namespace etalon::cli {
namespace {

namespace pte = formats::pte;
namespace xnn = formats::xnn;

constexpr std::uint64_t kAlignment = 64;

std::optional<DType> dtype_of(xnn::DataType type) {
  switch (type) {
    case xnn::DataType::kFp32:
      return DType::kFloat32;
    case xnn::DataType::kFp16:
      return DType::kFloat16;
    case xnn::DataType::kQint8:
      return DType::kInt8;
    case xnn::DataType::kQuint8:
      return DType::kUInt8;
    default:
      return std::nullopt;
  }
}

// Nodes that change no numbers, or only how they are written.
bool moves_only(xnn::NodeType type) {
  return type == xnn::NodeType::kConvert || type == xnn::NodeType::kStaticReshape ||
         type == xnn::NodeType::kCopy || type == xnn::NodeType::kStaticTranspose;
}

bool is_xnnpack(const pte::ExecutionPlan& plan, const pte::DelegateCall& call) {
  return plan.delegates[static_cast<std::size_t>(call.delegate_index)].id == "XnnpackBackend";
}

// Instructions can be put in between when no jump counts them.
bool can_insert(const pte::Chain& chain) {
  return std::none_of(chain.instructions.begin(), chain.instructions.end(),
                      [](const pte::Instruction& instruction) {
                        return std::holds_alternative<pte::JumpFalseCall>(instruction);
                      });
}

bool is_called_once(const pte::Chain& chain, std::int32_t delegate) {
  return std::count_if(chain.instructions.begin(), chain.instructions.end(),
                       [&](const pte::Instruction& instruction) {
                         const auto* call = std::get_if<pte::DelegateCall>(&instruction);
                         return call != nullptr && call->delegate_index == delegate;
                       }) == 1;
}

template <class Size>
bool put_size(const std::vector<Size>& sizes, std::size_t element, Tap& tap) {
  std::uint64_t count = 1;
  for (const Size size : sizes) {
    if (size < 0 || (size > 0 && count > (std::uint64_t{1} << 40) / static_cast<std::uint64_t>(size)))
      return false;
    count *= static_cast<std::uint64_t>(size);
    tap.sizes.push_back(static_cast<std::int32_t>(size));
  }
  tap.elements = count;
  tap.bytes = count * element;
  return count > 0;
}

std::optional<Tap> node_tap(const xnn::Graph& graph, const xnn::Node& node) {
  if (moves_only(node.type) || node.outputs.empty()) return std::nullopt;
  const xnn::Value* value = graph.find(node.outputs.front());
  if (value == nullptr || value->is_external() || value->constant != 0) return std::nullopt;
  const std::optional<DType> dtype = dtype_of(value->type);
  if (!dtype) return std::nullopt;
  Tap tap;
  if (!is_floating(*dtype)) {
    const auto* quantisation = std::get_if<xnn::PerTensorQuant>(&value->quantization);
    if (quantisation == nullptr) return std::nullopt;
    tap.quantisation = *quantisation;
  }
  tap.op = xnn::name_of(node.type);
  const bool small = std::ranges::all_of(value->dims, [](std::uint32_t dim) {
    return dim <= static_cast<std::uint32_t>(std::numeric_limits<std::int32_t>::max());
  });
  if (!small || !put_size(value->dims, size_of(*dtype), tap)) return std::nullopt;
  return tap;
}

std::optional<Tap> call_tap(const pte::ExecutionPlan& plan, const pte::KernelCall& call) {
  if (call.args.empty()) return std::nullopt;
  const auto* tensor = std::get_if<pte::Tensor>(&plan.values[static_cast<std::size_t>(call.args.back())]);
  if (tensor == nullptr || !tensor->allocation) return std::nullopt;
  if (tensor->dtype != static_cast<std::int8_t>(DType::kFloat32) &&
      tensor->dtype != static_cast<std::int8_t>(DType::kFloat16))
    return std::nullopt;
  Tap tap;
  tap.op = plan.operators[static_cast<std::size_t>(call.op_index)].full_name();
  std::vector<std::int32_t> sizes;
  for (const std::uint8_t dim : tensor->dim_order) sizes.push_back(tensor->sizes[dim]);
  if (!put_size(sizes, pte::dtype_size(tensor->dtype), tap)) return std::nullopt;
  return tap;
}

// The name of what computes it; empty when the record does not tell.
std::string name_of_node(const analysis::ValueNames& names, std::int64_t instruction, std::int64_t node,
                         std::int64_t handle) {
  analysis::NodeFacts facts;
  facts.instruction = instruction;
  facts.node = node;
  facts.debug_handle = handle;
  const std::vector<std::string> found = names.of(facts);
  return found.empty() ? std::string() : found.front();
}

class Finder {
 public:
  Finder(const pte::ExecutionPlan& plan, const analysis::ValueNames& names) : plan_(plan), names_(names) {}

  Result<std::vector<Tap>> run() {
    const pte::Chain& chain = plan_.chains.front();
    for (std::size_t i = 0; i < chain.instructions.size(); ++i) {
      const auto instruction = static_cast<std::int32_t>(i);
      if (const auto* call = std::get_if<pte::DelegateCall>(&chain.instructions[i])) {
        if (is_xnnpack(plan_, *call) && is_called_once(chain, call->delegate_index))
          ETALON_CHECKED(look_into(*call, instruction));
      } else if (const auto* kernel = std::get_if<pte::KernelCall>(&chain.instructions[i]);
                 kernel && can_insert(chain)) {
        add(call_tap(plan_, *kernel), instruction, -1, name_of_node(names_, instruction, -1, -1));
      }
    }
    return std::move(taps_);
  }

 private:
  Status look_into(const pte::DelegateCall& call, std::int32_t instruction) {
    const pte::Delegate& delegate = plan_.delegates[static_cast<std::size_t>(call.delegate_index)];
    ETALON_TRY(const xnn::Graph graph, xnn::decode(delegate.payload));
    for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
      const xnn::Node& node = graph.nodes[n];
      if (node.debug_handle == xnn::kNoDebugHandle) continue;
      const auto place = static_cast<std::int64_t>(n);
      add(node_tap(graph, node), instruction, place,
          name_of_node(names_, instruction, place, node.debug_handle));
    }
    return {};
  }

  void add(std::optional<Tap> tap, std::int32_t instruction, std::int64_t node, const std::string& name) {
    if (!tap || name.empty()) return;
    tap->name = name;
    tap->instruction = instruction;
    tap->node = node;
    const auto [known, is_new] = places_.emplace(name, taps_.size());
    if (is_new) {
      taps_.push_back(std::move(*tap));
    } else {
      taps_[known->second] = std::move(*tap);
    }
  }

  const pte::ExecutionPlan& plan_;
  const analysis::ValueNames& names_;
  std::map<std::string, std::size_t> places_;
  std::vector<Tap> taps_;
};

pte::ProgramToWrite to_write(const pte::Program& program) {
  pte::ProgramToWrite out;
  out.plans = program.plans;
  const auto cut = [](const pte::Subsegments& from, std::vector<pte::Blob>& to) {
    for (std::size_t i = 1; i < from.offsets.size(); ++i) {
      const std::uint64_t end = i + 1 < from.offsets.size() ? from.offsets[i + 1] : from.data.size();
      to.push_back(pte::Blob::borrow(from.data.subspan(from.offsets[i], end - from.offsets[i])));
    }
  };
  if (!program.inline_constants.empty()) {
    for (std::size_t i = 1; i < program.inline_constants.size(); ++i)
      out.constants.push_back(pte::Blob::borrow(program.inline_constants[i]));
  } else {
    cut(program.constants, out.constants);
  }
  if (!program.mutable_data.empty()) cut(program.mutable_data.front(), out.mutable_data);
  for (pte::ExecutionPlan& plan : out.plans) {
    for (pte::Delegate& delegate : plan.delegates) {
      out.delegate_payloads.push_back(pte::Blob::borrow(delegate.payload));
      delegate.index = static_cast<std::uint32_t>(out.delegate_payloads.size() - 1);
    }
  }
  constexpr std::uint32_t kNamedAlignment = 64;
  for (const pte::NamedData& named : program.named_data)
    out.named_data.push_back({named.key, pte::Blob::borrow(named.data), kNamedAlignment});
  return out;
}

class Tapper {
 public:
  Tapper(pte::ProgramToWrite& program, pte::ExecutionPlan& plan) : program_(program), plan_(plan) {
    memory_ = static_cast<std::uint32_t>(plan.planned_buffer_sizes.size());
    for (const std::int32_t input : plan.inputs) {
      const auto* tensor = std::get_if<pte::Tensor>(&plan.values[static_cast<std::size_t>(input)]);
      is_dynamic_ = is_dynamic_ || (tensor != nullptr && tensor->dynamism != pte::ShapeDynamism::kStatic);
    }
  }

  Status run(std::span<const Tap> taps) {
    std::vector<std::int32_t> outputs;
    std::map<std::int32_t, std::vector<std::size_t>> by_instruction;
    for (std::size_t t = 0; t < taps.size(); ++t) by_instruction[taps[t].instruction].push_back(t);
    outputs.resize(taps.size());
    std::vector<pte::Instruction> instructions;
    pte::Chain& chain = plan_.chains.front();
    for (std::size_t i = 0; i < chain.instructions.size(); ++i) {
      instructions.push_back(chain.instructions[i]);
      const auto found = by_instruction.find(static_cast<std::int32_t>(i));
      if (found == by_instruction.end()) continue;
      if (auto* call = std::get_if<pte::DelegateCall>(&instructions.back())) {
        ETALON_CHECKED(open_delegate(*call, taps, found->second, outputs));
      } else {
        const std::int32_t source = std::get<pte::KernelCall>(instructions.back()).args.back();
        outputs[found->second.front()] = copy_of(source, instructions);
      }
    }
    if (!chain.stacktrace.empty()) chain.stacktrace.clear();
    chain.instructions = std::move(instructions);
    plan_.planned_buffer_sizes.push_back(static_cast<std::int64_t>(used_));
    plan_.outputs.insert(plan_.outputs.end(), outputs.begin(), outputs.end());
    chain.outputs.insert(chain.outputs.end(), outputs.begin(), outputs.end());
    return {};
  }

 private:
  std::int32_t add_value(pte::EValue value) {
    plan_.values.push_back(std::move(value));
    return static_cast<std::int32_t>(plan_.values.size() - 1);
  }

  std::int32_t add_tensor(pte::Tensor tensor, std::uint64_t bytes) {
    tensor.allocation = pte::Allocation{memory_, used_};
    used_ = (used_ + bytes + kAlignment - 1) / kAlignment * kAlignment;
    return add_value(std::move(tensor));
  }

  std::int32_t copy_of(std::int32_t source, std::vector<pte::Instruction>& instructions) {
    pte::Tensor tensor = std::get<pte::Tensor>(plan_.values[static_cast<std::size_t>(source)]);
    tensor.data_buffer_idx = 0;
    tensor.extra.reset();
    const std::int32_t copy = add_tensor(tensor, pte::tensor_nbytes(tensor).value_or(0));
    const std::int32_t none = add_value(pte::Null{});
    plan_.operators.push_back({"aten::clone", "out"});
    instructions.emplace_back(
        pte::KernelCall{static_cast<std::int32_t>(plan_.operators.size() - 1), {source, none, copy, copy}});
    return copy;
  }

  Status open_delegate(pte::DelegateCall& call, std::span<const Tap> taps,
                       const std::vector<std::size_t>& which, std::vector<std::int32_t>& outputs) {
    pte::Delegate& delegate = plan_.delegates[static_cast<std::size_t>(call.delegate_index)];
    ETALON_TRY(xnn::Graph graph, xnn::decode(delegate.payload));
    for (const std::size_t t : which) {
      const std::uint32_t id = graph.nodes[static_cast<std::size_t>(taps[t].node)].outputs.front();
      const auto value = std::find_if(graph.values.begin(), graph.values.end(),
                                      [&](const xnn::Value& v) { return v.id == id; });
      value->flags |= xnn::kExternalOutput;
      value->external_id = static_cast<std::uint32_t>(call.args.size());
      graph.output_ids.push_back(id);
      pte::Tensor tensor;
      tensor.dtype = static_cast<std::int8_t>(*dtype_of(value->type));
      tensor.sizes = taps[t].sizes;
      for (std::size_t d = 0; d < tensor.sizes.size(); ++d)
        tensor.dim_order.push_back(static_cast<std::uint8_t>(d));
      if (is_dynamic_) tensor.dynamism = pte::ShapeDynamism::kDynamicBound;
      outputs[t] = add_tensor(std::move(tensor), taps[t].bytes);
      call.args.push_back(outputs[t]);
    }
    graph.num_externs = static_cast<std::uint32_t>(call.args.size());
    ETALON_TRY(std::vector<std::byte> payload, xnn::encode(graph));
    program_.delegate_payloads[delegate.index] = pte::Blob::own(std::move(payload));
    return {};
  }

  pte::ProgramToWrite& program_;
  pte::ExecutionPlan& plan_;
  std::uint32_t memory_ = 1;  // the buffer of the new values
  std::uint64_t used_ = 0;
  bool is_dynamic_ = false;
};

}  // namespace

Result<std::vector<Tap>> find_taps(const pte::Program& program, const analysis::ValueNames& names,
                                   const std::string& method) {
  const pte::ExecutionPlan* plan = program.find_plan(method);
  if (plan == nullptr) return not_found(fmt::format("there is no method {}", method));
  if (plan->chains.size() != 1) return unsupported("a method with several chains of instructions");
  return Finder(*plan, names).run();
}

Result<std::vector<std::byte>> tapped_program(const pte::Program& program, std::span<const Tap> taps,
                                              const std::string& method) {
  pte::ProgramToWrite source = to_write(program);
  const auto plan = std::find_if(source.plans.begin(), source.plans.end(),
                                 [&](const pte::ExecutionPlan& p) { return p.name == method; });
  if (plan == source.plans.end()) return not_found(fmt::format("there is no method {}", method));
  ETALON_CHECKED(Tapper(source, *plan).run(taps));
  return pte::encode_to_bytes(source);
}

}  // namespace etalon::cli

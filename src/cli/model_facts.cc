#include "cli/model_facts.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <unordered_set>

#include "analysis/xnnpack_operators.h"
#include "base/file.h"
#include "cli/model_facts_delegate.h"
#include "cli/model_facts_memory.h"
#include "cli/model_facts_operators.h"
#include "runtime/events.h"

namespace etalon::cli {
namespace {

namespace pte = formats::pte;
namespace xnn = formats::xnn;

constexpr std::string_view kXnnpack = "XnnpackBackend";

// Operands listed in all; a file can name one long list in every instruction.
constexpr std::size_t kMaxOperands = 10'000'000;

class FactsReader {
 public:
  FactsReader(const pte::Program& program, const pte::ExecutionPlan& plan)
      : program_(program), plan_(plan), values_(plan), is_defined_(plan.values.size(), false) {}

  Result<analysis::ModelFacts> run() {
    count_program();
    for (const std::int32_t input : plan_.inputs) is_defined_[static_cast<std::size_t>(input)] = true;
    next_value_ = static_cast<std::int64_t>(plan_.values.size());
    const auto& instructions = plan_.chains.front().instructions;
    for (std::size_t i = 0; i < instructions.size(); ++i) {
      const std::size_t before = facts_.nodes.size();
      use_ = {};
      std::visit([this, i](const auto& instruction) { add(static_cast<std::int64_t>(i), instruction); }, instructions[i]);
      uses_.push_back(use_);
      for (std::size_t n = before; n < facts_.nodes.size(); ++n) {
        operands_ += facts_.nodes[n].inputs.size() + facts_.nodes[n].outputs.size();
      }
      if (operands_ > kMaxOperands) {
        return resource_error(fmt::format("its instructions have more than {} operands", kMaxOperands));
      }
    }
    leave_out_fixed_numbers();
    facts_.memory = live_memory(plan_, uses_);
    return std::move(facts_);
  }

 private:
  // Numbers that nothing computes are constants.
  void leave_out_fixed_numbers() {
    std::unordered_set<std::int64_t> computed;
    for (const analysis::NodeFacts& node : facts_.nodes) computed.insert(node.writes.begin(), node.writes.end());
    for (analysis::NodeFacts& node : facts_.nodes) {
      if (node.node >= 0) continue;
      std::erase_if(node.reads, [&](std::int64_t value) {
        return values_.tensor(static_cast<std::int32_t>(value)) == nullptr && computed.count(value) == 0;
      });
    }
  }

  void count_program() {
    facts_.constant_bytes = static_cast<double>(program_.constants.data.size());
    for (const Bytes& constant : program_.inline_constants) facts_.constant_bytes += static_cast<double>(constant.size());
    for (const pte::Delegate& delegate : plan_.delegates) {
      facts_.delegate_bytes += static_cast<double>(delegate.payload.size());
    }
    for (const pte::NamedData& data : program_.named_data) facts_.delegate_bytes += static_cast<double>(data.data.size());
    for (const std::int64_t size : plan_.planned_buffer_sizes) facts_.planned_bytes += static_cast<double>(size);
    count_parameters();
  }

  // Constants that calls and delegates share are stored once, and count once.
  void count_parameters() {
    std::unordered_set<std::uint32_t> buffers;
    for (std::size_t v = 0; v < plan_.values.size(); ++v) {
      const auto value = static_cast<std::int32_t>(v);
      const TensorView* view = values_.view(value);
      if (view == nullptr || !values_.is_constant(value)) continue;
      const bool is_quantised = view->dtype() == DType::kInt8 || view->dtype() == DType::kUInt8;
      if (!is_floating(view->dtype()) && !is_quantised) continue;
      const pte::Tensor& tensor = *values_.tensor(value);
      if (tensor.is_external() ? !keys_.insert(tensor.extra->fully_qualified_name).second
                               : !buffers.insert(tensor.data_buffer_idx).second) {
        continue;
      }
      facts_.parameters += static_cast<double>(view->numel());
    }
  }

  void add(std::int64_t instruction, const pte::KernelCall& call) {
    CallValues roles;
    analysis::NodeFacts node = operator_facts(call, values_, roles);
    ++facts_.operator_calls;
    if (node.op == "executorch_prim::et_view.default" && !roles.reads.empty() && !roles.writes.empty()) {
      use_.view = roles.writes[0];
      use_.viewed = roles.reads[0];
    }
    push(instruction, std::move(node), roles);
  }

  void push(std::int64_t instruction, analysis::NodeFacts node, const CallValues& roles) {
    node.instruction = instruction;
    for (const std::int32_t value : roles.reads) use_.values.push_back(value);
    for (const std::int32_t value : roles.writes) {
      use_.values.push_back(value);
      is_defined_[static_cast<std::size_t>(value)] = true;
    }
    facts_.nodes.push_back(std::move(node));
  }

  void add(std::int64_t instruction, const pte::DelegateCall& call) {
    const pte::Delegate& delegate = plan_.delegates[static_cast<std::size_t>(call.delegate_index)];
    ++facts_.delegates;
    const CallValues roles = delegate_roles(call);
    use_.values = roles.reads;
    use_.values.insert(use_.values.end(), roles.writes.begin(), roles.writes.end());
    const auto graph = delegate.id == kXnnpack ? xnn::decode(delegate.payload) : Result<xnn::Graph>(unsupported(""));
    if (!graph.ok()) {
      analysis::NodeFacts node;  // all that the call itself says
      node.op = node.backend = delegate.id;
      node.node = 0;
      add_tensors(values_, roles, node);
      ++facts_.delegated_nodes;
      push(instruction, std::move(node), roles);
      return;
    }
    for (const std::int32_t value : roles.writes) is_defined_[static_cast<std::size_t>(value)] = true;
    const DelegateUse use{instruction, delegate.id, call.args, next_value_};
    auto nodes = delegate_facts(*graph, use, values_);
    next_value_ += static_cast<std::int64_t>(graph->values.size());
    facts_.delegated_nodes += nodes.size();
    add_runtime_operators(instruction, *graph);
    if (counted_.insert(call.delegate_index).second) facts_.parameters += parameters_of(*graph, keys_);
    std::move(nodes.begin(), nodes.end(), std::back_inserter(facts_.nodes));
  }

  void add_runtime_operators(std::int64_t instruction, const xnn::Graph& graph) {
    const std::size_t first = facts_.runtime_operators.size();
    for (analysis::XnnpackOperator& op : analysis::xnnpack_operators(graph)) {
      analysis::RuntimeOperator made;
      made.instruction = instruction;
      made.names.assign(op.names.begin(), op.names.end());
      for (const std::size_t node : op.nodes) made.nodes.push_back(facts_.nodes.size() + node);
      if (op.folds_into) made.folds_into = first + *op.folds_into;
      facts_.runtime_operators.push_back(std::move(made));
    }
  }

  // Programs do not say which arguments a delegate writes: those that nothing has given a value yet.
  CallValues delegate_roles(const pte::DelegateCall& call) const {
    CallValues roles;
    for (const std::int32_t arg : call.args) {
      for (const std::int32_t value : values_.tensors_of(arg)) {
        const pte::Tensor& tensor = *values_.tensor(value);
        const bool has_value = is_defined_[static_cast<std::size_t>(value)] || values_.is_constant(value) ||
                               tensor.is_initialised_state();
        (has_value ? roles.reads : roles.writes).push_back(value);
      }
    }
    return roles;
  }

  void add(std::int64_t instruction, const pte::MoveCall& move) {
    add_control(instruction, runtime::event_names::kMove, move.from, move.to);
  }
  void add(std::int64_t instruction, const pte::JumpFalseCall& jump) {
    add_control(instruction, runtime::event_names::kJumpFalse, jump.condition, -1);
  }
  void add(std::int64_t instruction, const pte::FreeCall& free) {
    add_control(instruction, runtime::event_names::kFree, free.value, -1);
  }

  // These touch values, not their bytes.
  void add_control(std::int64_t instruction, std::string_view op, std::int32_t from, std::int32_t to) {
    analysis::NodeFacts node;
    node.op = std::string(op);
    CallValues roles;
    if (!values_.is_constant(from)) node.reads.push_back(from);
    if (to >= 0) node.writes.push_back(to);
    roles.reads = values_.tensors_of(from);
    if (to >= 0) roles.writes = values_.tensors_of(to);
    push(instruction, std::move(node), roles);
  }

  const pte::Program& program_;
  const pte::ExecutionPlan& plan_;
  ModelValues values_;
  std::vector<bool> is_defined_;
  std::int64_t next_value_ = 0;
  std::size_t operands_ = 0;
  ValueUse use_;                 // of the instruction at hand
  std::vector<ValueUse> uses_;
  std::unordered_set<std::string> keys_;
  std::unordered_set<std::int32_t> counted_;
  analysis::ModelFacts facts_;
};

}  // namespace

Result<analysis::ModelFacts> read_model_facts(const std::string& pte_path) {
  ETALON_TRY(const MappedFile file, MappedFile::open(pte_path));
  ETALON_TRY(const pte::Program program, pte::decode(file.bytes()), pte_path);
  if (program.plans.empty()) return invalid_input(pte_path + ": it has no methods");
  const pte::ExecutionPlan* plan = program.find_plan("forward");
  if (plan == nullptr) plan = &program.plans.front();
  ETALON_TRY(analysis::ModelFacts facts, FactsReader(program, *plan).run(), pte_path);
  facts.path = pte_path;
  facts.file_bytes = static_cast<double>(file.bytes().size());
  return facts;
}

}  // namespace etalon::cli

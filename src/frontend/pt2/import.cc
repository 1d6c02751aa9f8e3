#include "frontend/pt2/import.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <unordered_set>

#include "frontend/pt2/stored_weights.h"
#include "frontend/pt2/symbols.h"
#include "frontend/pt2/translate.h"

namespace etalon::frontend {
namespace pt2 = formats::pt2;
namespace {

// The dim order of a user input, if its strides are dense in one that is not the contiguous one.
DimOrder order_of_input(const ir::TensorType& type, const std::vector<std::int64_t>& strides) {
  const std::size_t rank = type.sizes.size();
  const DimOrder plain = contiguous_order(rank);
  if (strides.size() != rank || numel(type.sizes) == 0) return plain;
  const auto explains = [&](const DimOrder& order) {
    const Dims expected = strides_of(type.sizes, order);
    for (std::size_t i = 0; i < rank; ++i) {
      if (type.sizes[i] != 1 && expected[i] != strides[i]) return false;
    }
    return true;
  };
  if (explains(plain)) return plain;
  const DimOrder own = order_of_strides(Dims(std::span(strides)));
  return explains(own) ? own : plain;
}

class ModelImport {
 public:
  ModelImport(const pt2::Model& model, Bytes file, const ImportOptions& options)
      : model_(model),
        program_(model.program),
        symbols_(Symbols::of(model.program)),
        weights_(model, file, options.max_tensor_bytes),
        translator_(graph_, symbols_) {}

  Result<ir::Graph> run() {
    graph_.method = model_.name == "model" ? "forward" : model_.name;
    take_specs();
    ETALON_CHECKED(bind_inputs());
    ETALON_CHECKED(translator_.translate(program_.graph));
    if (!translator_.unsupported_operators().empty()) return translator_.unsupported_operators().to_error();
    ETALON_CHECKED(bind_outputs());
    make_names_unique();
    graph_.compact();
    return std::move(graph_);
  }

 private:
  void take_specs() {
    for (const pt2::ModuleCallEntry& entry : program_.module_call_graph) {
      if (!entry.fqn.empty()) continue;
      graph_.in_spec = entry.in_spec;
      graph_.out_spec = entry.out_spec;
    }
  }

  Status bind_inputs() {
    for (const pt2::InputSpec& spec : program_.input_specs) {
      switch (spec.kind) {
        case pt2::InputKind::kUserInput:
          ETALON_CHECKED(bind_user_input(spec));
          break;
        case pt2::InputKind::kParameter:
        case pt2::InputKind::kBuffer:
        case pt2::InputKind::kTensorConstant:
          ETALON_CHECKED(bind_stored(spec));
          break;
        case pt2::InputKind::kConstantInput:
          break;  // its uses are literals already
        case pt2::InputKind::kCustomObject:
          return unsupported(
              fmt::format("the model has a custom object ('{}'), which is not supported", spec.target));
        case pt2::InputKind::kToken:
          return unsupported("the model orders side effects with tokens, which is not supported");
      }
    }
    return {};
  }

  Status bind_user_input(const pt2::InputSpec& spec) {
    if (const auto* number = spec.arg.as<pt2::SymIntArg>(); number != nullptr && !number->name.empty()) {
      const auto found = program_.graph.sym_int_values.find(number->name);
      if (found == program_.graph.sym_int_values.end())
        return invalid_input(fmt::format("input '{}' has no type", number->name));
      ETALON_TRY(const SizePair pair, symbols_.evaluate(found->second));
      const ir::NumberType type{ir::NumberType::Kind::kInt, static_cast<double>(pair.max),
                                static_cast<double>(pair.probe)};
      translator_.names().insert_or_assign(number->name, ir::Arg{graph_.add_input(number->name, type)});
      return {};
    }
    const auto* tensor = spec.arg.as<pt2::TensorArg>();
    if (tensor == nullptr) return {};  // a literal: its uses are literals too
    const auto meta = program_.graph.tensor_values.find(tensor->name);
    if (meta == program_.graph.tensor_values.end())
      return invalid_input(fmt::format("input '{}' has no type", tensor->name));
    ETALON_TRY(const ir::TensorType type, type_of(meta->second), fmt::format("input '{}'", tensor->name));
    ir::ValueId value = graph_.add_input(tensor->name, type);
    if (!is_contiguous_order(type.order)) {
      translator_.builder().set_origin({{}, {}, "contiguous", tensor->name + "_contiguous"});
      ir::IntItems plain;
      for (std::size_t i = 0; i < type.sizes.size(); ++i)
        plain.push_back({static_cast<std::int64_t>(i), ir::kNoValue});
      ETALON_TRY(value, translator_.builder().call(
                            "dim_order_ops::_to_dim_order_copy",
                            {value, ir::kNone, ir::kNone, ir::kNone, ir::kNone, false, std::move(plain)}));
    }
    const SlotId slot = translator_.aliases().add_root(value);
    translator_.names().insert_or_assign(tensor->name, slot);
    user_inputs_.emplace_back(slot, tensor->name);
    return {};
  }

  Result<ir::TensorType> type_of(const pt2::TensorMeta& meta) const {
    ir::TensorType type;
    const auto dtype = dtype_from_number(meta.dtype);
    if (!dtype) return unsupported(fmt::format("has a dtype that is not supported (number {})", meta.dtype));
    type.dtype = *dtype;
    std::vector<std::int64_t> sizes, probe, strides;
    for (const pt2::SymInt& size : meta.sizes) {
      ETALON_TRY(const SizePair pair, symbols_.evaluate(size));
      sizes.push_back(pair.max);
      probe.push_back(pair.probe);
    }
    for (const pt2::SymInt& stride : meta.strides) {
      ETALON_TRY(const SizePair pair, symbols_.evaluate(stride));
      strides.push_back(pair.max);
    }
    ETALON_TRY(type.sizes, make_dims(sizes));
    ETALON_TRY(type.probe, make_dims(probe));
    type.order = order_of_input(type, strides);
    return type;
  }

  Status bind_stored(const pt2::InputSpec& spec) {
    const auto* tensor = spec.arg.as<pt2::TensorArg>();
    if (tensor == nullptr) return invalid_input(fmt::format("'{}' is not a tensor", spec.target));
    const pt2::StoredTensor* stored = pt2::find_stored(model_, spec);
    if (stored == nullptr) return invalid_input(fmt::format("the archive lacks '{}'", spec.target));
    const auto [tied, is_new] = tied_.try_emplace(key_of(*stored, spec.target), SlotId{});
    if (is_new) {
      tied->second =
          translator_.aliases().add_lazy_root([this, stored, name = spec.target]() -> Result<ir::ValueId> {
            ETALON_TRY(ir::Constant constant, weights_.constant(*stored, name));
            return graph_.add_constant(std::move(constant));
          });
      stored_.push_back({tied->second, stored, spec.target});
    }
    translator_.names().insert_or_assign(tensor->name, tied->second);
    slots_by_target_.insert_or_assign(spec.target, tied->second);
    return {};
  }

  Status bind_outputs() {
    ETALON_CHECKED(refuse_mutated_inputs());
    ETALON_CHECKED(add_state_updates());
    for (std::size_t i = 0; i < program_.output_specs.size(); ++i) {
      const pt2::OutputSpec& spec = program_.output_specs[i];
      switch (spec.kind) {
        case pt2::OutputKind::kUserOutput:
        case pt2::OutputKind::kLossOutput: {
          ETALON_TRY(ir::Arg value, translator_.argument(spec.arg), "output");
          graph_.outputs.push_back({ir::Output::Kind::kUser, std::move(value), {}});
          break;
        }
        case pt2::OutputKind::kBufferMutation:
        case pt2::OutputKind::kParameterMutation:
          ETALON_CHECKED(add_declared_update(spec));
          break;
        case pt2::OutputKind::kUserInputMutation:
          return unsupported(fmt::format(
              "the model changes its input '{}' in place; clone it in forward() first", spec.target));
        case pt2::OutputKind::kGradientToParameter:
        case pt2::OutputKind::kGradientToUserInput:
          return unsupported("the model is a training step; export the forward pass only");
        case pt2::OutputKind::kToken:
          return unsupported("the model orders side effects with tokens, which is not supported");
      }
    }
    std::stable_partition(graph_.outputs.begin(), graph_.outputs.end(), [](const ir::Output& output) {
      return output.kind == ir::Output::Kind::kStateUpdate;
    });
    return {};
  }

  Status refuse_mutated_inputs() {
    for (const auto& [slot, name] : user_inputs_) {
      if (!translator_.aliases().was_written(slot)) continue;
      return unsupported(
          fmt::format("the model changes its input '{}' in place, which a program cannot do; write "
                      "{} = {}.clone() at the start of forward()",
                      name, name, name));
    }
    return {};
  }

  // The constant that holds a stored tensor's first contents.
  Result<ir::ConstantId> state_constant(const pt2::StoredTensor& stored, const std::string& name) {
    for (std::size_t i = 0; i < graph_.constants.size(); ++i) {
      if (graph_.constants[i].name == name) return ir::ConstantId(i);
    }
    ETALON_TRY(ir::Constant constant, weights_.constant(stored, name));
    graph_.add_constant(std::move(constant));
    return ir::ConstantId(graph_.constants.size() - 1);
  }

  struct Stored {
    SlotId slot{};
    const pt2::StoredTensor* tensor = nullptr;
    std::string name;
  };

  Status add_update(const Stored& entry, ir::ValueId value);

  Status add_state_updates() {
    for (const Stored& entry : stored_) {
      if (!translator_.aliases().was_written(entry.slot)) continue;
      ETALON_TRY(const ir::ValueId value, translator_.aliases().read(entry.slot));
      ETALON_CHECKED(add_update(entry, value));
    }
    return {};
  }

  Status add_declared_update(const pt2::OutputSpec& spec) {
    const auto slot = slots_by_target_.find(spec.target);
    if (slot == slots_by_target_.end())
      return invalid_input(fmt::format("the archive lacks buffer '{}'", spec.target));
    ETALON_TRY(const ir::Arg value, translator_.argument(spec.arg), "output");
    const auto* id = std::get_if<ir::ValueId>(&value);
    if (id == nullptr)
      return invalid_input(
          fmt::format("buffer '{}' is updated with something that is no tensor", spec.target));
    for (const Stored& entry : stored_) {
      if (entry.slot == slot->second) return add_update(entry, *id);
    }
    return {};
  }

  void make_names_unique() {
    std::unordered_set<std::string> taken;
    for (std::size_t i = 0; i < graph_.values.size(); ++i) {
      ir::Value& value = graph_.values[i];
      if (taken.insert(value.name).second) continue;
      std::string other;
      for (std::size_t n = i; other.empty() || !taken.insert(other).second; ++n)
        other = fmt::format("{}__{}", value.name, n);
      value.name = std::move(other);
    }
  }

  const pt2::Model& model_;
  const pt2::ExportedProgram& program_;
  Symbols symbols_;
  StoredWeights weights_;
  ir::Graph graph_;
  Translator translator_;
  std::map<StorageKey, SlotId> tied_;
  std::vector<Stored> stored_;
  std::map<std::string, SlotId, std::less<>> slots_by_target_;
  std::vector<std::pair<SlotId, std::string>> user_inputs_;
};

// A graph whose new contents are the old ones updates nothing.
Status ModelImport::add_update(const Stored& entry, ir::ValueId value) {
  ETALON_TRY(const ir::ConstantId id, state_constant(*entry.tensor, entry.name));
  if (graph_[value].source == ir::ValueSource::kConstant && graph_[value].source_index == ir::index_of(id))
    return {};
  ir::Constant& constant = graph_.constants[ir::index_of(id)];
  constant.is_state = true;
  graph_.outputs.push_back({ir::Output::Kind::kStateUpdate, value, id});
  return {};
}

Result<ExampleInput> example_of(const pt2::SavedTensor& saved, const DimOrder& order, std::int64_t max_bytes) {
  const auto dtype = dtype_from_number(saved.dtype);
  if (!dtype)
    return unsupported(
        fmt::format("an example input has a dtype that is not supported (number {})", saved.dtype));
  ExampleInput out{*dtype, {}, order, {}};
  ETALON_TRY(out.sizes, make_dims(saved.sizes));
  ETALON_CHECKED(check_tensor_size("example input", out.sizes, *dtype, max_bytes));
  if (out.order.size() != out.sizes.size()) out.order = contiguous_order(out.sizes.size());
  out.data = gather_elements(saved.storage, saved.storage_offset, out.sizes, Dims(std::span(saved.strides)),
                             out.order, size_of(*dtype));
  return out;
}

// Leaves stand in the order of the user inputs; those that are no inputs of the graph are passed over.
Result<std::vector<ExampleInput>> examples_of(const pt2::Model& model, const ir::Graph& graph,
                                              std::int64_t max_bytes) {
  ETALON_TRY(const std::vector<pt2::PyLeaf> leaves, pt2::sample_inputs(model));
  std::vector<ExampleInput> out;
  std::size_t leaf = 0;
  for (const pt2::InputSpec& spec : model.program.input_specs) {
    if (spec.kind != pt2::InputKind::kUserInput && spec.kind != pt2::InputKind::kConstantInput) continue;
    if (leaf >= leaves.size()) return std::vector<ExampleInput>{};
    const pt2::PyLeaf& value = leaves[leaf++];
    if (spec.kind == pt2::InputKind::kConstantInput) continue;
    if (const auto* saved = std::get_if<pt2::SavedTensor>(&value);
        saved != nullptr && out.size() < graph.inputs.size()) {
      const ir::Value& input = graph[graph.inputs[out.size()].value];
      ETALON_TRY(ExampleInput example,
                 example_of(*saved, input.is_tensor() ? input.tensor().order : DimOrder{}, max_bytes));
      out.push_back(std::move(example));
    } else if (const auto* number = std::get_if<std::int64_t>(&value)) {
      const auto* bytes = reinterpret_cast<const std::byte*>(number);
      out.push_back({DType::kInt64, {}, {}, {bytes, bytes + sizeof(*number)}});
    }
  }
  return out;
}

}  // namespace

Result<ir::Graph> import_model(const pt2::Model& model, Bytes file, const ImportOptions& options) {
  return ModelImport(model, file, options).run();
}

Result<Imported> import_pt2(Bytes file, const ImportOptions& options) {
  ETALON_TRY(const pt2::Archive archive, pt2::decode(file));
  Imported out;
  for (const pt2::Model& model : archive.models) {
    ETALON_TRY(ir::Graph graph, import_model(model, file, options));
    out.examples.emplace_back();
    if (options.with_examples && !model.sample_inputs_file.empty()) {
      // Example inputs are a convenience: objects that cannot be read must not keep a model from being
      // imported.
      auto examples = examples_of(model, graph, options.max_tensor_bytes);
      if (examples.ok()) out.examples.back() = std::move(*examples);
    }
    out.methods.push_back(std::move(graph));
    out.weightless |= model.is_weightless;
    if (out.torch_version.empty()) out.torch_version = model.program.torch_version;
  }
  return out;
}

}  // namespace etalon::frontend

// torch.export archives (.pt2): ZIP of JSON graphs and raw weights -> plain structs mirroring torch's serde
// schema 8.
//
// Two things are translated on the way, so that everything above sees one numbering: dtype, layout and
// memory-format numbers are the c10 ones (those of .pte), not the schema's. Weights are spans into the bytes
// handed in, which must outlive the Archive. decode() is total. Thread-compatible.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "formats/pt2/torch_save.h"

namespace etalon::formats::pt2 {

inline constexpr std::int8_t kUnknownDType = -1;

// An integer, or a sympy expression (srepr text, as in "Symbol('s77', positive=True, integer=True)").
struct SymInt {
  std::int64_t value = 0;
  std::string expr;                  // non-empty: symbolic
  std::optional<std::int64_t> hint;  // value at export time of a symbolic one
  bool is_symbolic() const { return !expr.empty(); }
};

struct TensorMeta {
  std::int8_t dtype = kUnknownDType;  // c10 number
  std::int8_t layout = 0;             // c10 number, 0 strided
  bool requires_grad = false;
  std::vector<SymInt> sizes;
  std::vector<SymInt> strides;
  SymInt storage_offset;
  std::string device;  // "cpu", "cuda:0"
};

struct Graph;

// The members of the Argument union. Names are names of values in the graph.
struct NoneArg {};
struct TensorArg {
  std::string name;
};
struct TensorsArg {
  std::vector<std::string> names;
};
struct OptionalTensorsArg {
  std::vector<std::string> names;  // empty name: None
};
struct NestedTensorsArg {
  std::vector<std::vector<std::string>> names;
};
struct IntArg {
  std::int64_t value = 0;
};
struct IntsArg {
  std::vector<std::int64_t> values;
};
struct IntListsArg {
  std::vector<std::vector<std::int64_t>> values;
};
struct FloatArg {
  double value = 0;
};
struct FloatsArg {
  std::vector<double> values;
};
struct FloatListsArg {
  std::vector<std::vector<double>> values;
};
struct BoolArg {
  bool value = false;
};
struct BoolsArg {
  std::vector<std::uint8_t> values;
};
struct StringArg {
  std::string value;
};
struct StringsArg {
  std::vector<std::string> values;
};
// A named symbolic value (name non-empty) or a number.
struct SymIntArg {
  std::string name;
  std::int64_t value = 0;
};
struct SymIntsArg {
  std::vector<SymIntArg> values;
};
struct SymFloatArg {
  std::string name;
  double value = 0;
};
struct SymFloatsArg {
  std::vector<SymFloatArg> values;
};
struct SymBoolArg {
  std::string name;
  bool value = false;
};
struct SymBoolsArg {
  std::vector<SymBoolArg> values;
};
struct ScalarTypeArg {
  std::int8_t dtype = kUnknownDType;  // c10 number
};
struct MemoryFormatArg {
  std::int8_t format =
      0;  // c10 number: contiguous 0, preserve 1, channels_last 2, channels_last_3d 3; -1 unknown
};
struct LayoutArg {
  std::int8_t layout = 0;  // c10 number: strided 0, sparse_coo 1, ...; -1 unknown
};
struct DeviceArg {
  std::string device;  // "cpu", "cuda:0"
};
struct ComplexArg {
  double real = 0;
  double imag = 0;
};
struct CustomObjArg {
  std::string name;
  std::string class_fqn;
};
struct OperatorArg {
  std::string target;
};
struct GraphArg {
  std::string name;
  std::vector<Graph> graph;  // exactly one; a vector because Graph is incomplete here
};
struct Argument;
struct DictArg {
  std::vector<std::pair<std::string, Argument>> items;
};

struct Argument {
  std::variant<NoneArg, TensorArg, TensorsArg, OptionalTensorsArg, NestedTensorsArg, IntArg, IntsArg,
               IntListsArg, FloatArg, FloatsArg, FloatListsArg, BoolArg, BoolsArg, StringArg, StringsArg,
               SymIntArg, SymIntsArg, SymFloatArg, SymFloatsArg, SymBoolArg, SymBoolsArg, ScalarTypeArg,
               MemoryFormatArg, LayoutArg, DeviceArg, ComplexArg, CustomObjArg, OperatorArg, GraphArg,
               DictArg>
      value;

  template <class T>
  const T* as() const {
    return std::get_if<T>(&value);
  }
};

enum class ArgumentKind : std::uint8_t { kUnknown = 0, kPositional = 1, kKeyword = 2 };

struct NamedArgument {
  std::string name;
  Argument arg;
  ArgumentKind kind = ArgumentKind::kUnknown;
};

struct Node {
  std::string name;                   // may be empty in older archives
  std::string target;                 // "torch.ops.aten.conv2d.default"
  std::vector<NamedArgument> inputs;  // arguments equal to their schema default are left out
  std::vector<Argument> outputs;
  std::map<std::string, std::string> metadata;  // stack_trace, nn_module_stack, torch_fn, ...
};

struct Graph {
  std::vector<Argument> inputs;
  std::vector<Argument> outputs;
  std::vector<Node> nodes;
  std::map<std::string, TensorMeta> tensor_values;
  std::map<std::string, SymInt> sym_int_values;
  bool is_single_tensor_return = false;
};

enum class InputKind : std::uint8_t {
  kUserInput,
  kParameter,
  kBuffer,
  kTensorConstant,
  kCustomObject,
  kToken,
  kConstantInput,
};

// Parallel to Graph::inputs.
struct InputSpec {
  InputKind kind = InputKind::kUserInput;
  Argument arg;            // for kConstantInput the literal value
  std::string target;      // parameter, buffer or constant name (fqn); input name for kConstantInput
  bool persistent = true;  // buffers: stored with the weights, else with the constants
};

enum class OutputKind : std::uint8_t {
  kUserOutput,
  kLossOutput,
  kBufferMutation,
  kGradientToParameter,
  kGradientToUserInput,
  kUserInputMutation,
  kParameterMutation,
  kToken,
};

// Parallel to Graph::outputs.
struct OutputSpec {
  OutputKind kind = OutputKind::kUserOutput;
  Argument arg;
  std::string target;  // buffer, parameter or user input name
};

struct ModuleCallEntry {
  std::string fqn;  // "" is the root
  bool has_signature = false;
  std::string in_spec;  // JSON tree specs
  std::string out_spec;
  std::vector<std::string> forward_arg_names;
};

struct RangeConstraint {
  std::optional<std::int64_t> min;
  std::optional<std::int64_t> max;
};

struct ExportedProgram {
  Graph graph;
  std::vector<InputSpec> input_specs;
  std::vector<OutputSpec> output_specs;
  std::vector<ModuleCallEntry> module_call_graph;
  std::map<std::string, std::int64_t> opset_version;
  std::map<std::string, RangeConstraint> range_constraints;
  std::int64_t schema_major = 0;
  std::int64_t schema_minor = 0;
  std::vector<std::string> verifiers;  // "TRAINING" as exported, "ATEN" after run_decompositions
  std::string torch_version;
};

// A stored tensor: element i0,i1,.. is at storage_offset + sum(i * stride), in elements, of `payload`. Proved
// to fit, unless `is_missing`. Payloads may be shared between tensors and longer than the tensor.
struct StoredTensor {
  std::int8_t dtype = kUnknownDType;  // c10 number
  bool is_param = false;
  bool requires_grad = false;
  bool is_missing = false;  // the archive holds no bytes although the tensor has elements (weights taken out)
  std::vector<std::int64_t> sizes;
  std::vector<std::int64_t> strides;
  std::int64_t storage_offset = 0;
  Bytes payload;
};

// Move-only: payloads that were compressed in the archive are spans into `inflated`.
struct Model {
  Model() = default;
  Model(Model&&) = default;
  Model& operator=(Model&&) = default;

  std::string name;  // "model" by default
  ExportedProgram program;
  std::map<std::string, StoredTensor, std::less<>> weights;    // parameters and persistent buffers, by fqn
  std::map<std::string, StoredTensor, std::less<>> constants;  // lifted constants and non-persistent buffers
  bool is_weightless = false;                                  // at least one weight is_missing
  Bytes sample_inputs_file;  // data/sample_inputs/<name>.pt as it is; empty if there are none
  std::vector<std::vector<std::byte>> inflated;
};

struct Archive {
  std::string root;  // first path component of every entry
  std::vector<Model> models;
  const Model* find(std::string_view name) const;
};

// Errors: kInvalidInput (damaged), kUnsupported (layout of torch 2.7 and older, schema major other than 8,
// pickled weights that are not plain tensors).
Result<Archive> decode(Bytes file);

// One model's JSON text (models/<name>.json) alone.
Result<ExportedProgram> decode_program(Bytes json);

// The tensor that an input spec of kind parameter, buffer or tensor constant stands for; null if the archive
// lacks it.
const StoredTensor* find_stored(const Model& model, const InputSpec& spec);

// Example inputs saved with the model: positional arguments, then keyword arguments, flattened like pytree
// does (lists, tuples, and dicts in insertion order). Empty if the archive has none. Errors: kUnsupported for
// other Python objects.
Result<std::vector<PyLeaf>> sample_inputs(const Model& model);

}  // namespace etalon::formats::pt2

// What a program file says about itself: its operators with shapes, arithmetic, traffic and data flow, and the
// memory it asks for. Plain data, so that the analysis knows neither operators nor graphs; filled from a .pte by
// the command line (cli/model_facts.h). Numbers are for the shapes stored in the file (the largest, where they
// are dynamic).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace etalon::analysis {

// One operator call, or one node of a delegate's graph.
struct NodeFacts {
  std::int64_t instruction = 0;  // in the first chain
  std::int64_t node = -1;        // index in the delegate's list of nodes; -1: an operator call
  std::string op;                // "aten::convolution.out", or the delegate's "Conv2d"
  std::string backend;           // "XnnpackBackend"; empty for an operator call
  std::int64_t debug_handle = -1;  // of the delegate's node; -1: it has none
  std::string dtype;               // of the first output: "float32", "int8" (quantised), "float16"
  std::string compute_dtype;         // what it computes in: the ceiling that applies ("int8" also where the output is float)
  std::vector<std::string> inputs;   // "float32[1, 3, 224, 224]", activations and weights
  std::vector<std::string> outputs;
  double flops = 0;          // a multiply-add counts as two
  double read_bytes = 0;     // activations
  double written_bytes = 0;
  double weight_bytes = 0;   // constants it reads
  // Arithmetic that a kernel cannot avoid although it does not reach the output: channels rounded up to what the
  // format or the layout demands. Absent where it is not known.
  std::optional<double> padded_flops;
  // "kernel_height", "kernel_width", "stride_height", "groups", "input_channels", "output_channels", "fused_activation", ...
  std::map<std::string, double> attributes;
  // Values, numbered over the whole program; a delegate's inner values too. Constants are left out.
  std::vector<std::int64_t> reads;
  std::vector<std::int64_t> writes;
};

// What a delegate's runtime is expected to run and to report, in the order of execution, where its steps are known
// (analysis/xnnpack_operators.h).
struct RuntimeOperator {
  std::int64_t instruction = 0;
  std::vector<std::string> names;   // how its label may begin: "Convolution"
  std::vector<std::size_t> nodes;   // into ModelFacts::nodes
  std::optional<std::size_t> folds_into;  // into ModelFacts::runtime_operators: some machines do it there
};

struct InstructionMemory {
  std::int64_t instruction = 0;
  double live_bytes = 0;  // of planned activations while it runs, without what delegates allocate
};

struct ModelFacts {
  std::string path;
  double file_bytes = 0;
  double constant_bytes = 0;   // in the program
  double delegate_bytes = 0;   // blobs and their named data
  double planned_bytes = 0;    // of mutable memory, all planned buffers
  double parameters = 0;       // elements of constants of a floating or quantised type
  std::vector<NodeFacts> nodes;             // in the order of execution
  std::vector<InstructionMemory> memory;    // one per instruction
  std::vector<RuntimeOperator> runtime_operators;
  std::size_t delegates = 0;
  std::size_t delegated_nodes = 0;
  std::size_t operator_calls = 0;
};

}  // namespace etalon::analysis

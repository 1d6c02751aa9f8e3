// A program that also gives what it computes inside: results of delegates' nodes become outputs of the
// delegate, results of operator calls are copied right after the call, before their memory is used again.
// Both become outputs of the method, in memory of their own. What kernels fuse inside of one node stays
// fused; fusions across an output cannot happen.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "analysis/layer_costs.h"
#include "base/result.h"
#include "formats/pte/pte.h"
#include "formats/xnn/xnn.h"

namespace etalon::cli {

// One value inside of a program that can be looked at.
struct Tap {
  std::string name;  // from the export record
  std::string op;    // "Conv2d", "aten::add.out"
  std::int32_t instruction = 0;
  std::int64_t node = -1;  // in the delegate's list; -1: the result of an operator call
  std::uint64_t elements = 0;
  std::uint64_t bytes = 0;
  std::vector<std::int32_t> sizes;                           // in the order of memory
  std::optional<formats::xnn::PerTensorQuant> quantisation;  // of int8 values
};

// The named values that the method computes and that are floating or int8 with known parameters, each name
// once (the last node of a name), in the order of execution. Errors: kNotFound (no such method), a payload
// that cannot be read.
Result<std::vector<Tap>> find_taps(const formats::pte::Program& program, const analysis::ValueNames& names,
                                   const std::string& method = "forward");

// The program with these values as further outputs, in order, after those it has. `taps` are of find_taps().
Result<std::vector<std::byte>> tapped_program(const formats::pte::Program& program, std::span<const Tap> taps,
                                              const std::string& method = "forward");

}  // namespace etalon::cli

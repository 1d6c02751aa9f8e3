// For tests: programs made by hand, through the same writer that exports use.
#pragma once

#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "base/checked.h"
#include "formats/pte/pte.h"
#include "runtime/aligned_buffer.h"
#include "runtime/program.h"

namespace etalon::runtime::testing {

namespace pte = formats::pte;

using Sizes = std::vector<std::int32_t>;
using Indices = std::vector<std::int32_t>;

// One method. Tensors are planned one after the other into buffer 1; nothing is reused unless a test asks for it.
class PlanBuilder {
 public:
  explicit PlanBuilder(std::string name = "forward") {
    plan.name = std::move(name);
    plan.chains.emplace_back();
    plan.planned_buffer_sizes = {0, 0};
  }

  std::int32_t value(pte::EValue v) {
    plan.values.push_back(std::move(v));
    return static_cast<std::int32_t>(plan.values.size() - 1);
  }
  std::int32_t integer(std::int64_t v) { return value(pte::Int{v}); }
  std::int32_t boolean(bool v) { return value(pte::Bool{v}); }
  std::int32_t real(double v) { return value(pte::Double{v}); }
  std::int32_t none() { return value(pte::Null{}); }
  std::int32_t ints(const std::vector<std::int64_t>& numbers) {
    pte::IntList list;
    for (const std::int64_t number : numbers) list.items.push_back(integer(number));
    return value(list);
  }
  std::int32_t tensors(const Indices& items) { return value(pte::TensorList{items}); }

  static pte::Tensor shape(const Sizes& sizes, std::int8_t dtype = 6) {
    pte::Tensor t;
    t.dtype = dtype;
    t.sizes = sizes;
    for (std::size_t i = 0; i < sizes.size(); ++i) t.dim_order.push_back(static_cast<std::uint8_t>(i));
    return t;
  }
  std::int32_t planned(pte::Tensor t) {
    auto& size = plan.planned_buffer_sizes[1];
    t.allocation = pte::Allocation{1, static_cast<std::uint64_t>(size)};
    size += round_up<std::int64_t>(static_cast<std::int64_t>(*pte::tensor_nbytes(t)), 16);
    return value(std::move(t));
  }
  std::int32_t tensor(const Sizes& sizes, std::int8_t dtype = 6) { return planned(shape(sizes, dtype)); }
  std::int32_t dynamic(const Sizes& bound, std::int8_t dtype = 6) {
    pte::Tensor t = shape(bound, dtype);
    t.dynamism = pte::ShapeDynamism::kDynamicBound;
    return planned(std::move(t));
  }
  // Another tensor value in the memory of `of`.
  std::int32_t alias(std::int32_t of, const Sizes& sizes) {
    pte::Tensor t = shape(sizes);
    t.allocation = std::get<pte::Tensor>(plan.values[static_cast<std::size_t>(of)]).allocation;
    return value(std::move(t));
  }
  std::int32_t constant(const Sizes& sizes, std::uint32_t index) {
    pte::Tensor t = shape(sizes);
    t.data_buffer_idx = index;
    return value(std::move(t));
  }

  void kernel(const std::string& name, const std::string& overload, const Indices& args) {
    std::size_t op = 0;
    while (op < plan.operators.size() && !(plan.operators[op].name == name && plan.operators[op].overload == overload)) ++op;
    if (op == plan.operators.size()) plan.operators.push_back({name, overload});
    instruction(pte::KernelCall{static_cast<std::int32_t>(op), args});
  }
  void add(std::int32_t a, std::int32_t b, std::int32_t out) {
    kernel("aten::add", "out", {a, b, integer(1), out, out});
  }
  void mul(std::int32_t a, std::int32_t b, std::int32_t out) { kernel("aten::mul", "out", {a, b, out, out}); }
  void instruction(pte::Instruction i) { plan.chains[0].instructions.push_back(std::move(i)); }
  std::int32_t next_instruction() const { return static_cast<std::int32_t>(plan.chains[0].instructions.size()); }

  pte::ExecutionPlan plan;
};

inline pte::Blob floats(const std::vector<float>& values) {
  std::vector<std::byte> bytes(values.size() * sizeof(float));
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return pte::Blob::own(std::move(bytes));
}

// Encoded bytes at an aligned address, and the program in them. Movable.
struct BuiltProgram {
  AlignedBuffer bytes;
  std::unique_ptr<Program> program;
};

inline Result<AlignedBuffer> aligned_copy(Bytes bytes) {
  ETALON_TRY(AlignedBuffer copy, AlignedBuffer::allocate(bytes.size()));
  if (!bytes.empty()) std::memcpy(copy.data(), bytes.data(), bytes.size());
  return copy;
}

inline Result<BuiltProgram> built(const pte::ProgramToWrite& source) {
  ETALON_TRY(const auto bytes, pte::encode_to_bytes(source));
  BuiltProgram out;
  ETALON_TRY(out.bytes, aligned_copy(Bytes(bytes)));
  ETALON_TRY(Program program, Program::from_bytes(Bytes(out.bytes.span())));
  out.program = std::make_unique<Program>(std::move(program));
  return out;
}

inline Result<BuiltProgram> built(const PlanBuilder& plan) {
  pte::ProgramToWrite source;
  source.plans.push_back(plan.plan);
  return built(source);
}

}  // namespace etalon::runtime::testing

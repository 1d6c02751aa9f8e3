// The values of one method in places that never move: tensors bound to memory, lists with their storage.
//
// Programs store lists of value indices ("boxed"): an item may change while the program runs, because a move or a
// number-returning operator writes it. Such lists are refreshed before the instruction that reads them.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "ops/value.h"
#include "runtime/aligned_buffer.h"
#include "runtime/program.h"

namespace etalon::runtime {

// What a value may become while the program runs; numbers change among each other, everything else stays what it is.
enum class ValueKind : std::uint8_t { kNone, kNumber, kString, kTensor, kIntList, kPlainList, kTensorList };

class ValueTable {
 public:
  // Binds every tensor to memory of at least its upper bound. Errors: kInvalidInput (a constant that does not fit, an
  // odd alignment), kUnsupported (dtype, device), kResource (over `memory_limit`), kNotFound (external data).
  static Result<ValueTable> build(const Program& program, const formats::pte::ExecutionPlan& plan,
                                  std::uint64_t memory_limit);

  std::size_t size() const { return values_.size(); }
  ops::Value& at(std::size_t i) { return values_[i]; }
  const ops::Value& at(std::size_t i) const { return values_[i]; }
  ValueKind kind(std::size_t i) const { return kinds_[i]; }
  // The value as the program stores it, whatever moves did to it since.
  const ops::Value& initial(std::size_t i) const { return initial_[i]; }
  // A constant in the mapped file: writing to it would end in a signal.
  bool is_read_only(std::size_t i) const { return read_only_[i]; }

  // Value numbers of the items of a list of ints or tensors; kNoItem for None. Empty for every other kind.
  static constexpr std::uint32_t kNoItem = 0xffffffffu;
  std::span<const std::uint32_t> items(std::size_t i) const;
  // Fills the list's storage from its items. kInvalidInput when an item of an int list is no int any more.
  Status refresh(std::size_t i);

  std::uint64_t memory_bytes() const { return memory_.size(); }

 private:
  friend class ValueTableBuilder;
  struct List {
    std::vector<std::uint32_t> items;
    std::vector<std::int64_t> ints;
    std::vector<TensorView*> tensors;
  };

  std::vector<ops::Value> values_;
  std::vector<ops::Value> initial_;
  std::vector<ValueKind> kinds_;
  std::vector<bool> read_only_;
  std::vector<std::uint32_t> list_of_;  // index into lists_, or kNoItem
  std::vector<List> lists_;
  std::vector<TensorView> tensors_;
  std::vector<std::unique_ptr<bool[]>> bools_;
  AlignedBuffer memory_;
};

}  // namespace etalon::runtime

// Which tensors of a program share memory, so that in-place operators can be made functional.
//
// Every tensor of the program is a Slot. A slot is either the root of a Storage or a view of another slot,
// made by an operator that can be applied again. Writing a slot writes its parents up to the root (by
// scattering the new elements into the old) and makes every other slot of the storage stale; a stale slot is
// computed again when it is next read.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "frontend/aten/rules.h"
#include "ir/builder.h"

namespace etalon::frontend {

enum class SlotId : std::uint32_t {};
enum class StorageId : std::uint32_t {};

// How a slot is made from its parent: argument 0 of the operator is the parent, this is output `output` of
// it.
struct ViewStep {
  std::string name;  // functional, "aten::select.int"
  Target target;
  std::vector<ir::Arg> args;
  std::size_t output = 0;
};

class Aliases {
 public:
  explicit Aliases(ir::Builder& builder) : builder_(builder) {}

  // A tensor of its own.
  SlotId add_root(ir::ValueId value);
  // One whose value is made when it is first read (weights that may never be).
  SlotId add_lazy_root(std::function<Result<ir::ValueId>()> make);
  SlotId add_view(SlotId parent, ViewStep step, ir::ValueId value);
  // Another name for the same tensor.
  SlotId add_alias(SlotId parent, ir::ValueId value);

  // The slot's elements now.
  Result<ir::ValueId> read(SlotId slot);
  // Errors: kUnsupported (a write through a view that maps several places to one element).
  Status write(SlotId slot, ir::ValueId value);

  StorageId storage_of(SlotId slot) const { return slots_[static_cast<std::size_t>(slot)].storage; }
  bool was_written(SlotId slot) const { return generation_of(slot) > 0; }
  // The slot that is the whole storage.
  SlotId root_of(SlotId slot) const;

 private:
  struct Slot {
    StorageId storage{};
    bool is_root = true;
    SlotId parent{};
    ViewStep step;  // without target: the same elements
    ir::ValueId value = ir::kNoValue;
    std::uint32_t generation = 0;  // of the storage when `value` was right
    std::function<Result<ir::ValueId>()> make;
  };

  Slot& at(SlotId slot) { return slots_[static_cast<std::size_t>(slot)]; }
  std::uint32_t generation_of(SlotId slot) const {
    return generations_[static_cast<std::size_t>(storage_of(slot))];
  }
  SlotId add(Slot slot);

  ir::Builder& builder_;
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> generations_;
};

// `parent` with the elements that the view shows replaced by `child`.
Result<ir::ValueId> scatter_view(ir::Builder& builder, const ViewStep& step, ir::ValueId parent,
                                 ir::ValueId child);

}  // namespace etalon::frontend

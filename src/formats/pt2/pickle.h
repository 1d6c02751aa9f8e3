// A machine for the part of pickle that torch.save uses. Private to formats/pt2.
#pragma once

#include <functional>
#include <string_view>

#include "base/result.h"
#include "formats/pt2/torch_save.h"

namespace etalon::formats::pt2 {

// Gives the bytes of the storage with this key.
using StorageSource = std::function<Result<Bytes>(std::string_view key)>;

// Interprets `text` (a data.pkl). Nothing is ever called: constructors outside of a short list are errors.
Result<PyValue> unpickle(Bytes text, const StorageSource& storages);

}  // namespace etalon::formats::pt2

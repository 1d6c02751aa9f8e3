// The kernel behind a delegate's event, as JSON in the event's `delegate_debug_metadata`: ExecuTorch's Inspector hands
// these bytes to the user's `delegate_metadata_parser` and ignores them without one.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "runtime/backend.h"
#include "runtime/method.h"

namespace etalon::trace {

// {"kernel":"...","isa":"avx512","isa_wanted":"avx512","tile":"7x32","threads":1}; with "reason" when the two ISAs differ.
std::string kernel_metadata(const runtime::DelegateOperation& operation);

// By instruction and event name.
using KernelMetadata = std::map<std::pair<std::int32_t, std::string_view>, std::string>;
// Names are borrowed from the method's delegates.
KernelMetadata kernel_metadata(const runtime::Method& method);

}  // namespace etalon::trace

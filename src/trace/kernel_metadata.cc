#include "trace/kernel_metadata.h"

#include <fmt/format.h>

#include <algorithm>

namespace etalon::trace {
namespace {

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    // Names and reasons are our own text; anything else would not be JSON.
    out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return out + "\"";
}

}  // namespace

std::string kernel_metadata(const runtime::DelegateOperation& operation) {
  std::string out = fmt::format(R"({{"kernel":{},"isa":{},"isa_wanted":{})", quoted(operation.kernel),
                                quoted(operation.isa), quoted(operation.wanted_isa));
  if (!operation.reason.empty()) out += fmt::format(R"(,"reason":{})", quoted(operation.reason));
  if (!operation.tile.empty()) out += fmt::format(R"(,"tile":{})", quoted(operation.tile));
  if (!operation.shape.empty()) out += fmt::format(R"(,"shape":{})", quoted(operation.shape));
  // Ascending: a fusion lists them in the order in which it met them.
  std::vector<std::uint32_t> nodes = operation.nodes;
  std::sort(nodes.begin(), nodes.end());
  return out + fmt::format(R"(,"nodes":[{}],"threads":{}}})", fmt::join(nodes, ","), operation.threads);
}

KernelMetadata kernel_metadata(const runtime::Method& method) {
  KernelMetadata out;
  for (std::size_t i = 0; i < method.instruction_count(); ++i) {
    const runtime::InstructionInfo info = method.instruction(i);
    if (info.delegate == nullptr) continue;
    for (const runtime::DelegateOperation& operation : info.delegate->operations()) {
      out.emplace(std::pair(static_cast<std::int32_t>(i), std::string_view(operation.name)), kernel_metadata(operation));
    }
  }
  return out;
}

}  // namespace etalon::trace

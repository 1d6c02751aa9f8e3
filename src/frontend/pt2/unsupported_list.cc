#include "frontend/pt2/unsupported_list.h"

#include <fmt/core.h>

#include <algorithm>

namespace etalon::frontend {
namespace {

struct Frame {
  std::string_view file;
  std::string_view line;
  std::string_view function;
};

std::string_view take_until(std::string_view& text, std::string_view end) {
  const std::size_t at = text.find(end);
  const std::string_view out = text.substr(0, at);
  text = at == std::string_view::npos ? std::string_view{} : text.substr(at + end.size());
  return out;
}

std::vector<Frame> frames_of(std::string_view trace) {
  std::vector<Frame> frames;
  constexpr std::string_view kStart = "File \"";
  for (std::size_t at = trace.find(kStart); at != std::string_view::npos; at = trace.find(kStart)) {
    trace = trace.substr(at + kStart.size());
    Frame frame;
    frame.file = take_until(trace, "\", line ");
    frame.line = take_until(trace, ", in ");
    frame.function = take_until(trace, "\n");
    frames.push_back(frame);
  }
  return frames;
}

bool is_torch(std::string_view file) {
  return file.find("torch/nn/") != std::string_view::npos || file.find("torch/_") != std::string_view::npos;
}

}  // namespace

std::string user_place(std::string_view stack_trace) {
  const std::vector<Frame> frames = frames_of(stack_trace);
  if (frames.empty()) return {};
  const Frame* chosen = &frames.back();
  for (const Frame& frame : frames) {
    if (!is_torch(frame.file)) chosen = &frame;
  }
  return fmt::format("{}:{} in {}", chosen->file, chosen->line, chosen->function);
}

void UnsupportedList::add(const std::string& what, std::string_view stack_trace) {
  const auto [found, is_new] = index_.try_emplace(what, entries_.size());
  if (is_new) entries_.push_back({what, 0, user_place(stack_trace)});
  ++entries_[found->second].count;
}

Error UnsupportedList::to_error() const {
  std::string text = fmt::format("the model uses {} {} not supported:", entries_.size(),
                                 entries_.size() == 1 ? "operator that is" : "operators that are");
  for (const Entry& entry : entries_) {
    text += fmt::format("\n  {} ({} {}", entry.what, entry.count, entry.count == 1 ? "time" : "times");
    text += entry.place.empty() ? ")" : fmt::format(", first at {})", entry.place);
  }
  const bool quantised = std::any_of(entries_.begin(), entries_.end(), [](const Entry& entry) {
    return entry.what.starts_with("quantized_decomposed::") || entry.what.starts_with("torchao::");
  });
  if (quantised)
    text += "\n  (quantise to 8 bits, per channel or per tensor; groups and 4 bits are not supported)";
  return unsupported(std::move(text));
}

}  // namespace etalon::frontend

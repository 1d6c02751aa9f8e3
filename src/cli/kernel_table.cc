#include "cli/kernel_table.h"

#include <fmt/core.h>

#include <algorithm>

namespace etalon::cli {
namespace {

std::string shape_of(const KernelRecord& record) {
  if (!record.shape.empty()) return record.shape;
  const auto text = [](const std::vector<std::string>& types) {
    std::string joined;
    for (const std::string& type : types) joined += (joined.empty() ? "" : ", ") + type;
    return joined;
  };
  return text(record.inputs) + " -> " + text(record.outputs);
}

// What ran instead of what, and why.
struct Group {
  std::string isa, wanted_isa, reason;
  std::size_t operators = 0;
  std::int64_t flops = 0;
};

std::vector<Group> groups_of(const std::vector<KernelRecord>& kernels) {
  std::vector<Group> groups;
  for (const KernelRecord& record : kernels) {
    auto place = std::find_if(groups.begin(), groups.end(), [&](const Group& known) {
      return known.isa == record.isa && known.wanted_isa == record.wanted_isa && known.reason == record.reason;
    });
    if (place == groups.end()) place = groups.insert(place, {record.isa, record.wanted_isa, record.reason, 0, 0});
    ++place->operators;
    place->flops += record.flops;
  }
  std::stable_sort(groups.begin(), groups.end(), [](const Group& a, const Group& b) { return a.flops > b.flops; });
  return groups;
}

std::string group_line(const Group& group, std::int64_t all_flops) {
  const double share = all_flops > 0 ? 100.0 * static_cast<double>(group.flops) / static_cast<double>(all_flops) : 0;
  std::string text = fmt::format("  {:>4} operators {:>5.1f} % of the FLOPs  {}", group.operators, share, group.isa);
  if (group.isa == group.wanted_isa || group.wanted_isa.empty()) return text + "\n";
  return text + fmt::format(" instead of {}{}{}\n", group.wanted_isa, group.reason.empty() ? "" : ": ", group.reason);
}

std::size_t widest(const std::vector<KernelRecord>& kernels, std::string KernelRecord::* field, std::size_t most) {
  std::size_t width = 6;
  for (const KernelRecord& record : kernels) width = std::max(width, (record.*field).size());
  return std::min(width, most);
}

}  // namespace

std::string kernel_table(const std::vector<KernelRecord>& kernels, const Console& console) {
  const std::size_t name = widest(kernels, &KernelRecord::operation, 44);
  const std::size_t kernel = widest(kernels, &KernelRecord::kernel, 52);
  std::string text = console.bold(fmt::format("  {:>4} {:<{}}  {:<{}}  {:<10} {:>3} {:>9}  {}", "", "operator", name, "kernel",
                                              kernel, "isa", "thr", "MFLOP", "shape")) + "\n";
  std::int64_t flops = 0;
  for (const KernelRecord& record : kernels) {
    flops += record.flops;
    text += fmt::format("  {:>4} {:<{}}  {:<{}}  {:<10} {:>3} {:>9.2f}  {}\n", record.instruction, record.operation, name,
                        record.kernel, kernel, record.isa, record.threads, static_cast<double>(record.flops) / 1e6,
                        console.dim(shape_of(record)));
  }
  text += console.bold("Instruction sets") + "\n";
  for (const Group& group : groups_of(kernels)) text += group_line(group, flops);
  return text;
}

}  // namespace etalon::cli

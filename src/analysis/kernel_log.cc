#include "analysis/kernel_log.h"

#include <algorithm>
#include <cctype>

namespace etalon::analysis {
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

std::vector<std::string_view> split(std::string_view text, char mark) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t end = text.find(mark);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

// xnn_<dtype>_<op>_[<variant>_]ukernel_<shape>__<arch...>
void read_parts(KernelRow& kernel) {
  std::string_view base = kernel.name;
  const std::size_t arch = base.find("__");
  if (arch != std::string_view::npos) {
    kernel.arch = base.substr(arch + 2);
    base = base.substr(0, arch);
  }
  const std::vector<std::string_view> parts = split(base, '_');
  const std::size_t first = parts[0] == "xnn" ? 1 : 0;
  if (parts.size() < first + 2) return;
  kernel.dtype = parts[first];
  kernel.op = parts[first + 1];
  const auto mark = std::find(parts.begin(), parts.end(), "ukernel");
  if (mark == parts.end()) return;
  if (mark - parts.begin() > static_cast<std::ptrdiff_t>(first) + 2) kernel.variant = parts[first + 2];
  if (mark + 1 != parts.end()) kernel.shape = *(mark + 1);
}

// False when the line is not about a kernel.
bool read_line(std::string_view line, KernelRow& kernel) {
  constexpr std::string_view kMark = " microkernel '";
  const std::size_t mark = line.find(kMark);
  const std::size_t using_word = line.find("Using ");
  if (mark == std::string_view::npos || using_word == std::string_view::npos || using_word > mark)
    return false;
  const std::size_t end = line.find('\'', mark + kMark.size());
  if (end == std::string_view::npos) return false;
  kernel.category = lower(line.substr(using_word + 6, mark - using_word - 6));
  if (kernel.category == "transposec") kernel.category = "transpose";
  kernel.name = line.substr(mark + kMark.size(), end - mark - kMark.size());
  return !kernel.name.empty();
}

}  // namespace

bool KernelRow::has_sme() const { return lower(arch).find("sme") != std::string::npos; }
bool KernelRow::has_sme2() const { return lower(arch).find("sme2") != std::string::npos; }

KernelRow kernel_row(std::string name) {
  KernelRow kernel;
  kernel.name = std::move(name);
  // "aten::add.out" is no name of that grammar.
  if (kernel.name.find("::") == std::string::npos) read_parts(kernel);
  kernel.count = 1;
  return kernel;
}

std::vector<KernelRow> kernels_in_log(std::string_view log) {
  std::vector<KernelRow> kernels;
  std::map<std::string, std::size_t> index;
  while (!log.empty()) {
    const std::size_t end = log.find('\n');
    KernelRow kernel;
    if (read_line(log.substr(0, end), kernel)) {
      const auto [place, added] = index.try_emplace(kernel.name, kernels.size());
      if (added) {
        read_parts(kernel);
        kernels.push_back(std::move(kernel));
      }
      ++kernels[place->second].count;
    }
    if (end == std::string_view::npos) break;
    log.remove_prefix(end + 1);
  }
  std::stable_sort(kernels.begin(), kernels.end(),
                   [](const KernelRow& a, const KernelRow& b) { return a.count > b.count; });
  return kernels;
}

std::map<std::string, std::uint64_t> kernel_hints(const std::vector<KernelRow>& kernels) {
  std::map<std::string, std::uint64_t> hints;
  for (const KernelRow& kernel : kernels) {
    if (kernel.arch.empty()) continue;
    for (const std::string_view part : split(kernel.arch, '_')) {
      if (part == "aarch64" || part == "aarch32" || part.empty()) continue;
      hints[std::string(part)] += kernel.count;
      break;
    }
  }
  return hints;
}

}  // namespace etalon::analysis

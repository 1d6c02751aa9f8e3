#include "cli/isa_pair.h"

#include <algorithm>
#include <iterator>
#include <vector>

#include "cli/engine_choice.h"
#include "cli/run_report.h"
#include "kernels/isa.h"
#include "runtime/module.h"

namespace etalon::cli {
namespace {

struct Choice {
  std::string isa;
  std::vector<std::string> kernels;  // sorted
};

Result<Choice> kernels_within(const std::string& program, std::string_view isa) {
  RunReport report;
  runtime::ModuleOptions options;
  ETALON_TRY(const Engine engine, Engine::choose({.engine = "native", .isa = isa, .threads = 1}, options.method, report));
  ETALON_TRY(auto module, runtime::Module::load(program, options));
  ETALON_TRY(runtime::Method* const method, module.method(""), program);
  Choice choice;
  choice.isa = report.isa;
  for (const KernelRecord& record : kernel_records(*method)) choice.kernels.push_back(record.kernel);
  std::sort(choice.kernels.begin(), choice.kernels.end());
  return choice;
}

std::size_t differences(const std::vector<std::string>& on, const std::vector<std::string>& off) {
  std::vector<std::string> only;
  std::set_difference(on.begin(), on.end(), off.begin(), off.end(), std::back_inserter(only));
  return only.size();
}

}  // namespace

Result<std::optional<IsaPair>> find_isa_pair(const std::string& program) {
  ETALON_TRY(Choice on, kernels_within(program, "auto"));
  auto isa = kernels::isa_from_name(on.isa);
  while (isa && kernels::info_of(*isa).base != *isa) {
    isa = kernels::info_of(*isa).base;
    ETALON_TRY(Choice off, kernels_within(program, kernels::info_of(*isa).name));
    const std::size_t changed = differences(on.kernels, off.kernels);
    if (changed > 0) return std::optional(IsaPair{off.isa, on.isa, on.kernels.size(), changed});
    on = std::move(off);
  }
  return std::optional<IsaPair>();
}

}  // namespace etalon::cli

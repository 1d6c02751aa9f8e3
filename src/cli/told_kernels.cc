#include "cli/told_kernels.h"

#include <string>
#include <utility>

#include "analysis/taxonomy.h"

namespace etalon::cli {

std::vector<analysis::KernelRow> told_kernels(const targets::RunOutcome& outcome) {
  std::vector<analysis::KernelRow> rows;
  for (const targets::KernelUse& use : outcome.kernels) {
    analysis::KernelRow row = analysis::kernel_row(use.kernel);
    row.category = row.op.empty() ? std::string(analysis::operator_base_name(use.operation)) : row.op;
    if (row.op.empty()) row.op = use.operation;
    if (row.arch.empty()) row.arch = use.isa;
    if (row.shape.empty()) row.shape = use.tile;
    row.instruction = use.instruction;
    row.operation = use.operation;
    row.isa = use.isa;
    row.wanted_isa = use.wanted_isa;
    row.reason = use.reason;
    row.tile = use.tile;
    row.operator_shape = use.shape;
    row.threads = use.threads;
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace etalon::cli

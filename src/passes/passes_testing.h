// For tests of passes: text before, text after.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "ir/text.h"
#include "passes/pass.h"

namespace etalon::passes {

// Runs one pass, verifying the graph before and after, and gives the text (or the error).
inline std::string after(const Pass& pass, std::string_view text) {
  auto graph = ir::parse(text);
  if (!graph.ok()) return graph.error().message();
  const auto record = run_pass(pass, *graph, true);
  if (!record.ok()) return record.error().message();
  return ir::print(*graph);
}

}  // namespace etalon::passes

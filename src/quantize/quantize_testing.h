// For tests: a graph from text, its weights filled, quantised with given ranges.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <string_view>

#include "ir/text.h"
#include "ir/verify.h"
#include "quantize/plan.h"
#include "quantize/rewrite.h"

namespace etalon::quantize {

inline ir::Graph graph_of(std::string_view text) {
  auto graph = ir::parse(text);
  if (!graph.ok()) {
    ADD_FAILURE() << graph.error().message();
    return {};
  }
  return std::move(graph).value();
}

// The text after quantisation where every observed group has the range [-1, 1] (static) or none is needed
// (dynamic); or the error.
inline std::string after_quantising(std::string_view text, const Options& options = {}) {
  ir::Graph graph = graph_of(text);
  const auto plan = make_plan(graph, options);
  if (!plan.ok()) return plan.error().message();
  Calibration calibration;
  for (const Group& group : plan->groups)
    calibration.params.push_back(group.fixed.value_or(activation_params({-1, 1})));
  if (const auto status = quantise(graph, *plan, calibration); !status.ok()) return status.error().message();
  graph.compact();
  if (const auto status = ir::verify(graph); !status.ok()) return status.error().message();
  return ir::print(graph);
}

inline std::size_t count_of(std::string_view text, std::string_view part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string_view::npos; at = text.find(part, at + part.size()))
    ++count;
  return count;
}

}  // namespace etalon::quantize

// What the user asks for by --quant-skip and --quant-only: patterns that sites match by kind, operator,
// result or weight.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "quantize/site.h"

namespace etalon::quantize {

struct Selection {
  std::vector<std::string> skip = {};  // these sites stay in float
  std::vector<std::string> only = {};  // empty: every site; else these alone
};

// '*' stands for any text. A pattern is held against a site's kind ("conv"), its operators
// ("aten::convolution", also without namespace and overload), its results' names ("conv2d_3", also of a fused
// clamp), what exported them ("conv2d") and its weight's name; one that names a module ("features.0") also
// fits all of its parameters. "=conv2d" is the name of one result and nothing else, where "conv2d" is also
// what exported every convolution.
bool matches(const ir::Graph& graph, const Site& site, std::string_view pattern);

// kNotFound for a pattern that fits no site, naming kinds there are.
Status check_selection(const ir::Graph& graph, const std::vector<Site>& sites, const Selection& selection);

bool is_selected(const ir::Graph& graph, const Site& site, const Selection& selection);

}  // namespace etalon::quantize

// docs/reference/rules.md: the rules as the program knows them, so that the document cannot fall behind.
#pragma once

#include <string>

namespace etalon::analysis {

// Markdown, in the order of rules.def.
std::string rules_markdown();

}  // namespace etalon::analysis

// etalon_rules_doc: prints docs/reference/rules.md.
#include <cstdio>

#include "analysis/rules/rules_doc.h"

int main() {
  const std::string text = etalon::analysis::rules_markdown();
  return std::fwrite(text.data(), 1, text.size(), stdout) == text.size() ? 0 : 1;
}

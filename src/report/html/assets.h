// The page's style sheet and script: report.css and report.js, embedded by the build.
#pragma once

#include <string_view>

namespace etalon::report {

extern const std::string_view kPageStyle;
extern const std::string_view kPageScript;

}  // namespace etalon::report

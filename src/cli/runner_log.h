// Log lines of executor_runner: "I 00:00:00.001234 executorch:runner.cc:12] Model file model.pte is loaded."
#pragma once

#include <cstdint>
#include <string_view>

namespace etalon::cli {

// On stderr, with the time since the program began. Scripts parse these lines, so their text is an interface.
void log_line(char level, const char* file, int line, std::string_view message);

}  // namespace etalon::cli

#define ETALON_LOG_INFO(...) ::etalon::cli::log_line('I', __FILE__, __LINE__, fmt::format(__VA_ARGS__))
#define ETALON_LOG_ERROR(...) ::etalon::cli::log_line('E', __FILE__, __LINE__, fmt::format(__VA_ARGS__))

// Advice on a terminal.
#pragma once

#include <optional>
#include <string>

#include "analysis/remedy.h"
#include "cli/console.h"

namespace etalon::cli {

// "predicted to save 1.2 ms to 3.4 ms", or that nothing was predicted.
std::string predicted(const std::optional<double>& low, const std::optional<double>& high);

// What a person would type; else "threads 2".
std::string command_of(const analysis::Remedy& remedy);

// Two to four lines: the outcome, what was done, the times with their verdict, the numbers.
void print_advice(const analysis::VerifiedAdvice& advice, const Console& console);

}  // namespace etalon::cli

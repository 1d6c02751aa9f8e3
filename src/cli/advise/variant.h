// A model in one of the forms that advice can give it: how it is exported and how it is run.
#pragma once

#include <string>
#include <vector>

#include "analysis/remedy.h"
#include "base/result.h"
#include "cli/arms.h"

namespace etalon::cli {

struct Variant {
  std::string source;   // .pt2 or zoo:NAME; empty: only the program is at hand
  std::string program;  // .pte
  std::string backend = "xnnpack";
  std::string dtype = "fp32";
  std::vector<std::string> disabled_passes;
  std::string engine, isa, math;
  std::uint32_t threads = 1;
  bool prepacked = false;
};

// Exports `source` as the variant says, into `folder`; sets `program`. Programs that exist already are made again.
Status export_variant(Variant& variant, const std::string& folder);

// The variant with the remedy applied, exported again where it has to be, its program in `folder`.
// Errors: kUnsupported (nothing to apply, or it is so already, or it needs the model and only a program is at hand), with
// the reason; those of exporting.
Result<Variant> apply(const analysis::Remedy& remedy, const Variant& variant, const std::string& folder);

// Whether the remedy may change what the model computes, beyond rounding.
bool changes_numbers(const analysis::Remedy& remedy);

ArmRequest arm_of(const Variant& variant, const std::string& name, const std::vector<std::string>& inputs);

// "xnnpack fp32, 2 threads, avx512".
std::string describe(const Variant& variant);

}  // namespace etalon::cli

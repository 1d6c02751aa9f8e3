#include "analysis/remedy.h"

namespace etalon::analysis {

std::string_view remedy_kind_name(RemedyKind kind) {
  switch (kind) {
    case RemedyKind::kNone: return "none";
    case RemedyKind::kThreads: return "threads";
    case RemedyKind::kIsa: return "isa";
    case RemedyKind::kEngine: return "engine";
    case RemedyKind::kBackend: return "backend";
    case RemedyKind::kDtype: return "dtype";
    case RemedyKind::kMath: return "math";
    case RemedyKind::kPass: return "pass";
    case RemedyKind::kPrepack: return "prepack";
  }
  return "none";
}

std::string_view advice_outcome_name(AdviceOutcome outcome) {
  switch (outcome) {
    case AdviceOutcome::kKept: return "kept";
    case AdviceOutcome::kRejected: return "rejected";
    case AdviceOutcome::kNotApplied: return "not applied";
  }
  return "not applied";
}

}  // namespace etalon::analysis

#include "cli/command.h"

namespace etalon::cli {

int exit_code_of(const Error& error) {
  switch (error.code()) {
    case ErrorCode::kInvalidInput:
    case ErrorCode::kUnsupported:
    case ErrorCode::kNotFound:
    case ErrorCode::kIo:
    case ErrorCode::kResource: return kExitUsage;
    case ErrorCode::kRunFailed: return kExitRunFailed;
    case ErrorCode::kInternal: return kExitDefect;
  }
  return kExitDefect;
}

}  // namespace etalon::cli

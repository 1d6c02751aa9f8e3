#pragma once

namespace etalon::cli {
inline constexpr const char* kVersion = "0.1.0";
}

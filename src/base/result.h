// Result<T>: a value or an Error that names what went wrong. The one way a layer reports failure.
//
// Errors are values: libraries never print, exit or throw across a layer. Context is added on the way up with
// ETALON_TRY, so a message reads outermost first: "model.pte: tensor 3: size is 12 bytes, want 16".
// Messages are lower case, without a full stop, and give found, wanted and the fix where there is one.
// Success allocates nothing, so Result may be returned from the run loop. Thread-compatible.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace etalon {

// What the caller can do about it. `cli` maps codes to exit codes (docs/reference/exit-codes.md).
enum class ErrorCode : std::uint8_t {
  kInvalidInput,  // their bytes, flags or shapes are wrong
  kUnsupported,   // valid, but not handled; the message says what would be
  kNotFound,      // a named file, operator, method or model does not exist
  kIo,            // the operating system refused
  kResource,      // a limit was reached (memory, size, count)
  kRunFailed,     // a run on a device crashed, timed out or disappeared
  kInternal,      // a defect of ours
};

class [[nodiscard]] Error {
 public:
  Error(ErrorCode code, std::string message) : code_(code), message_(std::move(message)) {}

  ErrorCode code() const { return code_; }
  const std::string& message() const { return message_; }

  // Puts `context` in front: "context: message".
  Error with_context(std::string_view context) && {
    message_.insert(0, std::string(context) + ": ");
    return std::move(*this);
  }

 private:
  ErrorCode code_;
  std::string message_;
};

inline Error invalid_input(std::string message) { return {ErrorCode::kInvalidInput, std::move(message)}; }
inline Error unsupported(std::string message) { return {ErrorCode::kUnsupported, std::move(message)}; }
inline Error not_found(std::string message) { return {ErrorCode::kNotFound, std::move(message)}; }
inline Error io_error(std::string message) { return {ErrorCode::kIo, std::move(message)}; }
inline Error resource_error(std::string message) { return {ErrorCode::kResource, std::move(message)}; }
inline Error run_failed(std::string message) { return {ErrorCode::kRunFailed, std::move(message)}; }
inline Error internal_error(std::string message) { return {ErrorCode::kInternal, std::move(message)}; }

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::move(value)) {}      // NOLINT: implicit by design
  Result(Error error) : state_(std::move(error)) {}  // NOLINT: implicit by design

  bool ok() const { return std::holds_alternative<T>(state_); }
  explicit operator bool() const { return ok(); }

  T& value() & { return *std::get_if<T>(&state_); }
  const T& value() const& { return *std::get_if<T>(&state_); }
  T&& value() && { return std::move(*std::get_if<T>(&state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return std::get_if<T>(&state_); }
  const T* operator->() const { return std::get_if<T>(&state_); }

  const Error& error() const { return *std::get_if<Error>(&state_); }
  Error take_error() { return std::move(*std::get_if<Error>(&state_)); }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}  // NOLINT: implicit by design

  bool ok() const { return !error_.has_value(); }
  explicit operator bool() const { return ok(); }
  const Error& error() const { return *error_; }
  Error take_error() { return std::move(*error_); }

 private:
  std::optional<Error> error_;
};

using Status = Result<void>;

// For invariants that earlier validation has proved; kept in release builds. Never for outside bytes.
[[noreturn]] void check_failed(const char* condition, const char* file, int line);

}  // namespace etalon

#define ETALON_CHECK(condition) \
  ((condition) ? void(0) : ::etalon::check_failed(#condition, __FILE__, __LINE__))

#define ETALON_CONCAT_INNER(a, b) a##b
#define ETALON_CONCAT(a, b) ETALON_CONCAT_INNER(a, b)

// ETALON_TRY(auto x, expr);            binds the value or returns the error
// ETALON_TRY(auto x, expr, "context"); the same, with context put in front of the message
#define ETALON_TRY(decl, ...) \
  ETALON_TRY_IMPL(ETALON_CONCAT(etalon_try_, __COUNTER__), decl, __VA_ARGS__)
#define ETALON_TRY_IMPL(tmp, decl, ...) ETALON_TRY_PICK(__VA_ARGS__, 2, 1)(tmp, decl, __VA_ARGS__)
#define ETALON_TRY_PICK(a, b, n, ...) ETALON_TRY_##n
#define ETALON_TRY_1(tmp, decl, expr) \
  auto tmp = (expr);                  \
  if (!tmp.ok()) [[unlikely]]         \
    return tmp.take_error();          \
  decl = std::move(tmp).value()
#define ETALON_TRY_2(tmp, decl, expr, context)         \
  auto tmp = (expr);                                   \
  if (!tmp.ok()) [[unlikely]]                          \
    return tmp.take_error().with_context(context);     \
  decl = std::move(tmp).value()

// ETALON_CHECKED(expr): for Status-returning calls.
#define ETALON_CHECKED(...) ETALON_CHECKED_PICK(__VA_ARGS__, 2, 1)(__VA_ARGS__)
#define ETALON_CHECKED_PICK(a, b, n, ...) ETALON_CHECKED_##n
#define ETALON_CHECKED_1(expr)                                       \
  do {                                                               \
    if (auto etalon_status = (expr); !etalon_status.ok()) [[unlikely]] \
      return etalon_status.take_error();                             \
  } while (false)
#define ETALON_CHECKED_2(expr, context)                              \
  do {                                                               \
    if (auto etalon_status = (expr); !etalon_status.ok()) [[unlikely]] \
      return etalon_status.take_error().with_context(context);       \
  } while (false)

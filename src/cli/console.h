// What a person sees: results on stdout, progress and diagnostics on stderr, colour only on a terminal.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace etalon::cli {

class Console {
 public:
  Console();  // looks at the terminal, NO_COLOR and TERM

  bool colour() const { return colour_; }        // stdout takes colour
  bool interactive() const { return interactive_; }  // stderr is a terminal: progress bars are welcome
  int width() const { return width_; }           // columns of stdout's terminal, 100 when it is none
  bool quiet() const { return quiet_; }
  bool verbose() const { return verbose_; }
  void set_quiet(bool quiet) { quiet_ = quiet; }
  void set_verbose(bool verbose) { verbose_ = verbose; }

  void print(std::string_view text) const;   // stdout, as is
  void note(std::string_view line) const;    // stderr, unless quiet
  void detail(std::string_view line) const;  // stderr, when verbose
  void warn(std::string_view line) const;    // stderr, "warning: ..."
  // A bar that redraws itself on a terminal and prints nothing elsewhere; `done == total` ends the line.
  void progress(std::string_view label, std::size_t done, std::size_t total) const;

  // ANSI escapes when colour() holds, else the text alone.
  std::string bold(std::string_view text) const { return styled("1", text); }
  std::string dim(std::string_view text) const { return styled("2", text); }
  std::string green(std::string_view text) const { return styled("32", text); }
  std::string yellow(std::string_view text) const { return styled("33", text); }
  std::string red(std::string_view text) const { return styled("31", text); }

 private:
  std::string styled(const char* code, std::string_view text) const;

  bool colour_ = false;
  bool interactive_ = false;
  bool quiet_ = false;
  bool verbose_ = false;
  int width_ = 100;
};

}  // namespace etalon::cli

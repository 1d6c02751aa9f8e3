#include "cli/interrupt.h"

#include <unistd.h>

#include <csignal>
#include <string_view>

#include "base/unfinished.h"
#include "platform/process.h"

namespace etalon::cli {
namespace {

// Only async-signal-safe calls are allowed here. The handler is reset on entry (SA_RESETHAND).
void end(int number) {
  platform::end_running_process();
  remove_unfinished_files();
  constexpr std::string_view kMessage = "\netalon: interrupted; what was finished is kept\n";
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, kMessage.data(), kMessage.size());
  ::raise(number);
}

}  // namespace

void clean_up_on_interrupt() {
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction before {};
    if (::sigaction(number, nullptr, &before) != 0 || before.sa_handler == SIG_IGN) continue;
    struct sigaction action {};
    action.sa_handler = &end;
    action.sa_flags = static_cast<int>(SA_RESETHAND);
    ::sigfillset(&action.sa_mask);
    ::sigaction(number, &action, nullptr);
  }
}

}  // namespace etalon::cli

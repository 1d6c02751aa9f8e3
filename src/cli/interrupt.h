// What Ctrl-C, `kill` and a closed terminal leave behind: no half-written file and no running child.
#pragma once

namespace etalon::cli {

// From now on these signals end the child that runs, remove unfinished files, and then end us as they always
// did, so that a shell still sees the signal. Signals that our parent ignores stay ignored. Call once.
void clean_up_on_interrupt();

}  // namespace etalon::cli

"""Prints "passed failed skipped" of a test log: test_counts.py gtest|pytest LOG.

A log without a closing line counts as one failure: a crash must not look like success.
"""

import re
import sys


def count(pattern: str, text: str) -> int:
    found = re.findall(pattern, text, re.MULTILINE)
    return int(found[-1]) if found else 0


def main() -> None:
    kind, path = sys.argv[1], sys.argv[2]
    with open(path, encoding="utf-8", errors="replace") as log:
        text = log.read()
    if kind == "gtest":
        passed = count(r"^\[  PASSED  \] (\d+) test", text)
        skipped = count(r"^\[  SKIPPED \] (\d+) test", text)
        # A brief log has no list of failures.
        ran = count(r"^\[={10}\] (\d+) tests? from \d+ test suites? ran", text)
        failed = max(count(r"^ ?(\d+) FAILED TEST", text), ran - passed - skipped)
        finished = "[  PASSED  ]" in text or "FAILED TEST" in text
    else:
        passed = count(r"\b(\d+) passed", text)
        failed = count(r"\b(\d+) failed", text) + count(r"\b(\d+) error", text)
        skipped = count(r"\b(\d+) skipped", text)
        finished = passed + failed + skipped > 0 or "no tests ran" in text
    if not finished:
        failed += 1
    print(passed, failed, skipped)


if __name__ == "__main__":
    main()

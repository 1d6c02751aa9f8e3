"""A fixed piece of arithmetic: what the machine does with it just before a block tells whether the block counts."""

import sys
import time

import numpy


def main():
    a = numpy.random.default_rng(0).random((192, 192), dtype=numpy.float32)
    b = a.copy()
    for _ in sys.stdin:
        # Long enough to meet whoever shares the CPU, and the whole of it counts: being set aside is what matters.
        start = time.perf_counter_ns()
        for _ in range(60):
            a @ b
        print((time.perf_counter_ns() - start) / 1e6, flush=True)


if __name__ == "__main__":
    main()

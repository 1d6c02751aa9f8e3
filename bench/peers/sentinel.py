"""A fixed piece of arithmetic: what the machine does with it just before a block tells whether the block counts."""

import sys
import time

import numpy


def main():
    a = numpy.random.default_rng(0).random((192, 192), dtype=numpy.float32)
    b = a.copy()
    for _ in sys.stdin:
        times = []
        for _ in range(12):
            start = time.perf_counter_ns()
            a @ b
            times.append((time.perf_counter_ns() - start) / 1e6)
        print(sorted(times)[len(times) // 2], flush=True)


if __name__ == "__main__":
    main()

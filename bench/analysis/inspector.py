"""Seconds and peak memory of ExecuTorch's Inspector on one .etdump: inspector.py FILE. Prints JSON. Needs executorch."""

import contextlib
import io
import json
import resource
import sys
import time


def main(path):
    quiet = io.StringIO()
    with contextlib.redirect_stdout(quiet), contextlib.redirect_stderr(quiet):
        from executorch.devtools import Inspector

        start = time.perf_counter()
        inspector = Inspector(etdump_path=path)
        read = time.perf_counter()
        rows = sum(len(block.to_dataframe()) for block in inspector.event_blocks)
        shown = time.perf_counter()
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    print(json.dumps({"read_s": read - start, "table_s": shown - read, "rows": rows, "peak_mb": peak / 1e3}))


if __name__ == "__main__":
    main(sys.argv[1])

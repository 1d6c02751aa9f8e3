"""One cell (a model with a number of threads): every engine loaded, then measured in interleaved blocks.

Each round measures every engine once, in an order drawn anew, so that drift of the machine meets all alike. Engines that
wait are stopped, so that their spinning threads disturb nobody. Before each block a sentinel tells whether the machine was
quiet; blocks that were not are left out as long as enough remain.
"""

import random
import sys
import tempfile
from pathlib import Path

import numpy

from engines import HERE
from process import EngineFailed, Loaded, Sentinel

NOISY = 1.12  # sentinel time over its best


def percentile(values, share):
    return float(numpy.quantile(numpy.asarray(values), share))


def matched_outputs(folder, eager):
    """Pairs (eager, found) of outputs, since some converters order them their own way; None when shapes do not match."""
    found = [numpy.load(p) for p in sorted(Path(folder).glob("*.npy"), key=lambda p: int(p.stem))]
    wanted = [numpy.load(p) for p in eager]
    if len(found) != len(wanted):
        return None
    pairs = []
    for w in wanted:
        fits = [i for i, f in enumerate(found) if f.shape == w.shape]
        if not fits:
            return None
        pairs.append((w.astype(numpy.float64), found.pop(fits[0]).astype(numpy.float64)))
    return pairs


def output_error(pairs):
    """The largest difference to eager, relative to the largest value of its output."""
    return max(float(numpy.abs(f - w).max()) / (float(numpy.abs(w).max()) or 1.0) for w, f in pairs)


def output_snr(pairs):
    """In dB, of the worst output; None where it is infinite or an output is not finite."""
    worst = None
    for w, f in pairs:
        noise = float(((f - w) ** 2).sum())
        if not numpy.isfinite(noise):
            return None
        if noise and (w**2).sum():
            snr = float(10 * numpy.log10((w**2).sum() / noise))
            worst = snr if worst is None else min(worst, snr)
    return worst


class Cell:
    """`protocol` has seconds, rounds and loads, and the timeout of an answer."""

    def __init__(self, artefacts, engines, threads, cpus, protocol):
        self._artefacts, self._threads, self._cpus, self._protocol = artefacts, threads, cpus, protocol
        self.rows, self._live, self._best_sentinel = {}, [], float("inf")
        for engine in engines:
            self._open(engine)

    def _open(self, engine):
        reason = engine.missing() or self._artefacts.make(engine.artefact)
        row = {"engine": engine.name, "kind": engine.kind}
        self.rows[engine.name] = row
        if reason is None:
            try:
                self._load(engine, row)
            except EngineFailed as failed:
                reason = str(failed)
        if reason is not None:
            row["missing"] = reason
            print(f"  {engine.name}: {reason}", file=sys.stderr, flush=True)

    def _load(self, engine, row):
        loads = []
        for i in range(self._protocol.loads):
            loaded = Loaded(engine, self._artefacts.folder, self._artefacts.inputs(engine.inputs), self._threads, self._cpus,
                            self._protocol.timeout)
            loads.append(loaded)
            if i + 1 < self._protocol.loads:
                loaded.close()
        loaded = loads[-1]
        if engine.name.startswith("ours") and loaded.said.get("engine") != "native":
            loaded.close()
            raise EngineFailed(f"this build runs {loaded.said.get('engine')} kernels instead of native ones")
        row["version"] = loaded.said.get("version", "")
        row["load_ms"] = percentile([x.load_ms for x in loads], 0.5)
        row["first_ms"] = percentile([x.first_ms for x in loads], 0.5)
        row["peak_mb"] = percentile([x.peak_mb for x in loads], 0.5)
        with tempfile.TemporaryDirectory() as folder:
            loaded.write_outputs(folder)
            pairs = matched_outputs(folder, self._artefacts.eager())
            row["error"], row["snr_db"] = (output_error(pairs), output_snr(pairs)) if pairs else (None, None)
        row["blocks"] = []
        loaded.hold()
        self._live.append(loaded)

    def measure(self, seed):
        order = random.Random(seed)
        sentinel = Sentinel([sys.executable, str(HERE / "sentinel.py")], sorted(self._cpus))
        try:
            sentinel.probe()
            for _ in range(self._protocol.rounds):
                order.shuffle(self._live)
                for loaded in list(self._live):
                    self._block(loaded, sentinel)
        finally:
            sentinel.close()
        for row in self.rows.values():
            self._summarize(row)

    def _block(self, loaded, sentinel):
        row = self.rows[loaded.engine.name]
        loaded.release()
        try:
            budget = self._protocol.seconds * 1e3 / self._protocol.rounds
            warm = loaded.run(1)  # after the others, caches are cold
            if warm[0] < budget / 3:
                warm = loaded.run(1)
            count = max(2, int(budget / max(min(warm), 1e-3)))
            before = sentinel.probe()
            self._best_sentinel = min(self._best_sentinel, before)
            row["blocks"].append((before, loaded.run(count)[1:]))
            loaded.hold()
        except EngineFailed as failed:
            row["missing"] = str(failed)
            self._live.remove(loaded)
            loaded.close()

    def _summarize(self, row):
        blocks = row.pop("blocks", [])
        if "missing" in row or not blocks:
            return
        best = self._best_sentinel
        quiet = [times for sentinel, times in blocks if sentinel <= NOISY * best]
        row["quiet_blocks"] = f"{len(quiet)}/{len(blocks)}"
        if len(quiet) < 3:
            quiet = [times for _, times in blocks]
        times = [t for block in quiet for t in block]
        row.update(min_ms=min(times), median_ms=percentile(times, 0.5), p95_ms=percentile(times, 0.95), runs=len(times),
                   block_medians_ms=[percentile(block, 0.5) for block in quiet])

    def close(self):
        for loaded in self._live:
            loaded.close()

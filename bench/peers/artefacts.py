"""The files that engines load, made once per model and kept in the cache."""

import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path

from engines import BIN, HERE, ROOT

NEEDS = {"model.xml": "model.onnx", "packed.pte": "ours.pte", "int8.onnx": "model.onnx", "int8.xml": "model.xml",
         "int8.tflite": "model.tflite", "half.onnx": "model.onnx"}
OURS = ("ours.pte", "packed.pte", "ours_int8.pte", "ours_half.pte", "ours_portable.pte")
TIMEOUT_SECONDS = 1800


def cache_folder():
    base = os.environ.get("ETALON_CACHE") or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "etalon"
    return Path(base) / "peers-models"


def _digest(*paths):
    digest = hashlib.sha256()
    for path in paths:
        digest.update(Path(path).read_bytes())
    return digest.hexdigest()[:12]


class Artefacts:
    """The files of one model. A conversion that failed is remembered in a file, with its last words."""

    def __init__(self, model, fresh=False):
        pins = [ROOT / "python/requirements-interop.txt", HERE / "requirements.txt"]
        self._model, self._fresh, self._made = model, fresh, set()
        self.folder = cache_folder() / f"{model}-{_digest(ROOT / 'zoo' / f'{model}.pt2', *pins)}"
        self.folder.mkdir(parents=True, exist_ok=True)

    def inputs(self, prefix="input"):
        """In half for programs that want them so: `prefix` half_input."""
        return sorted(self.folder.glob(f"{prefix}_*.npy"), key=lambda p: int(p.stem.split("_")[-1]))

    def eager(self):
        return sorted(self.folder.glob("eager_*.npy"), key=lambda p: int(p.stem.split("_")[1]))

    def make(self, artefact):
        """None when the file is there, else why it cannot be had."""
        if artefact in self._made:
            return None
        reason = self._make(artefact)
        if reason is None:
            self._made.add(artefact)
        return reason

    def _make(self, artefact):
        if artefact != "model.pt2" and (reason := self.make("model.pt2")):
            return reason
        if artefact in NEEDS and (reason := self.make(NEEDS[artefact])):
            return f"{NEEDS[artefact]}: {reason}"
        target, failure = self.folder / artefact, self.folder / f"{artefact}.failed"
        # Our exporter changes from day to day; the others are pinned and slow.
        ours = artefact in OURS
        current = target.exists() and (not ours or target.stat().st_mtime > (BIN / "etalon").stat().st_mtime)
        if current and (not self._fresh or artefact == "model.pt2"):
            return None
        if failure.exists() and not ours and not self._fresh:
            return failure.read_text(encoding="utf-8")
        print(f"converting {self._model} to {artefact}", file=sys.stderr, flush=True)
        command = [sys.executable, str(HERE / "convert.py"), self._model, artefact, str(self.folder)]
        environment = {**os.environ, "ETALON": str(BIN / "etalon")}
        try:
            done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=TIMEOUT_SECONDS,
                                  check=False)
        except subprocess.TimeoutExpired:
            failure.write_text(f"the conversion took more than {TIMEOUT_SECONDS} s", encoding="utf-8")
            return failure.read_text(encoding="utf-8")
        if done.returncode == 0:
            failure.unlink(missing_ok=True)
            return None
        lines = [line for line in done.stderr.strip().splitlines() if line.strip()]
        # Advice may follow the error.
        errors = [line for line in lines if re.match(r"[\w.]*(Error|Exception)\b", line)] or lines
        reason = errors[-1][-300:] if errors else f"exit code {done.returncode}"
        failure.write_text(reason, encoding="utf-8")
        return reason

"""Engine processes: started, pinned, asked over pipes, and held still while others are measured."""

import json
import os
import select
import signal
import subprocess
import tempfile


class EngineFailed(Exception):
    """The process ended, said something that is not an answer, or took too long."""


class Child:
    """One process that answers each line on its stdin with one line."""

    def __init__(self, command, cpus):
        self._errors = tempfile.TemporaryFile("w+")
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors,
            preexec_fn=lambda: os.sched_setaffinity(0, cpus))
        self._rest = b""

    def ask(self, line, timeout):
        try:
            self._process.stdin.write(line.encode() + b"\n")
            self._process.stdin.flush()
        except OSError as error:
            raise EngineFailed(self._last_words()) from error
        return self.read(timeout)

    def read(self, timeout):
        while b"\n" not in self._rest:
            ready, _, _ = select.select([self._process.stdout], [], [], timeout)
            if not ready:
                raise EngineFailed(f"no answer within {timeout:.0f} s")
            piece = os.read(self._process.stdout.fileno(), 1 << 16)
            if not piece:
                raise EngineFailed(self._last_words())
            self._rest += piece
        line, self._rest = self._rest.split(b"\n", 1)
        return line.decode(errors="replace")

    def _last_words(self):
        code = self._process.wait(timeout=10)
        self._errors.seek(0)
        lines = [line.strip() for line in self._errors.read().splitlines() if line.strip()]
        return f"ended with {code}: {lines[-1][-300:] if lines else 'no message'}"

    def hold(self):
        self._process.send_signal(signal.SIGSTOP)

    def release(self):
        self._process.send_signal(signal.SIGCONT)

    def memory_kib(self, field):
        with open(f"/proc/{self._process.pid}/status", encoding="utf-8") as status:
            for line in status:
                if line.startswith(field + ":"):
                    return int(line.split()[1])
        return 0

    def reset_peak_memory(self):
        with open(f"/proc/{self._process.pid}/clear_refs", "w", encoding="utf-8") as file:
            file.write("5")

    def close(self):
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout, self._errors):
            pipe.close()


class Loaded:
    """An engine that has loaded its model: when it was ready, how long the first inference took, what memory it took."""

    def __init__(self, engine, folder, inputs, threads, cpus, timeout):
        self.engine, self._timeout = engine, timeout
        self._child = Child(engine.command(folder, inputs, threads), cpus)
        try:
            self.said = self._json(self._child.read(timeout))
            before = self._child.memory_kib("VmRSS")
            self._child.reset_peak_memory()
            self.load_ms = self._ask("load")["load_ms"]
            self.first_ms = self._ask("run 1")["ms"][0]
            self.second_ms = min(self._ask("run 2")["ms"])
            self.peak_mb = (self._child.memory_kib("VmHWM") - before) * 1024 / 1e6
        except EngineFailed:
            self.close()
            raise

    @staticmethod
    def _json(line):
        try:
            return json.loads(line)
        except json.JSONDecodeError as error:
            raise EngineFailed(f"said '{line[:200]}', which is no answer") from error

    def _ask(self, line):
        return self._json(self._child.ask(line, self._timeout))

    def run(self, count):
        return self._ask(f"run {count}")["ms"]

    def write_outputs(self, folder):
        self._ask(f"output {folder}")

    def hold(self):
        self._child.hold()

    def release(self):
        self._child.release()

    def close(self):
        self._child.close()


class Sentinel:
    """The same arithmetic on every CPU that is measured on, all at once; its time shows what else the machine does."""

    def __init__(self, command, cpus):
        self._children = [Child(command, {cpu}) for cpu in cpus]

    def probe(self):
        for child in self._children:
            child._process.stdin.write(b"go\n")
            child._process.stdin.flush()
        return max(float(child.read(60)) for child in self._children)

    def close(self):
        for child in self._children:
            child.close()

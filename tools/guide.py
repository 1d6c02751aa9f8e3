#!/usr/bin/env python3
"""Runs the commands of a guide and puts their real output below them, so that what it shows is what happens.

    tools/guide.py docs/guide/learning-path.md            # in a folder of its own, with the etalon of build/release
    tools/guide.py docs/guide/learning-path.md --check    # only says whether every command still works

A block that starts with ```console holds commands after "$ " and output below each. The output is replaced; "# ..."
lines directly under a command are kept and say how much of it to show: "# lines 12" (the first twelve),
"# from TEXT" (from the line that holds TEXT). Commands run one after the other in one folder, as a reader types them.
"""
import argparse
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
ANSI = re.compile(r"\x1b\[[0-9;]*m")


def shown(text, directives):
    lines = ANSI.sub("", text).rstrip("\n").split("\n")
    for directive in directives:
        word, _, value = directive[2:].partition(" ")
        if word == "from":
            start = next((i for i, line in enumerate(lines) if value in line), 0)
            lines = lines[start:]
        elif word == "lines":
            count = int(value)
            if len(lines) > count:
                lines = lines[:count] + ["..."]
    return [line.rstrip() for line in lines]


def run(command, folder):
    env = dict(os.environ, PATH=f"{ROOT / 'build/release/bin'}:{os.environ['PATH']}", NO_COLOR="1")
    done = subprocess.run(["bash", "-c", command], cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          text=True, errors="replace", timeout=600)
    return done.returncode, done.stdout


def renewed(text, folder):
    """The guide with fresh output, and the commands that failed."""
    out, failed = [], []
    lines = text.split("\n")
    i = 0
    while i < len(lines):
        out.append(lines[i])
        i += 1
        if out[-1] != "```console":
            continue
        block = []
        while lines[i] != "```":
            block.append(lines[i])
            i += 1
        k = 0
        while k < len(block):
            if not block[k].startswith("$ "):
                k += 1
                continue
            command = block[k][2:]
            out.append(block[k])
            k += 1
            directives = []
            while k < len(block) and block[k].startswith("# "):
                directives.append(block[k])
                out.append(block[k])
                k += 1
            code, output = run(command, folder)
            print(f"{code:3}  {command}", file=sys.stderr)
            if code not in (0, 1):
                failed.append(command)
            out += shown(output, directives)
    return "\n".join(out), failed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("guide", type=pathlib.Path)
    parser.add_argument("--check", action="store_true", help="do not write")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        text, failed = renewed(arguments.guide.read_text(), folder)
    if failed:
        sys.exit("failed: " + "; ".join(failed))
    if not arguments.check:
        arguments.guide.write_text(text)


if __name__ == "__main__":
    main()

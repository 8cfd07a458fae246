#!/usr/bin/env python3
"""Runs the README's story against a fresh local stack, and compares its output with the README.

A block of shell commands is followed by a block of what they print, a line for a line, where … stands
for anything.
"""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
MARK = "---- end of block ----"


def story():
    """The README's steps: commands, and the patterns of the lines that they print."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    section = readme.split("\n## The story\n")[1].split("\n## ")[0]
    steps = re.findall(r"```sh\n(.*?)```\n```json\n(.*?)```", section, re.DOTALL)
    if len(steps) < 6 or len(steps) != section.count("```sh\n"):
        sys.exit("README.md: a block of the story lacks what it prints")
    return steps


def start():
    """Starts a local stack on free ports. Returns it with its address."""
    stack = subprocess.Popen(
        ["cargo", "run", "--quiet", "--", "--port", "0", "--dynamodb-port", "0"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    for line in stack.stdout:
        if "Ctrl-C" in line:
            return stack, url
        if line.startswith("rollcall: "):
            url = line.removeprefix("rollcall: ").strip()
    sys.exit("the local stack did not start")


def run(steps, url):
    """The output of each step."""
    script = "".join(f"{commands}\necho '{MARK}'\n" for commands, _ in steps)
    script = script.replace("http://127.0.0.1:3000", url)
    done = subprocess.run(
        ["bash", "-eu", "-o", "pipefail", "-c", script],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=120,
    )
    return done.stdout.split(f"{MARK}\n")[:-1]


def is_as_written(line, pattern):
    parts = map(re.escape, pattern.split("…"))
    return re.fullmatch(".*".join(parts), line) is not None


def main():
    steps = story()
    stack, url = start()
    try:
        outputs = run(steps, url)
    finally:
        stack.terminate()
        stack.wait()
    for (commands, patterns), output in zip(steps, outputs, strict=True):
        patterns, lines = patterns.splitlines(), output.splitlines()
        if len(lines) != len(patterns) or not all(map(is_as_written, lines, patterns)):
            sys.exit(f"README.md: these commands\n\n{commands}\nprinted\n\n{output}")
    print(f"The README's story is true: {len(steps)} steps.")


if __name__ == "__main__":
    main()

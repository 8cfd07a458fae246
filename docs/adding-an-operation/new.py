#!/usr/bin/env python3
"""Starts a new operation as a twin of `remove`, at its own route.

    docs/adding-an-operation/new.py NAME     NAME is in kebab case: transfer-ownership

It copies `remove` as it is today, so the twin has the shape that operations have now. The files beside this one hold
what can't be copied. docs/adding-an-operation.md says what is left to do.
"""

import json
import pathlib
import re
import string
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
ROUTE = "/accounts/{accountId}/members/{memberId}"

# Lines and paragraphs about `remove`. The twin of each goes right after it.
TWINS = {
    "Cargo.toml": [r"remove = .*\n"],
    "local/Cargo.toml": [r"remove\.workspace = .*\n"],
    "local/src/functions.rs": [r"use remove::.*\n", r" +Remove::NAME => .*\n"],
    "shared/domain/src/lib.rs": [r"pub mod remove;\n"],
    "template.yaml": [r"  Remove:\n(.+\n)+\n", r"  RemoveErrorsAlarm:\n(.+\n)+\n"],
    "openapi/src/operations.rs": [r" +\(.*\) => remove\(\),\n", r"fn remove\(\) -> Operation {\n(.+\n)+\n"],
    "docs/table.md": [r"\| remove \| .*\n"],
    "tests/answers.json": [r'  \["remove", .*\n'],
    "tests/sam/artefacts.py": [r'    "Remove": .*\n'],
    "tests/it/main.rs": [r"mod remove;\n"],
    "tests/it/abilities.rs": [r' +\("DELETE", "' + re.escape(ROUTE) + r'"\) => {\n.*\n +}\n'],
    "tests/it/calls.rs": [r'    "remove",\n'],
}

COPIES = ["functions/{}/Cargo.toml", "functions/{}/src/main.rs", "functions/{}/src/lib.rs"]


class Twin:
    """The new operation: its names, and the files to write."""

    def __init__(self, name):
        self.kebab = name
        self.snake = name.replace("-", "_")
        self.pascal = name.title().replace("-", "")
        self.camel = self.pascal[0].lower() + self.pascal[1:]
        self.files = {}

    def renamed(self, text):
        """A text about `remove`, now about the new operation."""
        for pattern, name in [
            (r'(?<!summary: ")\bRemove(?=\b|ErrorsAlarm)', self.pascal),
            (r'(?<=id: ")remove\b', self.camel),
            (r"(?<=mod )remove\b|(?<=domain::)remove\b|\bremove(?=::|\(\))", self.snake),
            (r"\bremove\b", self.kebab),
            (r"\bDELETE\b", "POST"),
            (re.escape(ROUTE), f"{ROUTE}/{self.kebab}"),
        ]:
            text = re.sub(pattern, name, text)
        return text

    def template(self, file):
        """The text of a file beside this one, with the new names."""
        template = string.Template((HERE / file).read_text())
        return template.substitute(kebab=self.kebab, snake=self.snake)

    def insert(self, path, pattern, make):
        """Adds text after the only match of a pattern, without writing yet."""
        text = self.files.get(path) or (ROOT / path).read_text()
        places = list(re.finditer(f"^{pattern}", text, re.MULTILINE))
        if len(places) != 1:
            sys.exit(f"{path}: expected one match of {pattern!r}, found {len(places)}. Nothing was written.")
        end = places[0].end()
        self.files[path] = text[:end] + make(places[0].group()) + text[end:]

    def make(self):
        """Puts together everything that the new operation consists of."""
        for path in COPIES:
            self.files[path.format(self.kebab)] = self.renamed((ROOT / path.format("remove")).read_text())
        rule = (ROOT / "shared/domain/src/remove.rs").read_text()
        self.files[f"shared/domain/src/{self.snake}.rs"] = rule
        for path, patterns in TWINS.items():
            for pattern in patterns:
                self.insert(path, pattern, self.renamed)

        event = json.loads(self.renamed((ROOT / "events/remove.json").read_text()))
        event["rawPath"] += f"/{self.kebab}"
        event["requestContext"]["http"]["path"] = event["rawPath"]
        self.files[f"events/{self.kebab}.json"] = json.dumps(event, indent=2) + "\n"

        self.files[f"tests/it/{self.snake}.rs"] = self.template("test.rs")
        for path, pattern, addition in [
            ("tests/it/calls.rs", r" +lines\.extend\(removals\(\).*\n", f"    lines.extend({self.snake}().await);\n"),
            ("tests/it/calls.rs", r"async fn removals\(\) .*\n(.+\n)+\n", self.template("calls.rs")),
            ("tests/it/permissions.rs", r' +owner\.remove\("acme", KIM\).*\n', self.template("permissions.rs")),
        ]:
            self.insert(path, pattern, lambda _, addition=addition: addition)
        line = f"- Operation `{self.kebab}`.\n"
        self.insert(
            "CHANGELOG.md",
            r"## Unreleased\n(\n### Added\n\n)?",
            lambda place: line if "Added" in place else "\n### Added\n\n" + line,
        )


def main(name):
    if not re.fullmatch(r"[a-z]+(-[a-z]+)*", name) or (ROOT / "functions" / name).exists():
        sys.exit(f"{name} is not in kebab case, or already exists.")
    twin = Twin(name)
    twin.make()
    for path, text in twin.files.items():
        (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / path).write_text(text)
    for command in [["cargo", "update", "--workspace", "--offline", "--quiet"], ["cargo", "fmt", "--all"]]:
        subprocess.run(command, cwd=ROOT, check=True)
    print(f"functions/{name} is a twin of functions/remove. Go on with docs/adding-an-operation.md.")


if __name__ == "__main__":
    main(*sys.argv[1:])

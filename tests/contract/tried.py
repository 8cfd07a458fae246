#!/usr/bin/env python3
"""Counts the requests that schemathesis made for each operation: in all, and on the demo account.

    tests/contract/tried.py HAR...

Fails if an operation other than closeAccount takes an account and was never tried on the demo account.
"""

import collections
import json
import pathlib
import re
import sys
from urllib.parse import urlsplit

DESCRIPTION = pathlib.Path(__file__).parents[2] / "openapi.json"


def main(files):
    operations = []
    for path, methods in json.loads(DESCRIPTION.read_text(encoding="utf-8"))["paths"].items():
        pattern = re.compile("^" + re.sub(r"\{\w+\}", "[^/]*", path) + "$")
        operations += [(pattern, method.upper(), path, said["operationId"]) for method, said in methods.items()]
    tried, existing = collections.Counter(), collections.Counter()
    statuses = collections.defaultdict(collections.Counter)
    for file in files:
        for entry in json.loads(pathlib.Path(file).read_text(encoding="utf-8"))["log"]["entries"]:
            request, path = entry["request"], urlsplit(entry["request"]["url"]).path
            for pattern, method, _, name in operations:
                if method == request["method"] and pattern.match(path):
                    tried[name] += 1
                    existing[name] += path.startswith("/accounts/demo")
                    statuses[name][entry["response"]["status"]] += 1
    missing = []
    for _, _, path, name in operations:
        needs_account = "{accountId}" in path
        on_demo = f", {existing[name]} of them on the demo account" if needs_account else ""
        answers = ", ".join(f"{status}: {count}" for status, count in sorted(statuses[name].items()))
        print(f"{name}: {tried[name]} requests{on_demo} ({answers})")
        if needs_account and name != "closeAccount" and not existing[name]:
            missing.append(name)
    if missing:
        sys.exit(f"Never tried on the demo account: {', '.join(missing)}")


if __name__ == "__main__":
    main(sys.argv[1:])

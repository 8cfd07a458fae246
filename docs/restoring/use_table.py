#!/usr/bin/env python3
"""Writes two templates that put a restored table in the place of the stack's own.

    docs/restoring/use_table.py TEMPLATE TABLE STREAM_ARN

TEMPLATE is the deployed template as CloudFormation processed it. `names-table.json` names TABLE wherever the template refers to
its own table, which it no longer holds. `holds-table.json` is the same with the table beside it, to import TABLE: an import
may change nothing else. docs/restoring.md says when to use them.
"""

import json
import pathlib
import sys

OWN = "Table"


def main(template, table, stream):
    template = json.loads(pathlib.Path(template).read_text(encoding="utf-8"))
    definition = template["Resources"].pop(OWN)
    # arn:aws:dynamodb:<region>:<account>:table/<name>/stream/<label>
    arn = stream.split("/stream/")[0]
    names = named(template, {OWN: table, f"{OWN}.Arn": arn, f"{OWN}.StreamArn": stream})
    write("names-table.json", names)
    write("holds-table.json", names | {"Resources": names["Resources"] | {OWN: definition}})


def named(part, values):
    """A part of the template, with the values in place of what refers to them."""
    match part:
        case {"Ref": name} if name in values:
            return values[name]
        case {"Fn::GetAtt": [resource, attribute]} if resource == OWN:
            return values[f"{resource}.{attribute}"]
        case {"Fn::GetAtt": str(path)} if path in values:
            return values[path]
        case {"Fn::Sub": text}:
            return {"Fn::Sub": substituted(text, values)}
        case dict():
            return {name: named(value, values) for name, value in part.items()}
        case list():
            return [named(value, values) for value in part]
    return part


def substituted(text, values):
    if isinstance(text, list):
        return [substituted(text[0], values), *named(text[1:], values)]
    for name, value in values.items():
        text = text.replace(f"${{{name}}}", value)
    return text


def write(file, template):
    pathlib.Path(file).write_text(json.dumps(template), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])

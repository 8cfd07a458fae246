#!/usr/bin/env python3
"""Translates templates with SAM's own translator, the one that CloudFormation runs, and lints the result.

    tests/sam/translate.py TEMPLATE...

A linter of SAM templates does not see the resources that SAM generates. This finds two of the same name, such as a topic
and the permission of an event, before a stack is deployed. A template without SAM's transform is linted as it is. Needs
.ci/requirements.txt, but no credentials and no network.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import types

import boto3
from samtranslator.public.exceptions import InvalidDocumentException
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

SAM = "AWS::Serverless-2016-10-31"
REGION = "eu-central-1"


def translate(path):
    """The template that CloudFormation deploys, and how many of its resources were written by hand."""
    template = yaml_parse(path.read_text(encoding="utf-8"))
    written = len(template["Resources"])
    if template.get("Transform") == SAM:
        for resource in template["Resources"].values():
            # Points code to a bucket, as `sam package` does.
            if resource["Type"] == "AWS::Serverless::Function" and "CodeUri" in resource["Properties"]:
                resource["Properties"]["CodeUri"] = "s3://artefacts/function.zip"
        # Without values, parameters stay references. The templates name no managed policies, so none are loaded.
        template = transform(template, {}, types.SimpleNamespace(load=dict))
    elif "Transform" in template:
        sys.exit(f"{path}: unknown transform {template['Transform']}")
    return template, written


def main(paths):
    if not paths:
        sys.exit("Name the templates to translate.")
    os.environ["AWS_DEFAULT_REGION"] = REGION
    boto3.setup_default_session(region_name=REGION)
    wrong = False
    with tempfile.TemporaryDirectory() as folder:
        for number, path in enumerate(map(pathlib.Path, paths)):
            try:
                template, written = translate(path)
            except InvalidDocumentException as error:
                wrong = True
                for cause in error.causes:
                    print(f"{path}: {cause.message}", file=sys.stderr)
                continue
            result = pathlib.Path(folder, f"{number}-{path.stem}.json")
            result.write_text(json.dumps(template, indent=1), encoding="utf-8")
            # Warnings fail the check like errors. Informational findings are left out.
            lint = [pathlib.Path(sys.executable).with_name("cfn-lint"), "--regions", REGION, "--", str(result)]
            passed = subprocess.run(lint, check=False).returncode == 0
            wrong |= not passed
            print(f"{path}: {written} resources become {len(template['Resources'])}, {'linted' if passed else 'wrong'}")
    if wrong:
        sys.exit("CloudFormation would refuse a template.")


if __name__ == "__main__":
    main(sys.argv[1:])

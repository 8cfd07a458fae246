#!/usr/bin/env python3
"""Translates templates with SAM's own translator, the one that CloudFormation runs, and lints the result.

    tests/sam/translate.py TEMPLATE...

A linter of SAM templates does not see the resources that SAM makes of them. Two of the same name, such as a topic
and the permission of an event, are found here and not when a stack is deployed. A template without SAM's transform
is linted as it is. Needs no credentials and calls nobody. Needs .ci/requirements.txt.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

import boto3
from samtranslator.public.exceptions import InvalidDocumentException
from samtranslator.public.translator import ManagedPolicyLoader
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

SAM = "AWS::Serverless-2016-10-31"
REGION = "eu-central-1"


class NoPolicies(ManagedPolicyLoader):
    """Only templates that name AWS's managed policies need their ARNs, and these have statements of their own."""

    def __init__(self):
        super().__init__(None)

    def load(self):
        return {}


def package(template):
    """Points code and descriptions to a bucket, as `sam package` does."""
    for resource in template["Resources"].values():
        properties = resource.get("Properties", {})
        if "CodeUri" in properties and resource["Type"] == "AWS::Serverless::Function":
            properties["CodeUri"] = "s3://artefacts/function.zip"


def translate(path):
    """The template that CloudFormation deploys, and how many of its resources were written by hand.

    Raises InvalidDocumentException with all that the translator finds wrong.
    """
    template = yaml_parse(path.read_text(encoding="utf-8"))
    written = len(template["Resources"])
    if template.get("Transform") == SAM:
        package(template)
        # The translator would fill in parameter values. Without a value, a parameter stays a
        # reference.
        template = transform(template, {}, NoPolicies())
    elif "Transform" in template:
        sys.exit(f"{path}: nothing here knows the transform {template['Transform']}")
    return template, written


def main(paths):
    if not paths:
        sys.exit("Which templates?")
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
            # Leaves out informational findings; warnings and errors both fail the check.
            lint = [pathlib.Path(sys.executable).with_name("cfn-lint"), "--regions", REGION, "--", str(result)]
            passed = subprocess.run(lint, check=False).returncode == 0
            wrong |= not passed
            verdict = "linted" if passed else "wrong"
            print(f"{path}: {written} resources become {len(template['Resources'])}, {verdict}")
    if wrong:
        sys.exit("A template would not be deployed.")


if __name__ == "__main__":
    main(sys.argv[1:])

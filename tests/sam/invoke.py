#!/usr/bin/env python3
"""Runs the built functions with every file in events/ by `sam local invoke`, and checks the answers.
Also checks that `sam local start-api` answers 401 to a request without claims.

    tests/sam/invoke.py BUILD IMAGE     BUILD is .aws-sam/build; functions run in the container image IMAGE

The functions use a local stack instead of AWS. Needs sam and docker on the PATH, and Python with PyYAML, which SAM
installs.
"""

import contextlib
import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
OWNER = "olivia@example.com"
ISSUER = "https://login.example.com"
PARAMETERS = {
    "Stage": "local",
    "Architecture": "arm64" if os.uname().machine == "aarch64" else "x86_64",
    "ProductName": "Rollcall",
    "AppUrl": "https://app.example.com",
    "SupportEmail": "support@rollcall.example",
    "MailFrom": "invites@rollcall.example",
    "MailIdentity": "rollcall.example",
    "Issuer": ISSUER,
    "Audience": "rollcall",
    "ClientId": "rollcall",
    "SignInOrigins": ISSUER,
    # The demo invite has just been sent.
    "ResendCooldownSeconds": "0",
}
# SAM must find these values, and not the machine's own.
AWS = {"AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "SAM_CLI_TELEMETRY": "0"}


class Stack:
    """A local stack with its demo, on free ports."""

    def __init__(self):
        command = ["cargo", "run", "--quiet", "--", "--port", "0", "--dynamodb-port", "0"]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
        self.process = subprocess.Popen(command, cwd=ROOT, **pipes)
        self.urls = {}
        for line in self.process.stdout:
            words = re.fullmatch(r"(rollcall:|DynamoDB|SES|Events) +(http\S+)\n", line)
            if words:
                self.urls[words[1]] = words[2]
            if "Ctrl-C" in line:
                return
        sys.exit("the local stack did not start")

    def post(self, path, body, token=None):
        headers = {"content-type": "application/json"}
        if token:
            headers["authorization"] = f"Bearer {token}"
        request = urllib.request.Request(self.urls["rollcall:"] + path, json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def fill(self):
        """Adds the account acme and an invite to Kim, which events/ needs beside the demo."""
        owner = {"firstName": "Olivia", "lastName": "Owner", "email": OWNER}
        account = {"accountId": "acme", "company": "Acme", "plan": "pro", "owner": owner}
        self.post("/dev/accounts", account)
        token = self.post("/dev/token", {"email": OWNER})["idToken"]
        kim = {"firstName": "Kim", "lastName": "Lee", "email": "kim@example.com"}
        self.post("/accounts/acme/members", kim, token)


def forward(gateway, url):
    """Lets containers, and nobody else, reach a port of this machine's loopback: it listens on their bridge."""
    target = urllib.parse.urlsplit(url)
    listener = socket.create_server((gateway, 0))

    def pump(source, sink):
        with sink, contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)

    def serve():
        while True:
            client, _ = listener.accept()
            server = socket.create_connection((target.hostname, target.port))
            for pair in ((client, server), (server, client)):
                threading.Thread(target=pump, args=pair, daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    return f"http://{gateway}:{listener.getsockname()[1]}"


def host_gateway(image):
    """This machine's address on the bridge, as containers see it."""
    command = ["docker", "run", "--rm", "--add-host", "host:host-gateway", image]
    return subprocess.check_output([*command, "/bin/busybox", "grep", "-w", "host", "/etc/hosts"], text=True).split()[0]


def template_with(build, variables):
    """The built template, with variables for every function. SAM passes on only variables that the template declares."""
    template = yaml.safe_load((build / "template.yaml").read_text(encoding="utf-8"))
    template["Globals"]["Function"]["Environment"]["Variables"].update(variables)
    path = build / "template-local.yaml"
    path.write_text(yaml.safe_dump(template), encoding="utf-8")
    return template, path


def sam_local(command, path, image, *arguments):
    start = ["sam", "local", command, "--template", str(path), "--invoke-image", image, "--skip-pull-image", *arguments]
    return [*start, "--parameter-overrides", *(f"{name}={value}" for name, value in PARAMETERS.items())]


def at(value, pointer):
    """A part of a JSON value, by a pointer (RFC 6901)."""
    for name in pointer.split("/")[1:]:
        value = value[int(name)] if isinstance(value, list) else value.get(name)
    return value


def result(answer):
    """The body of an answer from a function behind the API, if it is JSON."""
    try:
        return json.loads(answer["body"]) if "statusCode" in answer else answer
    except json.JSONDecodeError:
        return answer


def function_of(template, file):
    """The function that a file `<operation>.json` or `<operation>-<variant>.json` belongs to."""
    operations = {
        resource["Metadata"]["BuildProperties"]["Binary"]: name
        for name, resource in template["Resources"].items()
        if resource["Type"] == "AWS::Serverless::Function"
    }
    fits = [o for o in operations if file == o or file.startswith(f"{o}-")]
    return operations[max(fits, key=len)]


def invoke_all(template, path, image):
    answers = json.loads((ROOT / "tests/answers.json").read_text(encoding="utf-8"))
    files = {event.stem for event in (ROOT / "events").glob("*.json")}
    if files != {file for file, _, _ in answers}:
        sys.exit("tests/answers.json does not have the files of events/")
    failures = 0
    for file, pointer, expected in answers:
        function = function_of(template, file)
        command = sam_local("invoke", path, image, function, "--event", str(ROOT / f"events/{file}.json"))
        done = subprocess.run(command, capture_output=True, text=True, env=os.environ | AWS)
        try:
            answer = json.loads(done.stdout.strip().splitlines()[-1])
            found = at(result(answer), pointer)
        except (IndexError, ValueError, TypeError, AttributeError):
            answer, found = done.stdout + done.stderr, None
        is_right = found == expected
        failures += not is_right
        print(f"{'ok ' if is_right else 'BAD'} {function} {file}", flush=True)
        if not is_right:
            print(f"    {pointer} should be {expected!r} in {answer}")
    print(f"{len(answers) - failures} passed, {failures} failed")
    return failures == 0


def answers_401_without_claims(path, image):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = sam_local("start-api", path, image, "--port", str(port))
    with tempfile.TemporaryFile() as log:
        api = subprocess.Popen(command, stdout=log, stderr=log, env=os.environ | AWS)
        url = f"http://127.0.0.1:{port}/accounts/demo/members"
        try:
            while api.poll() is None:
                try:
                    answer = urllib.request.urlopen(url)
                except urllib.error.HTTPError as error:
                    answer = error
                except urllib.error.URLError:
                    time.sleep(0.5)
                    continue
                with answer:
                    status, code = answer.status, json.load(answer).get("code")
                print(f"sam local start-api without claims: {status} {code}")
                return (status, code) == (401, "unauthenticated")
            log.seek(0)
            print(log.read().decode())
            return False
        finally:
            api.terminate()
            api.wait()


def main():
    build, image = pathlib.Path(sys.argv[1]), sys.argv[2]
    stack = Stack()
    try:
        stack.fill()
        gateway = host_gateway(image)
        services = {"DYNAMODB": "DynamoDB", "SESV2": "SES", "EVENTBRIDGE": "Events"}
        urls = {f"AWS_ENDPOINT_URL_{name}": forward(gateway, stack.urls[label]) for name, label in services.items()}
        template, path = template_with(build, urls)
        invoked = invoke_all(template, path, image)
        refused = answers_401_without_claims(path, image)
        sys.exit(not (invoked and refused))
    finally:
        stack.process.terminate()
        stack.process.wait()


if __name__ == "__main__":
    main()

"""Stand-ins for the surroundings of Rollcall's stack: AWS itself (ministack), and an issuer of ID tokens."""

import base64
import contextlib
import datetime
import http.server
import ipaddress
import json
import os
import pathlib
import re
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.request

import boto3
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

REGION = "eu-central-1"
CLIENT = "product"
REPOSITORY = pathlib.Path(__file__).parents[2]
passed = 0


def expect(what, found, expected):
    global passed
    if found != expected:
        sys.exit(f"NOT AS EXPECTED: {what}: {found!r} instead of {expected!r}")
    passed += 1
    print(f"ok  {what}", flush=True)


def until(look, what, seconds=60):
    """Looks until it finds something, or ends the run when the time is up."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := look():
            return found
        time.sleep(0.25)
    sys.exit(f"NOT SEEN within {seconds} s: {what}")


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Issuer:
    """An OpenID provider over TLS, with its own certificate: discovery, keys, and any token."""

    def __init__(self, folder):
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.certificate = folder / "issuer.pem"
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "issuer")])
        now = datetime.datetime.now(datetime.timezone.utc)
        address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self.key.public_key())
            .serial_number(1)
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(hours=12))
            .add_extension(x509.SubjectAlternativeName([address]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .sign(self.key, hashes.SHA256())
        )
        self.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        pem = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        key_file = folder / "issuer.key"
        key_file.write_bytes(self.key.private_bytes(*pem))
        n = b64(self.key.public_key().public_numbers().n.to_bytes(256, "big"))
        keys = [{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "1", "n": n, "e": "AQAB"}]
        port = free_port()
        self.url = url = f"https://127.0.0.1:{port}"
        documents = {
            "/.well-known/openid-configuration": {"issuer": url, "jwks_uri": f"{url}/keys"},
            "/keys": {"keys": keys},
        }

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                body = json.dumps(documents.get(self.path, {})).encode()
                self.send_response(200 if self.path in documents else 404)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(self.certificate, key_file)
        server.socket = tls.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()

    def token(self, email, subject=None, groups=None):
        now = int(time.time())
        claims = {"iss": self.url, "aud": CLIENT, "sub": subject or f"the one subject of {email.split('@')[0]}", "email": email}
        claims |= {"email_verified": True, "iat": now - 1, "exp": now + 600}
        if groups:
            claims["groups"] = groups
        header = {"alg": "RS256", "typ": "JWT", "kid": "1"}
        signed = ".".join(b64(json.dumps(part).encode()) for part in (header, claims))
        return f"{signed}.{b64(self.key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


class Aws:
    """ministack, which runs every part of the stack: API Gateway with its JWT authorizer, Lambda with the built
    binaries, DynamoDB and its stream, SNS, SQS, EventBridge and SES."""

    def __init__(self, folder, certificate):
        port = str(free_port())
        self.url = f"http://127.0.0.1:{port}"
        self.folder = folder
        self.session = boto3.Session("test", "test", region_name=REGION)
        for name in ("docs", "samconfig.toml"):
            (folder / name).symlink_to(REPOSITORY / name)
        # Inherits no credentials, profile or endpoint from the caller.
        self.environment = {
            "PATH": f"{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}",
            **dict.fromkeys(("HOME", "TMPDIR"), str(folder)),
            **dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "test"),
            **dict.fromkeys(("AWS_REGION", "AWS_DEFAULT_REGION"), REGION),
            "AWS_PAGER": "",
            "AWS_EC2_METADATA_DISABLED": "true",
            "SAM_CLI_TELEMETRY": "0",
            "AWS_ENDPOINT_URL": self.url,
        }
        services = {f"AWS_ENDPOINT_URL_{name}": self.url for name in ("DYNAMODB", "SESV2", "EVENTBRIDGE")}
        own = {
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": port,
            "IOT_MTLS_ENABLED": "0",
            "MINISTACK_REGION": REGION,
            # Makes the authorizer and the guard trust the issuer.
            "SSL_CERT_FILE": str(certificate),
        }
        ministack, environment = pathlib.Path(sys.executable).with_name("ministack"), self.environment | services | own
        with open(folder / "ministack.log", "wb") as log:
            self.process = subprocess.Popen([ministack], env=environment, cwd=folder, stdout=log, stderr=log)
        until(lambda: self.get("/_ministack/health"), "the emulator starts")

    def get(self, path):
        with contextlib.suppress(OSError), urllib.request.urlopen(self.url + path, timeout=10) as answer:
            return json.load(answer)
        return None

    def client(self, service):
        return self.session.client(service, endpoint_url=self.url)

    def table(self, name):
        return self.session.resource("dynamodb", endpoint_url=self.url).Table(name)

    def mails(self):
        """All mails, oldest first."""
        return self.get("/_ministack/ses/messages")["messages"].get("000000000000", [])

    def log(self, group):
        """The whole log of a group."""
        pages = self.client("logs").get_paginator("filter_log_events").paginate(logGroupName=group)
        return [event["message"] for page in pages for event in page["events"]]

    def run(self, *command, **variables):
        """Runs a command with credentials for the emulator."""
        # Answers prompts with yes, such as those of `sam delete`.
        pipes = {"capture_output": True, "text": True, "input": "y\n" * 20}
        environment = self.environment | variables
        done = subprocess.run(command, env=environment, cwd=self.folder, timeout=300, check=False, **pipes)
        if done.returncode != 0:
            sys.exit(f"FAILED: {' '.join(command)}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}")

    def deploy(self, stack, build, parameters):
        """Deploys the build with the workflow's command. Returns how many resources it has, and how many alarms it lacks."""
        left_out = make_deployable(build, self.folder / ".aws-sam" / "build")
        lines = "\n".join(f'{name}="{value}"' for name, value in parameters.items())
        workflow = yaml.safe_load((REPOSITORY / ".github/workflows/deploy.yml").read_text(encoding="utf-8"))
        step = workflow["jobs"]["deploy"]["steps"][-1]
        self.run("bash", "-e", "-c", step["run"], STACK_NAME=stack, PARAMETERS=lines)
        described = self.client("cloudformation").describe_stack_resources(StackName=stack)["StackResources"]
        ids = {resource["LogicalResourceId"]: resource["PhysicalResourceId"] for resource in described}
        import_definition(self, stack, ids, parameters)
        return len(ids), left_out

    def follow(self, guide, heading, values):
        """Runs the commands in a guide's section, with values for the words in `<>`."""
        text = (REPOSITORY / "docs" / guide).read_text(encoding="utf-8").split(f"\n## {heading}\n")[1].split("\n## ")[0]
        for block in re.findall(r"^```\n(.*?)^```$", text, re.DOTALL | re.MULTILINE):
            if re.match("for |aws |sam ", block):
                for name, value in values.items():
                    block = block.replace(f"<{name}>", value)
                self.run("bash", "-euo", "pipefail", "-c", block)

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()


def import_definition(aws, stack, ids, parameters):
    """Imports routes, integrations and the JWT authorizer from the API's `Body`. CloudFormation does this, but the
    emulator doesn't."""
    template = aws.client("cloudformation").get_template(StackName=stack, TemplateStage="Processed")["TemplateBody"]
    definition = template["Resources"]["Api"]["Properties"]["Body"]
    api, gateway = ids["Api"], aws.client("apigatewayv2")

    authorizers = {}
    for name, scheme in definition["components"]["securitySchemes"].items():
        jwt = scheme["x-amazon-apigateway-authorizer"]
        values = {key: parameters[value["Ref"]] for key, value in jwt["jwtConfiguration"].items()}
        authorizers[name] = gateway.create_authorizer(
            ApiId=api,
            Name=name,
            AuthorizerType=jwt["type"].upper(),
            IdentitySource=[jwt["identitySource"]],
            JwtConfiguration={"Issuer": values["issuer"], "Audience": values["audience"].split(",")},
        )["AuthorizerId"]

    for path, methods in definition["paths"].items():
        for method, operation in methods.items():
            described = operation["x-amazon-apigateway-integration"]
            function = ids[described["uri"]["Fn::Sub"].split("${")[-1].split(".Arn}")[0]]
            integration = gateway.create_integration(
                ApiId=api,
                IntegrationType=described["type"].upper(),
                IntegrationUri=f"arn:aws:lambda:{REGION}:000000000000:function:{function}",
                PayloadFormatVersion=described["payloadFormatVersion"],
            )["IntegrationId"]
            [scheme] = [scheme for security in operation["security"] for scheme in security]
            jwt = {"AuthorizationType": "JWT", "AuthorizerId": authorizers.get(scheme)}
            behind = {"AuthorizationType": "NONE"} if scheme == "NONE" else jwt
            key, target = f"{method.upper()} {path}", f"integrations/{integration}"
            gateway.create_route(ApiId=api, RouteKey=key, Target=target, **behind)


def make_deployable(build, folder):
    """Copies the build without alarms on metric math, which the emulator lacks. Returns how many it left out."""
    shutil.copytree(build, folder, dirs_exist_ok=True)
    template = folder / "template.yaml"
    content = yaml.safe_load(template.read_text(encoding="utf-8"))
    resources = content["Resources"]
    computed = [name for name, resource in resources.items() if "Metrics" in resource.get("Properties", {})]
    for name in computed:
        del resources[name]
    template.write_text(yaml.safe_dump(content), encoding="utf-8")
    return len(computed)

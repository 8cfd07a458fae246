"""A product's login with single sign-on and Rollcall. Try it beside the local stack:

    python3 docs/examples/login_callback.py    then open http://localhost:8080/login
"""

import base64
import hashlib
import html
import json
import os
import secrets
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.error import HTTPError
from urllib.parse import parse_qsl, urlencode, urlsplit
from urllib.request import Request, urlopen

ROLLCALL = os.environ.get("ROLLCALL", "http://127.0.0.1:3000")
ISSUER = os.environ.get("ISSUER", f"{ROLLCALL}/dev/oidc")
CLIENT_ID = os.environ.get("CLIENT_ID", "rollcall-local")
SELF = "http://localhost:8080"
REDIRECT_URI = f"{SELF}/callback"

# Sign-ins under way, by state. A product keeps them in its session store.
pending = {}


def call(url, body=None, headers=None):
    """The JSON that a server answers, be it a yes or a no."""
    try:
        with urlopen(Request(url, body, headers or {}), timeout=20) as answer:
            return json.load(answer)
    except HTTPError as refused:
        return json.load(refused)


def endpoint(name):
    return call(f"{ISSUER}/.well-known/openid-configuration")[name]


def begin_sign_in(query):
    """Where to send the browser. The page at /invite passes on the token of its fragment."""
    state, verifier = secrets.token_urlsafe(16), secrets.token_urlsafe(32)
    wanted = {name: query[name] for name in ("inviteToken", "accountId") if name in query}
    pending[state] = (verifier, wanted)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest())
    return endpoint("authorization_endpoint") + "?" + urlencode({
        "response_type": "code",
        "client_id": CLIENT_ID,
        "redirect_uri": REDIRECT_URI,
        "scope": "openid email",
        "state": state,
        "code_challenge": challenge.rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    })


def finish_sign_in(query):
    """The ID token for a code, and what Rollcall says about its person."""
    verifier, wanted = pending.pop(query.get("state"), (None, None))
    if verifier is None:
        return {"detail": "Start the login again."}
    tokens = call(endpoint("token_endpoint"), urlencode({
        "grant_type": "authorization_code",
        "client_id": CLIENT_ID,
        "redirect_uri": REDIRECT_URI,
        "code": query.get("code", ""),
        "code_verifier": verifier,
    }).encode())
    if "id_token" not in tokens:
        return {"detail": "The sign-in failed. Try again."}
    return call(f"{ROLLCALL}/login", json.dumps(wanted).encode(), {
        "Authorization": f"Bearer {tokens['id_token']}",
        "Content-Type": "application/json",
    })


class Product(BaseHTTPRequestHandler):
    def do_GET(self):
        url = urlsplit(self.path)
        query = dict(parse_qsl(url.query))
        if url.path == "/login":
            self.send_response(303)
            self.send_header("Location", begin_sign_in(query))
            self.end_headers()
        elif url.path == "/callback":
            result = finish_sign_in(query)
            if "account" in result:
                # Here a product starts its session, and remembers account and member in it.
                company, name = result["account"]["company"], result["member"]["firstName"]
                self.answer(200, html.escape(f"Welcome to {company}, {name}."))
            elif result.get("code") == "choose_account":
                links = [
                    f'<p><a href="/login?accountId={account["id"]}">{html.escape(account["company"])}</a>'
                    for account in result["accounts"]
                ]
                self.answer(200, html.escape(result["detail"]) + "".join(links))
            else:
                self.answer(403, html.escape(result["detail"]))
        else:
            self.answer(404, "There is nothing here.")

    def answer(self, status, text):
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(text.encode())


if __name__ == "__main__":
    print(f"{SELF}/login")
    HTTPServer(("localhost", 8080), Product).serve_forever()

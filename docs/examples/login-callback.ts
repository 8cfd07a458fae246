// A product's login with single sign-on and Rollcall. Try it beside the local stack:
//
//   npx tsx docs/examples/login-callback.ts    then open http://localhost:8080/login
//
import { createHash, randomBytes } from "node:crypto";
import { createServer } from "node:http";

const rollcall = process.env.ROLLCALL ?? "http://127.0.0.1:3000";
const issuer = process.env.ISSUER ?? `${rollcall}/dev/oidc`;
const clientId = process.env.CLIENT_ID ?? "rollcall-local";
const self = "http://localhost:8080";
const redirectUri = `${self}/callback`;

type Login = {
  account: { id: string; company: string };
  member: { id: string; firstName: string; role: "owner" | "member" };
  abilities: string[];
};
type Problem = { code: string; detail: string; accounts?: { id: string; company: string }[] };

// Sign-ins under way, by state. A product keeps them in its session store.
const pending = new Map<string, { verifier: string; inviteToken?: string; accountId?: string }>();

async function endpoints() {
  const response = await fetch(`${issuer}/.well-known/openid-configuration`);
  return (await response.json()) as { authorization_endpoint: string; token_endpoint: string };
}

/** Where to send the browser. The page at /invite passes on the token of its fragment. */
async function beginSignIn(query: URLSearchParams): Promise<string> {
  const [state, verifier] = [randomBytes(16), randomBytes(32)].map((b) => b.toString("base64url"));
  const inviteToken = query.get("inviteToken") ?? undefined;
  const accountId = query.get("accountId") ?? undefined;
  pending.set(state, { verifier, inviteToken, accountId });
  const url = new URL((await endpoints()).authorization_endpoint);
  url.search = new URLSearchParams({
    response_type: "code",
    client_id: clientId,
    redirect_uri: redirectUri,
    scope: "openid email",
    state,
    code_challenge: createHash("sha256").update(verifier).digest("base64url"),
    code_challenge_method: "S256",
  }).toString();
  return url.href;
}

/** The ID token for a code, and what Rollcall says about its person. */
async function finishSignIn(query: URLSearchParams): Promise<Login | Problem> {
  const state = query.get("state") ?? "";
  const signIn = pending.get(state);
  pending.delete(state);
  if (!signIn) return { code: "unknown_state", detail: "Start the login again." };
  const exchanged = await fetch((await endpoints()).token_endpoint, {
    method: "POST",
    body: new URLSearchParams({
      grant_type: "authorization_code",
      client_id: clientId,
      redirect_uri: redirectUri,
      code: query.get("code") ?? "",
      code_verifier: signIn.verifier,
    }),
  });
  if (!exchanged.ok) return { code: "sign_in_failed", detail: "The sign-in failed. Try again." };
  const { id_token } = (await exchanged.json()) as { id_token: string };

  const { inviteToken, accountId } = signIn;
  const answer = await fetch(`${rollcall}/login`, {
    method: "POST",
    headers: { authorization: `Bearer ${id_token}`, "content-type": "application/json" },
    body: JSON.stringify({ inviteToken, accountId }),
  });
  return (await answer.json()) as Login | Problem;
}

createServer(async (request, response) => {
  const url = new URL(request.url ?? "/", self);
  const html = (status: number, text: string) =>
    response.writeHead(status, { "content-type": "text/html; charset=utf-8" }).end(text);
  const escape = (text: string) => text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
  if (url.pathname === "/login") {
    response.writeHead(303, { location: await beginSignIn(url.searchParams) }).end();
  } else if (url.pathname === "/callback") {
    const result = await finishSignIn(url.searchParams);
    if ("account" in result) {
      // Here a product starts its session, and remembers account and member in it.
      html(200, `Welcome to ${escape(result.account.company)}, ${escape(result.member.firstName)}.`);
    } else if (result.code === "choose_account") {
      const link = (account: { id: string; company: string }) =>
        `<p><a href="/login?accountId=${account.id}">${escape(account.company)}</a>`;
      html(200, escape(result.detail) + result.accounts!.map(link).join(""));
    } else {
      html(403, escape(result.detail));
    }
  } else {
    html(404, "There is nothing here.");
  }
}).listen(8080, () => console.log(`${self}/login`));

// Signing in at the OpenID provider: authorization code flow with PKCE (OpenID Connect Core 1.0,
// 3.1; RFC 7636). Nothing here knows a particular provider.

import { end, pendingSignIn } from './session.js';
import { settings } from './settings.js';

export class SignInError extends Error {
  /**
   * @param {'cancelled' | 'unreachable' | 'refused'} code
   * @param {string} detail
   */
  constructor(code, detail) {
    super(detail);
    this.code = code;
    this.detail = detail;
  }
}

/** The one address that the provider sends people back to, after signing in and after signing out. */
const redirectUri = `${location.origin}/login`;

/** How far the provider's clock may be ahead, in seconds. */
const LEEWAY = 300;

/** @param {{returnTo?: string, anotherAccount?: boolean}} [options] */
export async function signIn({ returnTo = '/', anotherAccount = false } = {}) {
  const { authorization_endpoint: endpoint } = await discover();
  const [state, nonce, verifier] = [randomText(), randomText(), randomText()];
  pendingSignIn.set({ state, nonce, verifier, returnTo });
  const url = new URL(endpoint);
  const parameters = {
    response_type: 'code',
    client_id: settings.clientId,
    redirect_uri: redirectUri,
    scope: settings.scopes,
    state,
    nonce,
    code_challenge: await challenge(verifier),
    code_challenge_method: 'S256',
    // Without it, a provider that remembers somebody would come back with the same person.
    ...(anotherAccount && { prompt: 'login' }),
  };
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  location.assign(url);
}

/** @param {URL} url */
export function isAnswer(url) {
  return url.searchParams.has('state') && (url.searchParams.has('code') || url.searchParams.has('error'));
}

/**
 * Takes the provider's answer: checks it and exchanges its code for an ID token.
 *
 * @param {URL} url
 * @returns {Promise<Session & {returnTo: string}>}
 */
export async function finishSignIn(url) {
  const pending = pendingSignIn.take();
  const answer = url.searchParams;
  // Somebody else's answer, or an old one: it must not sign anybody in (RFC 6749, 10.12).
  if (!pending || answer.get('state') !== pending.state) {
    throw new SignInError('refused', "This sign-in wasn't started in this tab, or it was already used.");
  }
  // RFC 9207: the answer is of the provider that was asked.
  if (answer.has('iss') && answer.get('iss') !== settings.issuer) {
    throw new SignInError('refused', 'The answer came from another sign-in service.');
  }
  const error = answer.get('error');
  if (error === 'access_denied') {
    throw new SignInError('cancelled', 'You cancelled the sign-in.');
  }
  if (error !== null) {
    throw new SignInError('refused', answer.get('error_description') || error);
  }
  const { token_endpoint: endpoint } = await discover();
  const tokens = await fetchJson(endpoint, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      client_id: settings.clientId,
      code: answer.get('code') ?? '',
      redirect_uri: redirectUri,
      code_verifier: pending.verifier,
    }),
  });
  const claims = claimsOf(tokens.id_token);
  check(claims, pending.nonce);
  return { idToken: tokens.id_token, claims, returnTo: pending.returnTo };
}

/**
 * Forgets who is signed in, here and at the provider if it has a way to.
 *
 * @param {string} idToken
 */
export async function signOut(idToken) {
  end('signed-out');
  const { end_session_endpoint: endpoint } = await discover().catch(() => ({}));
  if (!endpoint) {
    location.assign('/login');
    return;
  }
  const url = new URL(endpoint);
  url.searchParams.set('id_token_hint', idToken);
  url.searchParams.set('client_id', settings.clientId);
  url.searchParams.set('post_logout_redirect_uri', redirectUri);
  // What Amazon Cognito calls it. Others ignore what they do not know.
  url.searchParams.set('logout_uri', redirectUri);
  location.assign(url);
}

async function discover() {
  const base = settings.issuer.replace(/\/$/, '');
  const found = await fetchJson(`${base}/.well-known/openid-configuration`);
  // OpenID Connect Discovery 1.0, 4.3.
  if (found.issuer !== settings.issuer) {
    throw new SignInError('refused', "The sign-in service isn't the one that was expected.");
  }
  return found;
}

/**
 * @param {string} url
 * @param {RequestInit} [options]
 */
async function fetchJson(url, options = {}) {
  let response;
  try {
    response = await fetch(url, { ...options, credentials: 'omit', signal: AbortSignal.timeout(20_000) });
  } catch {
    throw new SignInError('unreachable', "The sign-in service can't be reached.");
  }
  const body = await response.json().catch(() => ({}));
  if (!response.ok) {
    const detail =
      body.error_description || body.error || `The sign-in service answered with status ${response.status}.`;
    throw new SignInError('refused', detail);
  }
  return body;
}

/**
 * What OpenID Connect Core 1.0, 3.1.3.7 wants a client to check. The signature is not among it:
 * the token came straight from the provider over TLS, and the API verifies it with every call.
 *
 * @param {Session['claims']} claims
 * @param {string} nonce
 */
function check(claims, nonce) {
  const audiences = [claims.aud].flat();
  const isOurs =
    claims.iss === settings.issuer &&
    audiences.includes(settings.clientId) &&
    (claims.azp === undefined || claims.azp === settings.clientId) &&
    claims.nonce === nonce &&
    claims.exp > Date.now() / 1_000 - LEEWAY;
  if (!isOurs)
    throw new SignInError('refused', "The sign-in service sent a token that isn't for this sign-in.");
}

/**
 * @param {string} idToken
 * @returns {Session['claims']}
 */
function claimsOf(idToken) {
  try {
    const payload = idToken.split('.')[1].replaceAll('-', '+').replaceAll('_', '/');
    const bytes = Uint8Array.from(atob(payload), (character) => character.charCodeAt(0));
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    throw new SignInError('refused', 'The sign-in service sent no readable ID token.');
  }
}

/** @param {Uint8Array} bytes */
function base64Url(bytes) {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
}

/** 32 random bytes: 43 characters, as RFC 7636, 4.1 recommends. */
function randomText() {
  return base64Url(crypto.getRandomValues(new Uint8Array(32)));
}

/** @param {string} verifier */
async function challenge(verifier) {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier));
  return base64Url(new Uint8Array(digest));
}

// The API, one function a call. Whatever is not a success is thrown as a `Problem`.

import { current, end } from './session.js';

/** An answer that says no (RFC 9457), or the lack of an answer. */
export class Problem extends Error {
  /**
   * @param {ProblemDocument} document
   * @param {number} [retryAfter] in seconds
   */
  constructor(document, retryAfter) {
    super(document.detail ?? document.title ?? 'Something went wrong.');
    this.code = document.code ?? 'internal';
    this.title = document.title;
    this.detail = this.message;
    this.requestId = document.requestId;
    this.errors = document.errors ?? [];
    this.accounts = document.accounts ?? [];
    this.retryAfter = retryAfter;
  }

  get canRetry() {
    return ['internal', 'unavailable', 'unreachable'].includes(this.code);
  }
}

/** @type {Api['login']} */
export const login = (body) => call('POST', '/login', { body });

/** @type {Api['listMembers']} */
export const listMembers = (account, query, signal) =>
  call('GET', `${members(account)}${queryString(query)}`, { signal });

/** @type {Api['inviteMember']} */
export const inviteMember = (account, body, key) => call('POST', members(account), { body, key });

/** @type {Api['resendInvite']} */
export const resendInvite = (account, id, email, key) =>
  call('POST', `${member(account, id)}/resend`, { body: { email }, key });

/** @type {Api['removeMember']} */
export const removeMember = (account, id) => call('DELETE', member(account, id));

/** @type {Api['updateMember']} */
export const updateMember = (account, id, body) => call('PATCH', member(account, id), { body });

/** @type {Api['updateAccount']} */
export const updateAccount = (id, body) => call('PATCH', accountPath(id), { body });

/** @type {Api['closeAccount']} */
export const closeAccount = (id) => call('DELETE', accountPath(id));

/** @type {Api['lookUp']} */
export const lookUp = (email) => call('GET', `/support/feedback${queryString({ email })}`);

/** @type {Api['listFeedback']} */
export const listFeedback = (cursor) => call('GET', `/support/feedback${queryString({ cursor })}`);

/** @type {Api['liftSuppression']} */
export const liftSuppression = (email) =>
  call('DELETE', `/support/suppressions/${encodeURIComponent(email)}`);

/** @param {string} id */
const accountPath = (id) => `/accounts/${encodeURIComponent(id)}`;
/** @param {string} account */
const members = (account) => `${accountPath(account)}/members`;
/** @type {(account: string, id: string) => string} */
const member = (account, id) => `${members(account)}/${encodeURIComponent(id)}`;

/** @param {Query} parameters */
function queryString(parameters) {
  const given = Object.entries(parameters).filter(([, value]) => value);
  return given.length ? `?${new URLSearchParams(given.map(([name, value]) => [name, String(value)]))}` : '';
}

/** How long to wait for an answer, in milliseconds: longer than API Gateway does. */
const LONGEST_CALL = 31_000;

/**
 * @param {string} method
 * @param {string} path
 * @param {{body?: object, key?: string, signal?: AbortSignal}} [options]
 * @returns {Promise<any>}
 */
async function call(method, path, { body, key, signal } = {}) {
  const session = current();
  if (!session) throw signedOut();
  const headers = new Headers({ authorization: `Bearer ${session.idToken}` });
  if (body) headers.set('content-type', 'application/json');
  if (key) headers.set('idempotency-key', key);
  let response;
  try {
    const timeout = AbortSignal.timeout(LONGEST_CALL);
    response = await fetch(path, {
      method,
      headers,
      body: body && JSON.stringify(body),
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Problem({
      code: 'unreachable',
      title: 'No connection',
      detail: "The server can't be reached. Check your connection, then try again.",
    });
  }
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  if (response.status === 401) throw signedOut();
  throw new Problem(
    { requestId: response.headers.get('x-request-id') ?? undefined, ...answer },
    Number(response.headers.get('retry-after')) || undefined,
  );
}

function signedOut() {
  end('expired');
  return new Problem({ code: 'unauthenticated', detail: "You're no longer signed in." });
}

/** A new key under which a call can be repeated without being carried out twice. */
export const newKey = () => crypto.randomUUID();

// The API, one function a call. Whatever is not a success is thrown as a `Problem`.

import { current, end } from './session.js';

/** An answer that says no (RFC 9457), or the lack of an answer. */
export class Problem extends Error {
  /**
   * @param {{code?: string, title?: string, detail?: string, requestId?: string,
   *   errors?: {field: string, message: string}[], accounts?: {id: string, company: string}[]}} document
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

  /** Whether the same call may work a moment later. */
  get canRetry() {
    return ['internal', 'unavailable', 'unreachable'].includes(this.code);
  }
}

export const login = (body) => call('POST', '/login', { body });

export const listMembers = (account, query, signal) =>
  call('GET', `${members(account)}${queryString(query)}`, { signal });

export const inviteMember = (account, body, key) => call('POST', members(account), { body, key });

/** To the address of the invite, or to a corrected one. */
export const resendInvite = (account, id, key, email) =>
  call('POST', `${member(account, id)}/resend`, { body: email ? { email } : {}, key });

export const removeMember = (account, id) => call('DELETE', member(account, id));

export const updateMember = (account, id, body) => call('PATCH', member(account, id), { body });

export const updateAccount = (id, body) => call('PATCH', accountPath(id), { body });

export const closeAccount = (id) => call('DELETE', accountPath(id));

export const listFeedback = (query) => call('GET', `/support/feedback${queryString(query)}`);

export const liftSuppression = (email) =>
  call('DELETE', `/support/suppressions/${encodeURIComponent(email)}`);

const accountPath = (id) => `/accounts/${encodeURIComponent(id)}`;
const members = (account) => `${accountPath(account)}/members`;
const member = (account, id) => `${members(account)}/${encodeURIComponent(id)}`;

function queryString(parameters) {
  const given = Object.entries(parameters).filter(([, value]) => value);
  return given.length ? `?${new URLSearchParams(given)}` : '';
}

/** How long to wait for an answer, in milliseconds: longer than API Gateway does. */
const LONGEST_CALL = 31_000;

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
      detail: 'The server cannot be reached. Check your connection, then try again.',
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
  return new Problem({ code: 'unauthenticated', detail: 'You are not signed in any more.' });
}

/** A new key under which a call can be repeated without being carried out twice. */
export const newKey = () => crypto.randomUUID();

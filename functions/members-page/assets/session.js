// What this tab remembers: sessionStorage, which ends with the tab and is shared with no other.

import { settings } from './settings.js';

const read = (key) => JSON.parse(sessionStorage.getItem(`rollcall.${key}`) ?? 'null');
const write = (key, value) => {
  if (value === null) sessionStorage.removeItem(`rollcall.${key}`);
  else sessionStorage.setItem(`rollcall.${key}`, JSON.stringify(value));
};
const slot = (key) => ({
  get: () => read(key),
  set: (value) => write(key, value),
  clear: () => write(key, null),
  take: () => {
    const value = read(key);
    write(key, null);
    return value;
  },
});

/** The ID token and its claims: `{idToken, claims}`. */
const signedIn = slot('signed-in');
/** The token of the invite whose link was opened. It stays until a login has used it. */
export const invite = slot('invite');
/** The id of the account that the person uses: what a reload goes back to. */
export const account = slot('account');
/** Whether the person has been asked to choose an account. */
export const hasChoice = slot('has-choice');
/** A sign-in under way: `{state, nonce, verifier, returnTo}`. */
export const pendingSignIn = slot('sign-in');
/** Why the person is not signed in any more, for the next screen to say. */
export const farewell = slot('farewell');

/**
 * Whoever is signed in, or null. Whether the token is still good is for the API to say: this
 * machine's clock may be wrong.
 *
 * @returns {{idToken: string, claims: Record<string, any>} | null}
 */
export const current = () => signedIn.get();

export function begin(idToken, claims) {
  signedIn.set({ idToken, claims });
}

/** @param {'expired' | 'signed-out'} [why] */
export function end(why) {
  signedIn.clear();
  account.clear();
  hasChoice.clear();
  if (why) farewell.set(why);
}

/** Whether the identity provider counts the person among support staff. A hint for what to show:
 *  the API decides by itself. */
export function isSupport() {
  const groups = current()?.claims[settings.supportGroupClaim];
  return [groups].flat().includes(settings.supportGroup);
}

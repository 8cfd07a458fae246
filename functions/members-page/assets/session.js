// What this tab remembers: sessionStorage, which ends with the tab and is shared with no other.

import { settings } from './settings.js';

/** @param {string} key */
const read = (key) => JSON.parse(sessionStorage.getItem(`rollcall.${key}`) ?? 'null');
/** @type {(key: string, value: unknown) => void} */
const write = (key, value) => {
  if (value === null) sessionStorage.removeItem(`rollcall.${key}`);
  else sessionStorage.setItem(`rollcall.${key}`, JSON.stringify(value));
};
/** @type {(key: string) => Slot<any>} */
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

/** @type {Slot<Session>} */
const signedIn = slot('signed-in');
/**
 * The token of the invite whose link was opened. It stays until a login has used it.
 *
 * @type {Slot<string>}
 */
export const invite = slot('invite');
/**
 * The id of the account that the person uses: what a reload goes back to.
 *
 * @type {Slot<string>}
 */
export const account = slot('account');
/** @type {Slot<boolean>} */
export const hasChoice = slot('has-choice');
/** @type {Slot<{state: string, nonce: string, verifier: string, returnTo: string}>} */
export const pendingSignIn = slot('sign-in');
/**
 * Why the person is not signed in any more, for the next screen to say.
 *
 * @type {Slot<'expired' | 'signed-out'>}
 */
export const farewell = slot('farewell');

/**
 * Whoever is signed in, or null. Whether the token is still good is for the API to say: this
 * machine's clock may be wrong.
 */
export const current = () => signedIn.get();

/** @type {(idToken: string, claims: Session['claims']) => void} */
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

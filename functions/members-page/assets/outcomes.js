// What to do next after each outcome of a login. The API's sentence says what happened.

/** @type {Record<string, Outcome>} */
const OUTCOMES = {
  email_unverified: {
    icon: 'mail',
    title: 'Verify your e-mail address',
    steps: [
      'Verify your address where you sign in. Most services send you an e-mail for this.',
      'Then sign in here again.',
    ],
    action: 'again',
  },
  no_access: {
    icon: 'lock',
    title: "You're not in an account",
    steps: [
      'Were you invited at another address? Sign in with that one.',
      'Otherwise, ask the account owner to invite you at this address.',
    ],
    action: 'another',
    usesUpInvite: true,
  },
  account_closed: {
    icon: 'lock',
    title: 'This account is closed',
    steps: ['Nobody can use a closed account. Its owner can ask support to open it again.'],
    action: 'wait',
    usesUpInvite: true,
  },
  access_revoked: {
    icon: 'ban',
    title: 'Your access was revoked',
    steps: [
      'The owner of the account removed you. If that was a mistake, ask them to invite you again.',
      'You then get a new e-mail. Earlier links no longer work.',
    ],
    action: 'wait',
    usesUpInvite: true,
  },
  upgrade_required: {
    icon: 'star',
    title: 'The account needs an upgrade',
    steps: [
      'Ask the owner of the account to upgrade its plan.',
      'Nothing is lost. After the upgrade, log in as before.',
    ],
    action: 'wait',
  },
  invite_link_required: {
    icon: 'mail',
    title: 'Open the link in your invite',
    steps: [
      'Look for the invite in your inbox and your spam folder.',
      'Open the link in the newest one. After that, log in here as usual.',
      'No e-mail? Ask the owner of the account to resend the invite.',
    ],
    action: 'wait',
  },
  invite_superseded: {
    icon: 'clock',
    title: 'There is a newer invite',
    steps: ['Look for a later e-mail in your inbox, and open the link in that one.'],
    action: 'wait',
    usesUpInvite: true,
  },
  invite_expired: {
    icon: 'clock',
    title: 'This invite has expired',
    steps: ['After the owner resends it, you get a new e-mail. Open the link in that one.'],
    action: 'wait',
    usesUpInvite: true,
  },
  invite_invalid: {
    icon: 'alert',
    title: "This link doesn't work",
    steps: [
      'Some mail programs break long links. Copy the whole link from the e-mail into the address bar.',
      "If that doesn't help, ask the owner of the account to resend the invite.",
    ],
    action: 'wait',
    usesUpInvite: true,
  },
  wrong_account: {
    icon: 'people',
    title: 'This invite is for another address',
    steps: [
      'Sign in with the address that the invite was sent to. The invite still works.',
      "To use the address that you're signed in with, ask the account owner to invite it.",
    ],
    action: 'another',
  },
  identity_mismatch: {
    icon: 'ban',
    title: "You're not recognised",
    steps: [
      'Your address was first used here with a different sign-in.',
      'If you have several ways to sign in, use the one from before. Otherwise, contact support.',
    ],
    action: 'another',
  },
  cancelled: {
    icon: 'info',
    title: 'Sign-in cancelled',
    steps: ['Nothing has changed. You can sign in whenever you like.'],
    action: 'again',
  },
  refused: {
    icon: 'alert',
    title: "Sign-in didn't work",
    steps: ['Sign in again. If it keeps failing, contact support.'],
    action: 'again',
  },
  unreachable: {
    icon: 'alert',
    title: 'No connection',
    steps: ['Check your connection, then try again.'],
    action: 'retry',
  },
  support_only: {
    icon: 'lock',
    title: 'Only for support staff',
    steps: ["If you're on the support team, ask to be added to the support group, then sign in again."],
    action: 'wait',
  },
};

/** @type {Outcome} */
const UNKNOWN = {
  icon: 'alert',
  title: 'Something went wrong',
  steps: ['Try again in a moment. If it keeps failing, contact support with the request id.'],
  action: 'retry',
};

/** @param {string} code */
export const outcomeOf = (code) => OUTCOMES[code] ?? UNKNOWN;

const ENDS_ACCESS = [
  'access_revoked',
  'account_closed',
  'email_unverified',
  'identity_mismatch',
  'no_access',
  'unauthenticated',
];

/**
 * Whether a refusal, wherever it comes, means that the person has no place in the account (any more).
 *
 * @param {{code: string}} problem
 */
export const endsAccess = (problem) => ENDS_ACCESS.includes(problem.code);

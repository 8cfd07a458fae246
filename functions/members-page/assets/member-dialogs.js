// What the owner is asked before something happens to a person. The answer is undefined after Cancel.

import { inviteMember, newKey, removeMember, resendInvite, updateMember } from './api.js';
import { ask } from './dialog.js';
import { h } from './dom.js';
import { fullName } from './format.js';
import { didYouMean } from './misspelling.js';
import { settings } from './settings.js';

/** @param {Partial<PersonName>} [name] */
export const nameFields = ({ firstName = '', lastName = '' } = {}) => [
  { name: 'firstName', label: 'First name', value: firstName },
  { name: 'lastName', label: 'Last name', value: lastName },
];

/** @type {Field} */
const EMAIL = {
  name: 'email',
  label: 'E-mail address',
  type: 'email',
  hint: 'The address they sign in with. It must not have an automatic reply.',
  doubt(value) {
    const meant = didYouMean(value, settings.mailProviders);
    return meant && `Did you mean ${meant}? If not, send the invite again to keep what you typed.`;
  },
};

const ABOUT_THE_ADDRESS = ['already_member', 'already_invited', 'address_in_use'];

/** @param {import('./api.js').Problem} problem */
const fieldOf = ({ code }) => (ABOUT_THE_ADDRESS.includes(code) ? EMAIL.name : undefined);

/** @param {Account} account */
export function askToInvite(account) {
  const key = keyOf();
  const text =
    'They get an e-mail with a link, which they use to log in for the first time. ' +
    'They can do everything you can, except manage members and the account.';
  return ask({
    title: 'Invite someone',
    text: [h('p', {}, text)],
    fields: [...nameFields(), EMAIL],
    submit: 'Send invite',
    busy: 'Sending',
    fieldOf,
    carryOut: (values) => inviteMember(account.id, values, key(values)),
  });
}

/** @type {(account: Account, member: Member) => Promise<Member | undefined>} */
export function askToResend(account, member) {
  const key = keyOf();
  return ask({
    title: `Resend the invite to ${fullName(member)}?`,
    text: [h('p', {}, 'The link in the new e-mail replaces the earlier one. You can correct the address.')],
    fields: [{ ...EMAIL, value: member.email }],
    submit: 'Resend invite',
    busy: 'Sending',
    fieldOf,
    carryOut: (values) => {
      const email = values.email === member.email ? undefined : values.email;
      return resendInvite(account.id, member.id, email, key(values));
    },
  });
}

/** @type {typeof askToResend} */
export function askToRename(account, member) {
  return ask({
    title: `Edit the name of ${fullName(member)}`,
    fields: nameFields(member),
    submit: 'Save',
    busy: 'Saving',
    carryOut: (values) => updateMember(account.id, member.id, values),
  });
}

/** @type {(account: Account, member: Member) => Promise<Removal | undefined>} */
export function askToRemove(account, member) {
  const name = fullName(member);
  const loss = ` (${member.email}) loses access to ${account.company} at once. This can't be reversed.`;
  const after =
    member.status === 'active'
      ? 'To let them back in, you have to invite them again.'
      : 'The link in their invite stops working.';
  return ask({
    title: `Remove ${name}?`,
    text: [h('p', {}, h('strong', {}, name), loss), h('p', { class: 'muted' }, after)],
    submit: 'Remove',
    busy: 'Removing',
    isDanger: true,
    carryOut: () => removeMember(account.id, member.id),
  });
}

/** The same key for the same values, so that a repeated call is one call; another key otherwise. */
function keyOf() {
  let [last, key] = ['', ''];
  return (/** @type {object} */ values) => {
    const text = JSON.stringify(values);
    if (text !== last) [last, key] = [text, newKey()];
    return key;
  };
}

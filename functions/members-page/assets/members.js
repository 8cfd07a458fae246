// The Members tab: who is in the account, and what the owner can do about it. What it shows is what
// the API said; nothing is shown as done before.

import { inviteMember, listMembers, newKey, removeMember, resendInvite, updateMember } from './api.js';
import { nameFields } from './details.js';
import { ask } from './dialog.js';
import { fill, h, newId } from './dom.js';
import { fullName } from './format.js';
import { announce, failure, supportLink } from './frame.js';
import { icon } from './icons.js';
import { memberTable, placeholder } from './member-table.js';
import { endsAccess } from './outcomes.js';
import { settings } from './settings.js';

const PAGE = 25;

/** @param {import('./profile.js').Place} place */
export function membersTab(place) {
  const can = (ability) => place.abilities.includes(ability);
  const isPro = () => place.account.proLevel !== false;

  let members = [];
  let cursor;
  /** Ends the list call under way when another one takes its place. */
  let listing = new AbortController();

  const search = h('input', {
    id: newId(),
    type: 'search',
    placeholder: 'Name or e-mail',
    autocomplete: 'off',
    maxlength: 100,
    oninput: soon(load),
  });
  const status = h(
    'select',
    { id: newId(), onchange: () => load() },
    [
      ['', 'All'],
      ['active', 'Active'],
      ['invited', 'Invited'],
      ['expired', 'Expired'],
      ['removed', 'Removed'],
    ].map(([value, label]) => h('option', { value }, label)),
  );
  const inviteButton = h(
    'button',
    { type: 'button', class: 'main', onclick: invite },
    icon('plus'),
    'Invite',
  );
  const upgrade = h('div', {});
  const inviteArea = h('div', {});
  const list = h('div', { class: 'list' });
  const more = h('div', { class: 'more' });

  function drawControls() {
    const canInvite = can('members:invite');
    fill(inviteArea, canInvite && isPro() && inviteButton);
    fill(
      upgrade,
      canInvite &&
        !isPro() &&
        h(
          'section',
          { class: 'upgrade', 'aria-label': 'Upgrade' },
          icon('star'),
          h(
            'div',
            {},
            h('h2', {}, 'Invite your team'),
            h(
              'p',
              {},
              'Multi-user access is only available to pro-level accounts. Upgrade the account to use it.',
            ),
            h(
              'p',
              { class: 'muted small-text' },
              'To upgrade your ',
              h('span', { class: 'plan' }, place.account.plan),
              ' plan, write to ',
              supportLink(),
              '.',
            ),
          ),
        ),
    );
  }

  /** Loads the first page, or the one after a cursor. */
  async function load(after) {
    listing.abort();
    listing = new AbortController();
    const { signal } = listing;
    list.setAttribute('aria-busy', 'true');
    if (!members.length && !after) fill(list, placeholder());
    if (after) fill(more, h('p', { class: 'muted', role: 'status' }, 'Loading'));
    try {
      const query = { status: status.value, q: search.value.trim(), limit: PAGE, cursor: after };
      const answer = await listMembers(place.account.id, query, signal);
      const firstNew = after && answer.members[0]?.id;
      members = after ? [...members, ...answer.members] : answer.members;
      cursor = answer.cursor;
      place.account = answer.account;
      place.abilities = answer.abilities;
      place.changed();
      drawControls();
      draw();
      if (firstNew) focusRow(firstNew);
    } catch (error) {
      if (signal.aborted) return;
      list.removeAttribute('aria-busy');
      if (endsAccess(error)) return place.refused(error);
      if (after) {
        fill(
          more,
          failure(error, () => load(after)),
        );
      } else {
        members = [];
        fill(
          list,
          failure(error, () => load()),
        );
        fill(more);
      }
    }
  }

  function draw() {
    list.removeAttribute('aria-busy');
    fill(list, members.length ? memberTable(place, members, itemsFor) : nobody());
    fill(more, cursor && h('button', { type: 'button', onclick: () => load(cursor) }, 'Load more'));
    // The owner alone: the way on is to invite somebody.
    const isAlone = members.length === 1 && !search.value && !status.value;
    if (isAlone && can('members:invite') && isPro()) {
      list.append(
        h(
          'div',
          { class: 'empty' },
          icon('people'),
          h('p', {}, h('strong', {}, 'Nobody else is here yet.')),
          h('p', { class: 'muted' }, 'Invite your team. They get an e-mail with a link.'),
        ),
      );
    }
  }

  function nobody() {
    const reset = h('button', { type: 'button', onclick: clearFilter }, 'Show everybody');
    return h(
      'div',
      { class: 'empty', role: 'status' },
      icon('search'),
      h('p', {}, h('strong', {}, 'Nobody fits this filter.')),
      reset,
    );
  }

  function clearFilter() {
    search.value = '';
    status.value = '';
    search.focus();
    load();
  }

  /** What the menu of a row offers. */
  function itemsFor(member) {
    const isOpen = member.status === 'invited' || member.status === 'expired';
    const isOther = member.role !== 'owner' && member.id !== place.member.id;
    return [
      isOpen &&
        can('members:resend') &&
        isPro() && {
          label: 'Resend invite',
          icon: 'send',
          secondsLeft: () => secondsLeft(member),
          run: () => resend(member),
        },
      member.status !== 'removed' &&
        can('account:update') && { label: 'Edit name', icon: 'pen', run: () => rename(member) },
      member.status !== 'removed' &&
        isOther &&
        can('members:remove') && {
          label: 'Remove',
          icon: 'trash',
          isDanger: true,
          run: () => remove(member),
        },
    ].filter(Boolean);
  }

  async function invite() {
    const key = keyOf();
    await act(async () => {
      const invited = await ask({
        title: 'Invite somebody',
        text: [
          h(
            'p',
            {},
            `They get an e-mail with a link, and log in with it the first time. They can do all you can, except managing members and the account.`,
          ),
        ],
        fields: [
          ...nameFields(),
          {
            name: 'email',
            label: 'E-mail address',
            type: 'email',
            hint: 'The address they sign in with. It must not have an automatic reply.',
          },
        ],
        submit: 'Send invite',
        busy: 'Sending',
        fieldOf: ({ code }) =>
          ['already_member', 'already_invited', 'address_undeliverable'].includes(code) ? 'email' : undefined,
        carryOut: (values) => inviteMember(place.account.id, values, key(values)),
      });
      if (!invited) return;
      search.value = '';
      status.value = '';
      await load();
      say(invited, `Invite sent to ${fullName(invited)}.`);
    }, inviteButton);
  }

  async function resend(member) {
    const name = fullName(member);
    await act(async () => {
      const key = newKey();
      const answer = await ask({
        title: `Resend the invite to ${name}?`,
        text: [
          h(
            'p',
            {},
            `A new e-mail goes to `,
            h('strong', {}, member.email),
            '. The link in it replaces the earlier one.',
          ),
        ],
        submit: 'Resend invite',
        busy: 'Sending',
        carryOut: () => resendInvite(place.account.id, member.id, key),
      });
      if (!answer) return;
      replace(answer);
      say(answer, `Invite sent again to ${name}.`);
    });
  }

  async function rename(member) {
    await act(async () => {
      const answer = await ask({
        title: `Edit the name of ${fullName(member)}`,
        fields: nameFields(member),
        submit: 'Save',
        busy: 'Saving',
        carryOut: (values) => updateMember(place.account.id, member.id, values),
      });
      if (!answer) return;
      if (member.id === place.member.id) place.member = { ...place.member, ...answer };
      place.changed();
      replace({ ...member, ...answer });
      announce(`The name is now ${fullName(answer)}.`);
    });
  }

  async function remove(member) {
    const name = fullName(member);
    await act(async () => {
      const removed = await ask({
        title: `Remove ${name}?`,
        text: [
          h(
            'p',
            {},
            h('strong', {}, name),
            ` (${member.email}) loses access to ${place.account.company} at once. This cannot be reversed.`,
          ),
          h(
            'p',
            { class: 'muted' },
            member.status === 'active'
              ? 'To let them back in, you would have to invite them anew.'
              : 'The link in their invite stops working.',
          ),
        ],
        submit: 'Remove',
        busy: 'Removing',
        isDanger: true,
        carryOut: () => removeMember(place.account.id, member.id),
      });
      if (!removed) return;
      const at = members.findIndex(({ id }) => id === removed.id);
      members = members.filter(({ id }) => id !== removed.id);
      draw();
      announce(`${name} was removed.`);
      // The row is gone: on to the one that took its place.
      focusRow(members[Math.min(at, members.length - 1)]?.id);
    });
  }

  /** Does something that may end with the person's own access, and then gives the focus back. */
  async function act(action, opener) {
    try {
      await action();
      opener?.focus();
    } catch (error) {
      place.refused(error);
    }
  }

  /** An invite is kept even if its mail did not go. */
  function say(member, text) {
    if (member.delivery?.status === 'failed')
      announce(
        `${fullName(member)} is invited, but the e-mail was not sent. ${member.delivery.reason ?? ''}`,
        'warn',
      );
    else announce(text);
  }

  function replace(member) {
    members = members.map((other) => (other.id === member.id ? member : other));
    draw();
    focusRow(member.id);
  }

  /** To the menu of a row, or to the row if it has none. */
  function focusRow(id) {
    const row = [...list.querySelectorAll('[data-member]')].find((row) => row.dataset.member === id);
    (row?.querySelector('button') ?? row ?? search).focus();
  }

  drawControls();
  load();
  return [
    upgrade,
    h(
      'div',
      { class: 'toolbar' },
      h(
        'div',
        { class: 'field search' },
        h('label', { for: search.id }, 'Search'),
        h('div', { class: 'with-icon' }, icon('search'), search),
      ),
      h('div', { class: 'field' }, h('label', { for: status.id }, 'Status'), status),
      inviteArea,
    ),
    list,
    more,
  ];
}

/** How long an invite still cools down; one whose mail did not go does not. A clock that is wrong
 *  must not make anybody wait longer than that takes: in the end the API decides. */
function secondsLeft({ lastSentAt, delivery }) {
  if (delivery?.status === 'failed') return 0;
  const passed = Math.floor((Date.now() - new Date(lastSentAt ?? 0)) / 1_000);
  return passed < 0 ? 0 : Math.max(0, settings.resendCooldown - passed);
}

/** Calls later, and once, however often it is asked to. */
function soon(act) {
  let waiting;
  return () => {
    clearTimeout(waiting);
    waiting = setTimeout(act, 250);
  };
}

/** The same key for the same values, so that a repeated call is one call; another key otherwise. */
function keyOf() {
  let last = {};
  return (values) => {
    const text = JSON.stringify(values);
    if (text !== last.text) last = { text, key: newKey() };
    return last.key;
  };
}

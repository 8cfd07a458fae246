// The Members tab: who is in the account, and what the owner can do about it. What it shows is what
// the API said; nothing is shown as done before.

import { listMembers, Problem } from './api.js';
import { fill, h, newId } from './dom.js';
import { fullName } from './format.js';
import { announce, failure, supportLink } from './frame.js';
import { icon } from './icons.js';
import { askToInvite, askToRemove, askToRename, askToResend } from './member-dialogs.js';
import { memberTable, placeholder } from './member-table.js';
import { endsAccess } from './outcomes.js';
import { settings } from './settings.js';

const PAGE = 25;

/** @param {Place} place */
export function membersTab(place) {
  /** @param {Ability} ability */
  const can = (ability) => place.abilities.includes(ability);
  const isPro = () => place.account.proLevel !== false;

  /** @type {Member[]} */
  let members = [];
  /** @type {string | undefined} */
  let cursor;
  /** Ends the list call under way when another one takes its place. */
  let listing = new AbortController();

  const search = h('input', {
    id: newId(),
    type: 'search',
    placeholder: 'Name or e-mail',
    autocomplete: 'off',
    maxlength: 100,
    oninput: soon(() => load()),
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
  /** Tells how many there are to those who do not see the list change. */
  const spoken = h('p', { class: 'hidden', role: 'status' });
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

  /**
   * Loads the first page, or the one after a cursor.
   *
   * @param {string} [after]
   */
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
      spoken.textContent = `${members.length} ${members.length === 1 ? 'person' : 'people'}${cursor ? ', and more' : ''}`;
      if (firstNew) focusRow(firstNew);
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof Problem)) throw error;
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

  /**
   * What the menu of a row offers.
   *
   * @param {Member} member
   */
  function itemsFor(member) {
    /** @type {MenuItem[]} */
    const items = [];
    const isOpen = member.status === 'invited' || member.status === 'expired';
    const isOther = member.role !== 'owner' && member.id !== place.member.id;
    if (isOpen && can('members:resend') && isPro()) {
      items.push({
        label: 'Resend invite',
        icon: 'send',
        secondsLeft: () => secondsLeft(member),
        run: () => resend(member),
      });
    }
    if (member.status === 'removed') return items;
    if (can('account:update')) {
      items.push({ label: 'Edit name', icon: 'pen', run: () => rename(member) });
    }
    if (isOther && can('members:remove')) {
      items.push({ label: 'Remove', icon: 'trash', isDanger: true, run: () => remove(member) });
    }
    return items;
  }

  function invite() {
    return act(async () => {
      const invited = await askToInvite(place.account);
      if (!invited) return;
      search.value = '';
      status.value = '';
      await load();
      say(invited, `Invite sent to ${fullName(invited)}.`);
    }, inviteButton);
  }

  /** @param {Member} member */
  function resend(member) {
    return act(async () => {
      const resent = await askToResend(place.account, member);
      if (!resent) return;
      replace(resent);
      say(resent, `Invite sent again to ${fullName(resent)}.`);
    });
  }

  /** @param {Member} member */
  function rename(member) {
    return act(async () => {
      const renamed = await askToRename(place.account, member);
      if (!renamed) return;
      if (member.id === place.member.id) place.member = { ...place.member, ...renamed };
      place.changed();
      replace({ ...member, ...renamed });
      announce(`The name is now ${fullName(renamed)}.`);
    });
  }

  /** @param {Member} member */
  function remove(member) {
    return act(async () => {
      const removed = await askToRemove(place.account, member);
      if (!removed) return;
      const at = members.findIndex(({ id }) => id === removed.id);
      members = members.filter(({ id }) => id !== removed.id);
      draw();
      announce(`${fullName(member)} was removed.`);
      // The row is gone: on to the one that took its place.
      focusRow(members[Math.min(at, members.length - 1)]?.id);
    });
  }

  /**
   * Does something that may end with the person's own access, and then gives the focus back.
   *
   * @param {() => Promise<void>} action
   * @param {HTMLElement} [opener]
   */
  async function act(action, opener) {
    try {
      await action();
      opener?.focus();
    } catch (error) {
      place.refused(error);
    }
  }

  /**
   * An invite is kept even if its mail did not go.
   *
   * @type {(member: Member, text: string) => void}
   */
  function say(member, text) {
    const { status, reason = '' } = member.delivery ?? {};
    if (status !== 'failed') return announce(text);
    return announce(`${fullName(member)} is invited, but the e-mail was not sent. ${reason}`, 'warn');
  }

  /** @param {Member} member */
  function replace(member) {
    members = members.map((other) => (other.id === member.id ? member : other));
    draw();
    focusRow(member.id);
  }

  /**
   * To the menu of a row, or to the row if it has none.
   *
   * @param {string | undefined} id
   */
  function focusRow(id) {
    /** @type {NodeListOf<HTMLElement>} */
    const rows = list.querySelectorAll('[data-member]');
    const row = [...rows].find((row) => row.dataset.member === id);
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
    spoken,
    list,
    more,
  ];
}

/**
 * How long an invite still cools down; one whose mail did not go does not. A clock that is wrong
 * must not make anybody wait longer than that takes: in the end the API decides.
 *
 * @param {Member} member
 */
function secondsLeft({ lastSentAt, delivery }) {
  if (delivery?.status === 'failed') return 0;
  const passed = Math.floor((Date.now() - new Date(lastSentAt ?? 0).getTime()) / 1_000);
  return passed < 0 ? 0 : Math.max(0, settings.resendCooldown - passed);
}

/**
 * Calls later, and once, however often it is asked to.
 *
 * @param {() => void} act
 */
function soon(act) {
  /** @type {number | undefined} */
  let waiting;
  return () => {
    clearTimeout(waiting);
    waiting = setTimeout(act, 250);
  };
}

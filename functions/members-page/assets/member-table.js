// The table of people.

import { deliveryDetails, statusBadge } from './delivery.js';
import { h } from './dom.js';
import { day, fromNow, fullName, initials } from './format.js';
import { menuButton } from './menu.js';

/**
 * Roles are said outright: where the screen is narrow, rows become cards, and browsers then forget
 * that they are rows.
 *
 * @param {Place} place
 * @param {Member[]} members
 * @param {(member: Member) => MenuItem[]} itemsFor what the menu of a row offers
 */
export function memberTable(place, members, itemsFor) {
  const head = ['Person', 'Role', 'Status', 'Invite e-mail'].map((name) =>
    h('th', { scope: 'col', role: 'columnheader' }, name),
  );
  return h(
    'table',
    { role: 'table' },
    h('caption', { class: 'hidden' }, `People of ${place.account.company}`),
    h(
      'thead',
      { role: 'rowgroup' },
      h(
        'tr',
        { role: 'row' },
        head,
        h('th', { scope: 'col', role: 'columnheader' }, h('span', { class: 'hidden' }, 'Actions')),
      ),
    ),
    h(
      'tbody',
      { role: 'rowgroup' },
      members.map((member) => row(member, member.id === place.member.id, itemsFor(member))),
    ),
  );
}

/** @type {(member: Member, isSelf: boolean, items: MenuItem[]) => HTMLElement} */
function row(member, isSelf, items) {
  return h(
    'tr',
    { role: 'row', 'data-member': member.id, tabindex: '-1' },
    h(
      'th',
      { scope: 'row', role: 'rowheader', class: 'person' },
      h('span', { class: 'avatar', 'aria-hidden': 'true' }, initials(member)),
      person(member, isSelf),
    ),
    h('td', { role: 'cell', 'data-label': 'Role' }, member.role === 'owner' ? 'Owner' : 'Member'),
    h(
      'td',
      { role: 'cell', 'data-label': 'Status' },
      h('p', { class: 'badge-line' }, statusBadge(member.status)),
      h('p', { class: 'muted' }, since(member)),
    ),
    delivery(member),
    h(
      'td',
      { role: 'cell', class: 'row-tools' },
      items.length > 0 && menuButton(`Actions for ${fullName(member)}`, items),
    ),
  );
}

/** @type {(member: Member, isSelf: boolean) => HTMLElement} */
function person(member, isSelf) {
  const you = isSelf && [' ', h('span', { class: 'tag' }, 'You')];
  return h(
    'span',
    { class: 'person-text' },
    h('span', { class: 'name' }, fullName(member), you),
    h('span', { class: 'address' }, member.email),
  );
}

/** @param {Member} member */
function delivery(member) {
  const attributes = { role: 'cell', 'data-label': 'Invite e-mail' };
  if (member.delivery) return h('td', { ...attributes, class: 'delivery' }, deliveryDetails(member.delivery));
  return h(
    'td',
    { ...attributes, class: 'delivery none' },
    h('span', { class: 'muted', 'aria-label': 'None', role: 'img' }, '–'),
  );
}

/** @param {Member} member */
function since({ status, activeSince, expiresAt, removedAt }) {
  if (status === 'active' && activeSince) return ['since ', day(activeSince)];
  if (status === 'invited' && expiresAt) return ['expires ', fromNow(expiresAt)];
  if (status === 'expired' && expiresAt) return ['expired ', fromNow(expiresAt)];
  if (status === 'removed' && removedAt) return ['on ', day(removedAt)];
  return [];
}

export function placeholder() {
  const line = () => h('div', { class: 'placeholder' });
  return h(
    'div',
    { class: 'placeholders', role: 'status' },
    h('span', { class: 'hidden' }, 'Loading the list'),
    line(),
    line(),
    line(),
  );
}

// The profile page: who the person is, and two tabs.

import { detailsTab } from './details.js';
import { fill, h, newId } from './dom.js';
import { fullName } from './format.js';
import { productLink, show } from './frame.js';
import { chooseAgain } from './login.js';
import { membersTab } from './members.js';
import { signOut } from './oidc.js';
import { current, hasChoice, isSupport } from './session.js';

/**
 * @param {Login} login
 * @param {Place['refused']} refused
 */
export function showProfile({ account, member, abilities }, refused) {
  const heading = h('h1', {});
  const subtitle = h('p', { class: 'muted' });
  /** @type {Place} */
  const place = {
    account,
    member,
    abilities,
    can: (ability) => place.abilities.includes(ability),
    refused,
    changed: fillHead,
  };

  function fillHead() {
    fill(heading, place.account.company);
    fill(subtitle, fullName(place.member), ' · ', place.member.role === 'owner' ? 'Owner' : 'Member');
  }

  fillHead();
  const tabs = tabList('Profile', [
    { name: 'details', label: 'Details', content: () => detailsTab(place) },
    { name: 'members', label: 'Members', content: () => membersTab(place) },
  ]);
  show(
    { title: 'Profile', layout: 'page', tools: [productLink('quiet'), ...tools()] },
    h('div', { class: 'head' }, heading, subtitle),
    tabs,
  );
}

export function tools() {
  const session = current();
  return [
    h('span', { class: 'whoami', title: session?.claims.email }, session?.claims.email),
    isSupport() &&
      location.pathname !== '/support' &&
      h('a', { class: 'button quiet', href: '/support' }, 'Support'),
    hasChoice.get() &&
      h('button', { type: 'button', class: 'quiet', onclick: chooseAgain }, 'Switch account'),
    session &&
      h('button', { type: 'button', class: 'quiet', onclick: () => signOut(session.idToken) }, 'Sign out'),
  ];
}

/**
 * https://www.w3.org/WAI/ARIA/apg/patterns/tabs/, with the open tab's name behind # in the address.
 *
 * @param {string} label
 * @param {{name: string, label: string, content: () => Child}[]} tabs the last one is open at first
 */
function tabList(label, tabs) {
  const panel = h('div', { id: newId(), role: 'tabpanel', class: 'tab-panel', tabindex: '0' });
  const buttons = tabs.map(({ name, label }) =>
    h(
      'button',
      { id: newId(), type: 'button', role: 'tab', 'aria-controls': panel.id, onclick: () => open(name) },
      label,
    ),
  );

  /** @param {string} name */
  function open(name) {
    const found = tabs.findIndex((tab) => tab.name === name);
    const index = found < 0 ? tabs.length - 1 : found;
    buttons.forEach((button, other) => {
      button.setAttribute('aria-selected', String(other === index));
      button.tabIndex = other === index ? 0 : -1;
    });
    panel.setAttribute('aria-labelledby', buttons[index].id);
    history.replaceState(null, '', `#${tabs[index].name}`);
    fill(panel, tabs[index].content());
  }

  /** @param {KeyboardEvent} event */
  function onKey(event) {
    const at = buttons.findIndex((button) => button === document.activeElement);
    const last = buttons.length - 1;
    /** @type {Record<string, number | undefined>} */
    const targets = {
      ArrowRight: at === last ? 0 : at + 1,
      ArrowLeft: at === 0 ? last : at - 1,
      Home: 0,
      End: last,
    };
    const goTo = targets[event.key];
    if (goTo === undefined) return;
    event.preventDefault();
    buttons[goTo].focus();
    open(tabs[goTo].name);
  }

  open(location.hash.slice(1));
  return [
    h('div', { role: 'tablist', class: 'tabs', 'aria-label': label, onkeydown: onKey }, buttons),
    panel,
  ];
}

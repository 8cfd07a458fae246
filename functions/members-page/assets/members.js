// The Members tab: who is in the account, and what the owner can do about it.

import { fill, h } from './dom.js';
import { supportLink } from './frame.js';
import { icon } from './icons.js';
import { memberActions } from './member-actions.js';
import { memberList } from './member-list.js';

/** @param {Place} place */
export function membersTab(place) {
  const list = memberList(place, (member) => actions.itemsFor(member), drawControls);
  const actions = memberActions(place, list);
  const inviteButton = h(
    'button',
    { type: 'button', class: 'main', onclick: () => actions.invite(inviteButton) },
    icon('plus'),
    'Invite',
  );
  const upgradeArea = h('div', {});
  const inviteArea = h('div', {});

  function drawControls() {
    const canInvite = place.can('members:invite');
    fill(inviteArea, canInvite && place.account.proLevel && inviteButton);
    fill(upgradeArea, canInvite && !place.account.proLevel && upgrade(place.account.plan));
  }

  drawControls();
  list.load();
  return [upgradeArea, h('div', { class: 'toolbar' }, list.fields, inviteArea), list.parts];
}

/** @param {string} plan */
function upgrade(plan) {
  return h(
    'section',
    { class: 'upgrade', 'aria-label': 'Upgrade' },
    icon('star'),
    h(
      'div',
      {},
      h('h2', {}, 'Invite your team'),
      h('p', {}, 'Multi-user access is only available to pro-level accounts. Upgrade the account to use it.'),
      h(
        'p',
        { class: 'muted small-text' },
        'To upgrade your ',
        h('span', { class: 'plan' }, plan),
        ' plan, write to ',
        supportLink(),
        '.',
      ),
    ),
  );
}

// The Details tab: the account and your own name. The owner can change both, and close the account.

import { closeAccount, updateAccount, updateMember } from './api.js';
import { ask } from './dialog.js';
import { fill, h } from './dom.js';
import { day, fullName } from './format.js';
import { announce } from './frame.js';
import { icon } from './icons.js';
import { nameFields } from './member-dialogs.js';

/** @param {Place} place */
export function detailsTab(place) {
  const card = h('section', { class: 'card', 'aria-label': 'Details' });

  function draw() {
    const { account, member } = place;
    fill(
      card,
      h(
        'dl',
        { class: 'details' },
        row(
          'Company',
          account.company,
          place.can('account:update') && editButton('company name', editCompany),
        ),
        row('Your name', fullName(member), place.can('account:update') && editButton('your name', editName)),
        row('Your e-mail', member.email),
        row('Your role', member.role === 'owner' ? 'Owner' : 'Member'),
        row('Plan', h('span', { class: 'plan' }, account.plan)),
        member.activeSince && row('In the account since', day(member.activeSince)),
      ),
      !place.can('account:update') &&
        h(
          'p',
          { class: 'muted small-text hint' },
          icon('info'),
          'Only the owner of the account can change these details.',
        ),
    );
  }

  /** @param {HTMLElement} button */
  async function editCompany(button) {
    await edit(
      button,
      'Company name saved.',
      {
        title: 'Edit the company name',
        fields: [
          { name: 'company', label: 'Company', value: place.account.company, autocomplete: 'organization' },
        ],
        carryOut: (values) => updateAccount(place.account.id, values),
      },
      (values) => {
        place.account = { ...place.account, ...values };
      },
    );
  }

  /** @param {HTMLElement} button */
  async function editName(button) {
    await edit(
      button,
      'Your name was saved.',
      {
        title: 'Edit your name',
        fields: nameFields(place.member),
        carryOut: (values) => updateMember(place.account.id, place.member.id, values),
      },
      (values) => {
        place.member = { ...place.member, ...values };
      },
    );
  }

  /**
   * @template T
   * @param {HTMLElement} button
   * @param {string} message
   * @param {Omit<Question<T>, 'submit' | 'busy'>} question
   * @param {(answer: T) => void} take
   */
  async function edit(button, message, question, take) {
    try {
      const answer = await ask({ submit: 'Save', busy: 'Saving', ...question });
      if (!answer) return;
      take(answer);
      place.changed();
      draw();
      announce(message);
      /** @type {HTMLElement | null} */
      const again = card.querySelector(`[aria-label="${button.getAttribute('aria-label')}"]`);
      again?.focus();
    } catch (error) {
      place.refused(error);
    }
  }

  async function close() {
    const { company, id } = place.account;
    try {
      const closed = await ask({
        title: `Close the account of ${company}?`,
        text: [
          h(
            'p',
            {},
            'Nobody can use the account any more, including you and all members. This takes effect at once.',
          ),
          h('p', {}, 'To confirm, type the name of the company: ', h('strong', {}, company)),
        ],
        fields: [{ name: 'confirmation', label: 'Name of the company', mustEqual: company }],
        submit: 'Close the account',
        busy: 'Closing',
        isDanger: true,
        carryOut: () => closeAccount(id).then(() => true),
      });
      // What a closed account means, the API says itself.
      if (closed) location.reload();
    } catch (error) {
      place.refused(error);
    }
  }

  draw();
  return [
    card,
    place.can('account:close') &&
      h(
        'section',
        { class: 'card danger-zone' },
        h(
          'div',
          {},
          h('h2', {}, 'Close the account'),
          h('p', { class: 'muted' }, 'This ends access for everyone in the account.'),
        ),
        h('button', { type: 'button', class: 'danger-text', onclick: close }, 'Close account…'),
      ),
  ];
}

/** @type {(label: string, value: Child, tool?: Child) => HTMLElement} */
const row = (label, value, tool) => h('div', {}, h('dt', {}, label), h('dd', {}, h('span', {}, value), tool));

/**
 * @param {string} what
 * @param {(button: HTMLElement) => void} edit
 */
function editButton(what, edit) {
  const button = h(
    'button',
    { type: 'button', class: 'quiet small', 'aria-label': `Edit ${what}`, onclick: () => edit(button) },
    icon('pen'),
    'Edit',
  );
  return button;
}

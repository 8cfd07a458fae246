// What support sees of a person: a place in an account, and what the mail system reported.

import { deliveryBadge, deliveryDetails, statusBadge } from './delivery.js';
import { h } from './dom.js';
import { fullName, moment } from './format.js';

/**
 * A place in an account, with what is to be said about it where that is not said above.
 *
 * @param {SupportCase} place
 * @param {string} said
 */
export function accountCard({ account, member, verdict }, said) {
  return h(
    'li',
    { class: 'card' },
    h(
      'p',
      { class: 'badge-line' },
      h('strong', {}, account.company ?? account.id),
      h('span', { class: 'muted small-text' }, account.id),
      account.plan && h('span', { class: 'plan' }, account.plan),
      account.status && account.status !== 'active' && statusBadge(account.status),
    ),
    member && [
      h(
        'p',
        { class: 'badge-line' },
        `${fullName(member)}, ${member.role === 'owner' ? 'owner' : 'member'}`,
        statusBadge(member.status),
      ),
      verdict !== said && h('p', {}, verdict),
      member.delivery && h('div', { class: 'delivery' }, deliveryDetails(member.delivery)),
    ],
  );
}

/**
 * @param {Feedback[]} feedback
 * @param {(email: string) => void} [choose]
 */
export function timeline(feedback, choose) {
  return h(
    'ol',
    { class: 'timeline' },
    feedback.map(({ at, kind, status, reason, advice, accountId, send, diagnostic, smtpStatus, email }) =>
      h(
        'li',
        {},
        h(
          'p',
          { class: 'badge-line' },
          deliveryBadge(status ?? kind),
          h('span', { class: 'muted' }, moment(at)),
          send && h('span', { class: 'muted' }, `e-mail ${send}`),
          accountId && h('span', { class: 'muted' }, accountId),
        ),
        choose &&
          h('p', {}, h('button', { type: 'button', class: 'link', onclick: () => choose(email) }, email)),
        reason && h('p', { class: 'reason' }, reason),
        advice && h('p', {}, advice),
        diagnostic &&
          h(
            'details',
            {},
            h('summary', {}, 'What the mail server said'),
            h('code', {}, [smtpStatus, diagnostic].filter(Boolean).join(' ')),
          ),
      ),
    ),
  );
}

// The support page: why an invite did not get somebody in, and what to do.

import { liftSuppression, listFeedback } from './api.js';
import { deliveryBadge, deliveryDetails, statusBadge } from './delivery.js';
import { ask } from './dialog.js';
import { fill, h, newId } from './dom.js';
import { day, fullName, moment } from './format.js';
import { announce, failure, show } from './frame.js';
import { icon } from './icons.js';
import { endsAccess } from './outcomes.js';
import { tools } from './profile.js';

/** @param {(error: Error) => void} refused for a refusal that means the whole page */
export function showSupport(refused) {
  const input = h('input', {
    id: newId(),
    type: 'email',
    name: 'email',
    autocomplete: 'off',
    maxlength: 254,
    placeholder: 'kim@example.com',
  });
  const result = h('div', { class: 'result' });
  /** Addresses whose block was lifted here. */
  const lifted = new Set();
  const recent = h('section', { 'aria-labelledby': 'recent' });

  async function search(email, isQuiet = false) {
    if (!email) return input.focus();
    if (!isQuiet)
      fill(
        result,
        h(
          'p',
          { class: 'muted', role: 'status' },
          h('span', { class: 'spinner', 'aria-hidden': 'true' }),
          'Looking',
        ),
      );
    try {
      const answer = await listFeedback({ email });
      fill(result, person(answer));
    } catch (error) {
      if (error.code === 'support_only' || endsAccess(error)) return refused(error);
      const field = error.errors?.find(({ field }) => field === 'email');
      fill(
        result,
        failure(
          field ? { detail: `The address ${field.message}.` } : error,
          error.canRetry ? () => search(email) : undefined,
        ),
      );
    }
  }

  function person({ email, verdict, suppression = {}, accounts = [], feedback = [] }) {
    return [
      h(
        'section',
        { class: 'card wide verdict' },
        h('p', { class: 'muted small-text' }, email),
        h('h2', {}, verdict ?? 'Nothing is known about this address.'),
        block(email, suppression, accounts),
      ),
      h('h2', {}, 'Accounts'),
      accounts.length
        ? h(
            'ul',
            { class: 'cards' },
            accounts.map((one) => accountCard(one, verdict)),
          )
        : h('p', { class: 'muted' }, 'This address is in no account.'),
      h('h2', {}, 'What happened to the e-mails'),
      feedback.length
        ? timeline(feedback)
        : h('p', { class: 'muted' }, 'The mail system has reported nothing about this address.'),
    ];
  }

  /** What keeps mail from the address, here or at the mail service. `listed` is left out if that is not known. */
  function block(email, { listed, reason, since }, accounts) {
    const isRefusedHere =
      !lifted.has(email) &&
      accounts.some(({ member }) => ['bounced', 'complained'].includes(member?.delivery?.status));
    const because = { bounce: ' because mail came back', complaint: ' because of a complaint' }[reason];
    return [
      listed === undefined &&
        h(
          'p',
          { class: 'muted small-text' },
          'Whether the mail service blocks this address is not known at the moment.',
        ),
      (listed || isRefusedHere) &&
        h(
          'div',
          { class: 'suppression' },
          h(
            'p',
            {},
            icon('ban'),
            h(
              'span',
              {},
              listed
                ? [
                    'The mail service sends nothing to this address',
                    because,
                    since && [' since ', day(since)],
                    '.',
                  ]
                : 'As long as the block is not lifted, the owner cannot resend the invite.',
            ),
          ),
          h('button', { type: 'button', onclick: () => lift(email) }, 'Lift the block'),
        ),
    ];
  }

  async function lift(email) {
    try {
      const answer = await ask({
        title: `Lift the block of ${email}?`,
        text: [
          h(
            'p',
            {},
            'Mail is sent to this address again, and the owner of the account can resend the invite.',
          ),
          h(
            'p',
            { class: 'muted' },
            'Do this once the cause is gone. Mail that keeps bouncing harms all other mail.',
          ),
        ],
        submit: 'Lift the block',
        busy: 'Lifting',
        carryOut: () => liftSuppression(email),
      });
      if (!answer) return;
      lifted.add(email);
      await search(email, true);
      announce(`${email} gets mail again.`);
      input.focus();
    } catch (error) {
      refused(error);
    }
  }

  async function loadRecent(cursor, before = []) {
    try {
      const answer = await listFeedback({ cursor });
      const all = [...before, ...(answer.feedback ?? [])];
      fill(
        recent,
        h('h2', { id: 'recent' }, 'The last seven days'),
        all.length
          ? timeline(all, (email) => {
              input.value = email;
              search(email);
              scrollTo(0, 0);
              input.focus();
            })
          : h('p', { class: 'muted' }, 'The mail system has reported nothing.'),
        answer.cursor &&
          h(
            'div',
            { class: 'more' },
            h('button', { type: 'button', onclick: () => loadRecent(answer.cursor, all) }, 'Load more'),
          ),
      );
    } catch (error) {
      if (error.code === 'support_only' || endsAccess(error)) return refused(error);
      fill(
        recent,
        h('h2', { id: 'recent' }, 'The last seven days'),
        failure(error, () => loadRecent(cursor, before)),
      );
    }
  }

  show(
    { title: 'Support', layout: 'page', tools: tools() },
    h(
      'div',
      { class: 'head' },
      h('h1', {}, 'Invites and e-mail'),
      h('p', { class: 'muted' }, 'Find out why somebody did not get in, and what to do.'),
    ),
    h(
      'form',
      {
        class: 'toolbar',
        role: 'search',
        novalidate: true,
        onsubmit: (event) => {
          event.preventDefault();
          search(input.value.trim());
        },
      },
      h(
        'div',
        { class: 'field search' },
        h('label', { for: input.id }, 'E-mail address'),
        h('div', { class: 'with-icon' }, icon('search'), input),
      ),
      h('button', { type: 'submit', class: 'main' }, 'Look up'),
    ),
    result,
    recent,
  );
  loadRecent();
}

/** A place in an account, with what is to be said about it where that is not said above. */
function accountCard({ account = {}, member, verdict }, said) {
  return h(
    'li',
    { class: 'card wide' },
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

/** What the mail system reported, newest first. */
function timeline(feedback, choose) {
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

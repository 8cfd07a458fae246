// The support page: why an invite did not get somebody in, and what to do.

import { liftSuppression, listFeedback, lookUp, Problem } from './api.js';
import { ask } from './dialog.js';
import { fill, h, newId } from './dom.js';
import { day } from './format.js';
import { announce, failure, show } from './frame.js';
import { icon } from './icons.js';
import { endsAccess } from './outcomes.js';
import { tools } from './profile.js';
import { accountCard, timeline } from './support-parts.js';

/** @param {(error: unknown) => void} refused for a refusal that means the whole page */
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
  /** For screen readers. */
  const spoken = h('p', { class: 'hidden', role: 'status' });
  /**
   * The address that was looked up last: an answer about an earlier one comes too late.
   *
   * @type {string | undefined}
   */
  let latest;
  const lifted = new Set();
  const recent = h('section', { 'aria-labelledby': 'recent' });

  /** @param {string} email */
  async function search(email) {
    if (!email) return input.focus();
    latest = email;
    spoken.textContent = 'Looking';
    try {
      const answer = await lookUp(email);
      if (latest !== email) return;
      fill(result, person(answer));
      spoken.textContent = answer.verdict;
    } catch (error) {
      if (latest !== email) return;
      if (!(error instanceof Problem) || isForThePage(error)) return refused(error);
      spoken.textContent = '';
      const field = error.errors.find(({ field }) => field === 'email');
      const problem = field ? { detail: `The address ${field.message}.` } : error;
      fill(result, failure(problem, error.canRetry && (() => search(email))));
    }
  }

  /** @param {SupportPerson} person */
  function person({ email, verdict, suppression, accounts, feedback }) {
    return [
      h(
        'section',
        { class: 'card verdict' },
        h('p', { class: 'muted small-text' }, email),
        h('h2', {}, verdict),
        block(email, suppression, accounts),
      ),
      h('h2', {}, 'Accounts'),
      accounts.length
        ? h(
            'ul',
            { class: 'cards' },
            accounts.map((one) => accountCard(one, verdict)),
          )
        : h('p', { class: 'muted' }, "This address isn't in any account."),
      h('h2', {}, 'What happened to the e-mails'),
      feedback.length
        ? timeline(feedback)
        : h('p', { class: 'muted' }, "The mail system hasn't reported anything about this address."),
    ];
  }

  /** @type {(email: string, suppression: Suppression, accounts: SupportCase[]) => Child[]} */
  function block(email, { listed, reason, since }, accounts) {
    const isRefusedHere =
      !lifted.has(email) &&
      accounts.some(({ member }) => ['bounced', 'complained'].includes(member.delivery?.status ?? ''));
    const because =
      reason && { bounce: ' because mail came back', complaint: ' because of a complaint' }[reason];
    return [
      listed === undefined &&
        h(
          'p',
          { class: 'muted small-text' },
          "At the moment, we can't tell whether the mail service blocks this address.",
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
                    'The mail service has blocked this address',
                    since && [' since ', day(since)],
                    because,
                    '.',
                  ]
                : "The owner can't resend the invite until you lift the block.",
            ),
          ),
          h('button', { type: 'button', onclick: () => lift(email) }, 'Lift the block'),
        ),
    ];
  }

  /** @param {string} email */
  async function lift(email) {
    try {
      const answer = await ask({
        title: `Lift the block on ${email}?`,
        text: [
          h('p', {}, 'This address gets mail again, and the account owner can resend the invite.'),
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
      await search(email);
      announce(`${email} gets mail again.`);
      input.focus();
    } catch (error) {
      refused(error);
    }
  }

  /** @type {(cursor?: string, before?: Feedback[]) => Promise<void>} */
  async function loadRecent(cursor, before = []) {
    try {
      const answer = await listFeedback(cursor);
      const all = [...before, ...answer.feedback];
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
          : h('p', { class: 'muted' }, "The mail system hasn't reported anything."),
        answer.cursor &&
          h(
            'div',
            { class: 'more' },
            h('button', { type: 'button', onclick: () => loadRecent(answer.cursor, all) }, 'Load more'),
          ),
      );
    } catch (error) {
      if (!(error instanceof Problem) || isForThePage(error)) return refused(error);
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
      h('p', { class: 'muted' }, "Find out why someone didn't get in, and what to do."),
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
    spoken,
    result,
    recent,
  );
  loadRecent();
}

/**
 * Whether a problem concerns the whole page, not only the part that it came up in.
 *
 * @param {Problem} problem
 */
function isForThePage(problem) {
  return problem.code === 'support_only' || endsAccess(problem);
}

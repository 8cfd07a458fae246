// The screens before you are in: welcome, invite, choice of an account, and every refused login.

import { h } from './dom.js';
import { show, supportLink } from './frame.js';
import { icon } from './icons.js';
import { SignInError, signIn, signOut } from './oidc.js';
import { outcomeOf } from './outcomes.js';
import { account, current, farewell, hasChoice, invite, isSupport } from './session.js';
import { settings } from './settings.js';

export function showWelcome(returnTo = '/') {
  const why = farewell.take() ?? '';
  /** @type {Record<string, string>} */
  const notes = {
    expired: 'Your sign-in has ended. Sign in again to continue.',
    'signed-out': "You're signed out.",
  };
  panel(
    { icon: 'key', title: `Log in to ${settings.product}` },
    notes[why] && h('p', { class: 'note', role: 'status' }, notes[why]),
    h('p', {}, 'You sign in with the same account as everywhere else in the product.'),
    actions(mainButton('Sign in', () => signIn({ returnTo }))),
    h(
      'p',
      { class: 'muted small-text' },
      'Were you invited? For your first login, use the link in your invite e-mail.',
    ),
  );
}

/**
 * The link of an invite was opened. Nothing happens to it before the person goes on.
 *
 * @param {() => unknown} accept
 */
export function showInvite(accept) {
  const session = current();
  const another = () => signIn({ anotherAccount: Boolean(session) });
  panel(
    { icon: 'mail', title: "You're invited" },
    h('p', {}, `You were invited to join an account on ${settings.product}.`),
    session
      ? h('p', {}, "You're signed in as ", h('strong', {}, session.claims.email), '.')
      : h('p', {}, 'Sign in with the e-mail address that the invite was sent to. This accepts the invite.'),
    session
      ? actions(mainButton('Accept the invite', accept), button('Use another address', another))
      : actions(mainButton('Sign in to accept', another)),
    h('p', { class: 'muted small-text' }, 'You only need this link once. After that, log in as usual.'),
  );
}

export function showBrokenInvite() {
  showOutcome({ code: 'invite_invalid', detail: 'Part of the link is missing.' });
}

/**
 * @param {import('./api.js').Problem} problem
 * @param {(id: string) => void} choose
 */
export function showChoice(problem, choose) {
  panel(
    { icon: 'people', title: 'Choose an account' },
    h('p', {}, "You're in several accounts. Which one do you want to use?"),
    h(
      'ul',
      { class: 'choices' },
      problem.accounts.map(({ id, company }) =>
        h(
          'li',
          {},
          h(
            'button',
            { type: 'button', onclick: () => choose(id) },
            h('strong', {}, company),
            h('span', { class: 'muted' }, id),
          ),
        ),
      ),
    ),
    h('footer', {}, whoAmI()),
  );
}

/**
 * @param {Refusal} problem
 * @param {() => void} [retry]
 */
export function showOutcome(problem, retry) {
  const outcome = outcomeOf(problem.code);
  if (outcome.usesUpInvite) invite.clear();
  const another = () => signIn({ anotherAccount: true });
  panel(
    { icon: outcome.icon, title: outcome.title, tone: 'warn' },
    // Some sentences are their own heading.
    problem.detail !== `${outcome.title}.` && h('p', { class: 'lead' }, problem.detail),
    h('h2', {}, 'What to do next'),
    h(
      outcome.steps.length > 1 ? 'ul' : 'p',
      { class: 'steps' },
      outcome.steps.length > 1 ? outcome.steps.map((step) => h('li', {}, step)) : outcome.steps,
    ),
    actions(
      outcome.action === 'retry' && retry && mainButton('Try again', retry),
      outcome.action === 'again' && mainButton('Sign in again', () => signIn()),
      outcome.action === 'another' && mainButton('Sign in with another account', another),
      outcome.action === 'wait' && button('Sign in with another account', another),
      hasChoice.get() && button('Choose another account', chooseAgain),
      isSupport() && h('a', { class: 'button', href: '/support' }, 'Open the support page'),
    ),
    h(
      'footer',
      {},
      whoAmI(),
      h('p', {}, 'Need help? Write to ', supportLink(), '.'),
      problem.requestId && h('p', {}, 'Request id: ', h('code', {}, problem.requestId)),
    ),
  );
}

export function chooseAgain() {
  account.clear();
  location.assign('/');
}

function whoAmI() {
  const session = current();
  return (
    session &&
    h(
      'p',
      {},
      'Signed in as ',
      h('strong', {}, session.claims.email ?? 'someone without an e-mail address'),
      '. ',
      linkButton('Sign out', () => signOut(session.idToken)),
    )
  );
}

/**
 * @param {{icon: Icon, title: string, tone?: 'calm' | 'warn'}} about
 * @param {...Child} content
 */
function panel({ icon: name, title, tone = 'calm' }, ...content) {
  show(
    { title, layout: 'panel' },
    h(
      'section',
      { class: 'card' },
      h('span', { class: `emblem ${tone}`, 'aria-hidden': 'true' }, icon(name)),
      h('h1', {}, title),
      content,
    ),
  );
}

/** @param {...Child} buttons */
const actions = (...buttons) => h('div', { class: 'actions' }, buttons);
/** @type {(text: string, act: () => unknown) => HTMLElement} */
const mainButton = (text, act) => button(text, act, 'main');
/** @type {(text: string, onclick: () => void) => HTMLElement} */
const linkButton = (text, onclick) => h('button', { type: 'button', class: 'link', onclick }, text);

/**
 * @param {string} text
 * @param {() => unknown} act
 * @param {string} [look]
 */
function button(text, act, look) {
  const element = h('button', { type: 'button', class: look, onclick }, text);

  /** Leaving for the sign-in service can fail, too. */
  async function onclick() {
    element.disabled = true;
    try {
      await act();
    } catch (error) {
      if (!(error instanceof SignInError)) throw error;
      showOutcome(error, () => location.reload());
    } finally {
      element.disabled = false;
    }
  }

  return element;
}

// What surrounds every screen: the bar on top, the main part, and the line that says what happened.

import { fill, h } from './dom.js';
import { icon } from './icons.js';
import { settings } from './settings.js';

// The document has the frame, so that it shows before this script arrives.
const main = part('main');
const bar = part('.tools');
const notices = part('.notices');

let isFirstScreen = true;

export function build() {
  part('.skip').addEventListener('click', skip);
}

/**
 * @param {string} selector
 * @returns {HTMLElement}
 */
function part(selector) {
  const found = document.querySelector(selector);
  if (!(found instanceof HTMLElement)) throw new Error(`The document has no ${selector}`);
  return found;
}

/** @param {Event} event */
function skip(event) {
  // The part behind # names the tab.
  event.preventDefault();
  main.focus();
}

/**
 * @param {{title: string, layout: 'panel' | 'page', tools?: Child}} about
 * @param {...Child} content with one h1
 */
export function show({ title, layout, tools = [] }, ...content) {
  document.title = title === settings.product ? title : `${title} · ${settings.product}`;
  main.className = layout;
  fill(bar, tools);
  fill(main, content);
  hush();
  // Whoever does not see the screen change is led to its start.
  const heading = main.querySelector('h1');
  if (heading && !isFirstScreen) {
    heading.tabIndex = -1;
    heading.focus();
  }
  isFirstScreen = false;
}

/** @type {number | undefined} */
let forgetting;

/**
 * Leads to the product, unless that is this page.
 *
 * @param {'quiet' | 'small'} look
 */
export function productLink(look) {
  const { origin, pathname } = new URL(settings.productUrl);
  const isElsewhere = origin !== location.origin || pathname !== '/';
  return (
    isElsewhere && h('a', { class: `button ${look}`, href: settings.productUrl }, `Open ${settings.product}`)
  );
}

/**
 * @param {Child} text
 * @param {'good' | 'warn'} [tone]
 */
export function announce(text, tone = 'good') {
  const close = h(
    'button',
    { type: 'button', class: 'quiet small', 'aria-label': 'Dismiss', onclick: dismiss },
    icon('close'),
  );
  fill(
    notices,
    h('div', { class: `notice ${tone}` }, icon(tone === 'good' ? 'check' : 'alert'), h('p', {}, text), close),
  );
  clearTimeout(forgetting);
  // Not from under the fingers of whoever is about to dismiss it.
  forgetting = setTimeout(() => notices.contains(document.activeElement) || hush(), 12_000);
}

function dismiss() {
  hush();
  main.focus();
}

function hush() {
  clearTimeout(forgetting);
  fill(notices);
}

/** @param {string} text */
export function showLoading(text) {
  show(
    { title: settings.product, layout: 'panel' },
    h(
      'h1',
      { class: 'loading', role: 'status' },
      h('span', { class: 'spinner', 'aria-hidden': 'true' }),
      text,
    ),
  );
}

/**
 * What went wrong, within a screen: the API's sentence, its request id, and a way to try again.
 *
 * @param {{detail: string, requestId?: string}} problem
 * @param {false | (() => void)} [retry]
 */
export function failure(problem, retry) {
  return h(
    'div',
    { class: 'failure', role: 'alert' },
    icon('alert'),
    h(
      'div',
      {},
      h('p', {}, problem.detail),
      problem.requestId &&
        h('p', { class: 'muted small-text' }, 'Request id: ', h('code', {}, problem.requestId)),
      retry && h('button', { type: 'button', onclick: retry }, 'Try again'),
    ),
  );
}

export function supportLink(text = settings.support) {
  return h('a', { href: `mailto:${settings.support}` }, text);
}

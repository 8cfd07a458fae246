// Times and names, as people read them.

import { h } from './dom.js';

// The page speaks English: other languages' dates would not fit into its sentences.
const LANGUAGE = navigator.language.startsWith('en') ? navigator.language : 'en-GB';
const DAY = new Intl.DateTimeFormat(LANGUAGE, { dateStyle: 'medium' });
const MOMENT = new Intl.DateTimeFormat(LANGUAGE, { dateStyle: 'medium', timeStyle: 'short' });
const RELATIVE = new Intl.RelativeTimeFormat(LANGUAGE, { numeric: 'auto' });

/** @type {[Intl.RelativeTimeFormatUnit, number][]} */
const UNITS = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
];

/** @param {string} time shown as a day: "24 Nov 2026". Hovering shows the exact time. */
export function day(time) {
  return element(time, DAY.format(new Date(time)));
}

/** @param {string} time shown as a moment: "24 Nov 2026, 19:15" */
export function moment(time) {
  return element(time, MOMENT.format(new Date(time)));
}

/** @param {string} time seen from now: "in 7 days", "2 minutes ago" */
export function fromNow(time) {
  const seconds = (Date.parse(time) - Date.now()) / 1_000;
  const found = UNITS.find(([, length]) => Math.abs(seconds) >= length);
  if (!found) return element(time, 'just now');
  const [unit, length] = found;
  return element(time, RELATIVE.format(Math.round(seconds / length), unit));
}

/** @type {(time: string, text: string) => HTMLElement} */
function element(time, text) {
  return h('time', { datetime: time, title: MOMENT.format(new Date(time)) }, text);
}

/** @param {PersonName} person */
export function fullName({ firstName, lastName }) {
  return `${firstName} ${lastName}`;
}

/**
 * The first letters of both names, whatever script they are in.
 *
 * @param {PersonName} person
 */
export function initials({ firstName, lastName }) {
  /** @param {string} name */
  const first = (name) => [...(name ?? '')][0] ?? '';
  return (first(firstName) + first(lastName)).toLocaleUpperCase();
}

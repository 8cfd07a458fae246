// The state of people and of e-mails: always words, with a picture and a colour beside them.

import { h } from './dom.js';
import { fromNow } from './format.js';
import { icon } from './icons.js';

/** @type {Record<string, Look>} */
const DELIVERIES = {
  sending: ['Sending', 'clock', 'calm'],
  sent: ['Sent', 'send', 'calm'],
  delayed: ['Delayed', 'clock', 'warn'],
  delivered: ['Delivered', 'check', 'good'],
  auto_replied: ['Automatic reply', 'reply', 'warn'],
  bounced: ['Bounced', 'bounce', 'bad'],
  complained: ['Marked as spam', 'flag', 'bad'],
  rejected: ['Rejected', 'ban', 'bad'],
  failed: ['Not sent', 'alert', 'bad'],
};

/** @type {Record<string, Look>} */
const STATUSES = {
  active: ['Active', 'check', 'good'],
  invited: ['Invited', 'mail', 'calm'],
  expired: ['Expired', 'clock', 'warn'],
  removed: ['Removed', 'ban', 'calm'],
  closed: ['Closed', 'lock', 'calm'],
};

/** @param {Look} look */
const badge = ([text, picture, tone]) => h('span', { class: `badge ${tone}` }, icon(picture), text);

/** @param {Member['status'] | Account['status']} status */
export const statusBadge = (status) => badge(STATUSES[status] ?? [status, 'info', 'calm']);

/** @param {string} status */
export const deliveryBadge = (status) => badge(DELIVERIES[status] ?? [status, 'info', 'calm']);

/** @param {Delivery} delivery */
export function deliveryDetails({ status, at, reason, advice }) {
  return [
    h('p', { class: 'badge-line' }, deliveryBadge(status), at && h('span', { class: 'muted' }, fromNow(at))),
    reason && h('p', { class: 'reason' }, reason),
    advice && h('p', {}, advice),
  ];
}

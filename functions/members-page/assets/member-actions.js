// What the owner can do about the people in the list.

import { fullName } from './format.js';
import { announce } from './frame.js';
import { askToInvite, askToRemove, askToRename, askToResend } from './member-dialogs.js';
import { settings } from './settings.js';

/**
 * @param {Place} place
 * @param {MemberList} list
 */
export function memberActions(place, list) {
  /** @param {Member} member */
  function itemsFor(member) {
    const isOpen = member.status === 'invited' || member.status === 'expired';
    const isOther = member.role !== 'owner' && member.id !== place.member.id;
    /** @type {MenuItem[]} */
    const items = [];
    if (isOpen && place.can('members:resend') && place.account.proLevel) {
      items.push({
        label: 'Resend invite',
        icon: 'send',
        secondsLeft: () => secondsLeft(member),
        run: () => resend(member),
      });
    }
    if (member.status === 'removed') return items;
    if (place.can('account:update')) {
      items.push({ label: 'Edit name', icon: 'pen', run: () => rename(member) });
    }
    if (isOther && place.can('members:remove')) {
      items.push({ label: 'Remove', icon: 'trash', isDanger: true, run: () => remove(member) });
    }
    return items;
  }

  /** @param {HTMLElement} opener gets the focus back */
  function invite(opener) {
    return act(async () => {
      const invited = await askToInvite(place.account);
      if (invited) {
        list.clearFilter();
        await list.load();
        say(invited, `Invite sent to ${fullName(invited)}.`);
      }
      opener.focus();
    });
  }

  /** @param {Member} member */
  function resend(member) {
    return act(async () => {
      const resent = await askToResend(place.account, member);
      if (!resent) return;
      if (resent.replaces) await list.load();
      else list.replace(resent);
      say(resent, `Invite sent again to ${fullName(resent)}.`);
    });
  }

  /** @param {Member} member */
  function rename(member) {
    return act(async () => {
      const renamed = await askToRename(place.account, member);
      if (!renamed) return;
      if (member.id === place.member.id) place.member = { ...place.member, ...renamed };
      place.changed();
      list.replace({ ...member, ...renamed });
      announce(`The name is now ${fullName(renamed)}.`);
    });
  }

  /** @param {Member} member */
  function remove(member) {
    return act(async () => {
      const removed = await askToRemove(place.account, member);
      if (!removed) return;
      list.drop(removed.id);
      announce(`${fullName(member)} was removed.`);
    });
  }

  /** @param {() => Promise<void>} action */
  async function act(action) {
    try {
      await action();
    } catch (error) {
      place.refused(error);
    }
  }

  return { itemsFor, invite };
}

/**
 * An invite is kept even if its mail did not go.
 *
 * @type {(member: Member, text: string) => void}
 */
function say(member, text) {
  const { status, reason = '' } = member.delivery ?? {};
  if (status !== 'failed') return announce(text);
  return announce(`${fullName(member)} is invited, but the e-mail wasn't sent. ${reason}`, 'warn');
}

/**
 * How long an invite still cools down; one whose mail did not go does not. A clock that is wrong
 * must not make anybody wait longer than that takes: in the end the API decides.
 *
 * @param {Member} member
 */
function secondsLeft({ lastSentAt, delivery }) {
  if (delivery?.status === 'failed') return 0;
  const passed = Math.floor((Date.now() - new Date(lastSentAt ?? 0).getTime()) / 1_000);
  return passed < 0 ? 0 : Math.max(0, settings.resendCooldown - passed);
}

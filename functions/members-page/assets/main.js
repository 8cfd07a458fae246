// Decides what the page's address means and who is in front of it.

import { login, Problem } from './api.js';
import { announce, build, productLink, showLoading } from './frame.js';
import { showBrokenInvite, showChoice, showInvite, showOutcome, showWelcome } from './login.js';
import { finishSignIn, isAnswer, SignInError } from './oidc.js';
import { endsAccess } from './outcomes.js';
import { showProfile } from './profile.js';
import { account, begin, current, end, hasChoice, invite } from './session.js';
import { showSupport } from './support.js';

async function start() {
  build();
  const url = new URL(location.href);
  if (url.pathname === '/invite') return openInvite(url);
  if (isAnswer(url)) return returnFromSignIn(url);
  return enter();
}

/**
 * Takes the invite's token out of the address bar, so that it is in no history and no bookmark.
 *
 * @param {URL} url
 */
function openInvite(url) {
  const token = new URLSearchParams(url.hash.slice(1)).get('token');
  history.replaceState(null, '', '/invite');
  if (token) invite.set(token);
  if (!invite.get()) return showBrokenInvite();
  return showInvite(enter);
}

/** @param {URL} url */
async function returnFromSignIn(url) {
  // The code is good for one use, and this is it: a reload must not try it again.
  history.replaceState(null, '', '/login');
  showLoading('Signing you in');
  try {
    const { idToken, claims, returnTo } = await finishSignIn(url);
    end();
    begin(idToken, claims);
    history.replaceState(null, '', returnTo);
    return enter();
  } catch (error) {
    if (!(error instanceof SignInError)) throw error;
    return showOutcome(error, () => location.assign('/login'));
  }
}

async function enter() {
  if (location.pathname === '/support') {
    return current() ? showSupport(refused) : showWelcome('/support');
  }
  if (!current()) return showWelcome();
  history.replaceState(null, '', `/${location.hash}`);
  showLoading('Logging you in');
  const inviteToken = invite.get();
  try {
    const answer = await login(inviteToken ? { inviteToken } : { accountId: account.get() ?? undefined });
    invite.clear();
    account.set(answer.account.id);
    showProfile(answer, refused);
    if (inviteToken) announce(welcome(answer));
  } catch (error) {
    return refused(error, enter);
  }
}

/**
 * What to say after somebody followed an invite.
 *
 * @param {Login} login
 * @returns {Child}
 */
function welcome({ account: { company }, member }) {
  if (member.role === 'owner') return `You own ${company}, so you don't need the invite. It stays open.`;
  return [`Welcome to ${company} `, productLink('small')];
}

/**
 * @param {unknown} error
 * @param {() => void} [retry]
 */
function refused(error, retry = enter) {
  if (!(error instanceof Problem)) throw error;
  if (error.code === 'unauthenticated') return showWelcome(location.pathname);
  if (error.code === 'choose_account') {
    hasChoice.set(true);
    return showChoice(error, (id) => {
      account.set(id);
      return enter();
    });
  }
  if (endsAccess(error)) history.replaceState(null, '', location.pathname);
  return showOutcome(error, retry);
}

start();

// Every outcome of a login has a screen that says what happened and what to do next.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';

import { browser, stack } from './setup.js';
import { OWNER } from './stack.js';

before(async () => {
  await stack.account('acme');
});

/** Somebody who opens the newest invite's link and signs in. */
async function accept(email, { link, as = email, ...options } = {}) {
  const person = await browser.person(stack);
  await person.open(link ?? (await stack.link(email)));
  await person.page.getByRole('button', { name: 'Sign in to accept' }).click();
  await person.signIn(as, options);
  return person;
}

/** Demands an outcome's screen: its heading, the API's sentence, and who is signed in. */
async function told(person, heading, sentence) {
  await person.sees(heading);
  await person.page.getByText(sentence).waitFor();
  await person.page.getByRole('heading', { name: 'What to do next' }).waitFor();
}

test('a welcome, before anybody is signed in', async () => {
  const person = await browser.person(stack);
  await person.open('/login');
  await person.sees('Log in to Rollcall Demo');
  await person.look('welcome');
  await person.leave();
});

test('the first login by the link of the invite', async () => {
  await stack.invite('acme', 'ada@example.com', 'Ada', 'Day');
  const person = await browser.person(stack);
  await person.open(await stack.link('ada@example.com'));
  await person.sees("You're invited");
  await person.look('invited-signed-out');
  assert.equal(person.page.url(), `${stack.url}/invite`);
  await person.page.reload();
  await person.page.getByRole('button', { name: 'Sign in to accept' }).click();
  await person.signIn('ada@example.com');
  await person.sees('Acme Inc.');
  assert.equal(person.page.url(), `${stack.url}/#members`);
  await person.page.getByText('Welcome to Acme Inc.').waitFor();
  const open = person.page.getByRole('link', { name: 'Open Rollcall Demo' });
  assert.equal(await open.count(), 2, 'in the bar, and in the welcome');
  assert.equal(await open.first().getAttribute('href'), `${stack.url}/dev`);
  const urls = person.requests.map((request) => request.url());
  const token = (await stack.link('ada@example.com')).split('#token=')[1];
  assert.ok(!urls.some((url) => url.includes(token)), 'the invite is in no address that is requested');
  // A reload stays in.
  await person.page.reload();
  await person.sees('Acme Inc.');
  await person.leave();
});

test('an address that is not verified', async () => {
  const person = await browser.person(stack);
  await person.logIn('eve@example.com', { isVerified: false });
  await told(person, 'Verify your e-mail address', "Your e-mail address isn't verified.");
  await person.look('email-unverified');
  await person.leave();
});

test('a stranger', async () => {
  const person = await browser.person(stack);
  await person.logIn('stranger@example.com');
  await told(person, "You're not in an account", 'access');
  await person.look('no-access');
  await person.leave();
});

test('an earlier link than the newest', async () => {
  await stack.invite('acme', 'bob@example.com', 'Bob', 'Old');
  const link = await stack.link('bob@example.com');
  await stack.advance(61);
  const { body } = await stack.call(OWNER, 'GET', '/accounts/acme/members?q=bob');
  await stack.call(OWNER, 'POST', `/accounts/acme/members/${body.members[0].id}/resend`, {});
  const person = await accept('bob@example.com', { link });
  await told(
    person,
    'There is a newer invite',
    'A newer invite was sent. Use the link in the latest e-mail.',
  );
  await person.look('invite-superseded');
  // Following the advice leads in.
  await person.open(await stack.link('bob@example.com'));
  await person.page.getByRole('button', { name: 'Accept the invite' }).click();
  await person.sees('Acme Inc.');
  await person.leave();
});

test('an owner who follows an invite for another address of theirs', async () => {
  await stack.account('pias', 'pro', 'pia@example.com');
  await stack.call('pia@example.com', 'POST', '/login', {}, { sub: 'pia' });
  const body = { firstName: 'Pia', lastName: 'Home', email: 'pia@home.example' };
  await stack.call('pia@example.com', 'POST', '/accounts/pias/members', body, { sub: 'pia' });
  const person = await accept('pia@home.example', { sub: 'pia' });
  await person.sees('Pias Inc.');
  await person.page.getByText("You own Pias Inc., so you don't need the invite.").waitFor();
  await person.leave();
});

test('an invite for somebody else, and then the right person', async () => {
  await stack.invite('acme', 'kim@example.com');
  const person = await accept('kim@example.com', { as: 'private@example.com' });
  await told(person, 'This invite is for another address', 'k***@example.com');
  await person.look('wrong-account');
  await person.page.getByRole('button', { name: 'Sign in with another account' }).click();
  await person.signIn('kim@example.com');
  await person.sees('Acme Inc.');
  await person.leave();
});

test('a link that mail software has broken', async () => {
  await stack.invite('acme', 'mia@example.com', 'Mia', 'Low');
  const link = await stack.link('mia@example.com');
  const person = await accept('mia@example.com', { link: link.slice(0, -9) });
  await told(person, "This link doesn't work", "This invite link isn't valid.");
  await person.look('invite-invalid');
  await person.open('/invite');
  await told(person, "This link doesn't work", 'Part of the link is missing.');
  await person.leave();
});

test('an invite that is too old', async () => {
  await stack.invite('acme', 'lea@example.com', 'Lea', 'Late');
  await stack.advance(8 * 86_400);
  const person = await accept('lea@example.com');
  await told(
    person,
    'This invite has expired',
    'This invite has expired. Ask the account owner to resend it.',
  );
  await person.look('invite-expired');
  await person.leave();
});

test('a plan that no longer includes members', async () => {
  await stack.account('shrunk');
  await stack.member('shrunk', 'pat@example.com', 'Pat', 'Plan');
  await stack.account('shrunk', 'basic');
  const person = await browser.person(stack);
  await person.logIn('pat@example.com');
  await told(
    person,
    'The account needs an upgrade',
    'Multi-user access is only available to pro-level accounts.',
  );
  await person.look('upgrade-required');
  await person.leave();
});

test('another identity behind the same address', async () => {
  await stack.member('acme', 'sub@example.com', 'Sue', 'Bee');
  const person = await browser.person(stack);
  await person.logIn('sub@example.com', { sub: 'somebody-else' });
  await told(person, "You're not recognised", 'This address was first used with a different sign-in');
  await person.look('identity-mismatch');
  await person.leave();
});

test('a sign-in that is cancelled, and one that is no answer to ours', async () => {
  const person = await browser.person(stack);
  await person.open('/');
  await person.page.getByRole('button', { name: 'Sign in' }).click();
  await person.page.getByRole('button', { name: 'Cancel' }).click();
  await told(person, 'Sign-in cancelled', 'You cancelled the sign-in.');
  await person.look('cancelled');
  await person.open('/login?code=stolen&state=guessed');
  await told(person, "Sign-in didn't work", "This sign-in wasn't started in this tab");
  assert.equal(person.page.url(), `${stack.url}/login`);
  assert.equal(await person.page.evaluate(() => sessionStorage.getItem('rollcall.signed-in')), null);
  await person.leave();
});

test('a sign-in that has ended leads back to the welcome', async () => {
  const person = await browser.person(stack);
  await stack.member('acme', 'ina@example.com', 'Ina', 'End');
  await person.logIn('ina@example.com');
  await person.sees('Acme Inc.');
  await person.page.evaluate(() => {
    const session = JSON.parse(sessionStorage.getItem('rollcall.signed-in'));
    sessionStorage.setItem(
      'rollcall.signed-in',
      JSON.stringify({ ...session, idToken: `${session.idToken}x` }),
    );
  });
  await person.page.getByLabel('Search').fill('Ina');
  await person.sees('Log in to Rollcall Demo');
  await person.page.getByText('Your sign-in has ended. Sign in again to continue.').waitFor();
  await person.leave();
});

test('no connection, and then one', async () => {
  const person = await browser.person(stack);
  await stack.member('acme', 'off@example.com', 'Ottilie', 'Off');
  await person.logIn('off@example.com');
  await person.sees('Acme Inc.');
  await person.row('off@example.com').waitFor();
  await person.context.setOffline(true);
  await person.page.getByLabel('Search').fill('Ottilie');
  const failure = person.page.getByRole('alert');
  await failure.getByText("The server can't be reached.").waitFor();
  await person.look('no-connection');
  await person.context.setOffline(false);
  await failure.getByRole('button', { name: 'Try again' }).click();
  await person.row('off@example.com').waitFor();
  person.forgive('ERR_INTERNET_DISCONNECTED');
  await person.leave();
});

// The whole story, through the page: two people, two browsers.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { browser, stack } from './setup.js';
import { OWNER } from './stack.js';

test('from the invite to the removal', async () => {
  await stack.account('acme');
  const owner = await browser.person(stack);
  await owner.logIn(OWNER);
  // Olivia owns the demo accounts, too.
  await owner.sees('Choose an account');
  await owner.look('choose-account');
  await owner.page.getByRole('button', { name: 'Acme Inc.' }).click();
  await owner.sees('Acme Inc.');
  await owner.page.getByText('Nobody else is here yet.').waitFor();
  await owner.look('members-empty');

  await owner.page.getByRole('button', { name: 'Invite' }).click();
  const dialog = owner.page.getByRole('dialog', { name: 'Invite someone' });
  await dialog.getByLabel('First name').fill('Kim');
  await dialog.getByLabel('Last name').fill('Lee');
  await dialog.getByLabel('E-mail address').fill('kim@example');
  await dialog.getByRole('button', { name: 'Send invite' }).click();
  await dialog.getByText('E-mail address must').waitFor();
  assert.equal(await owner.focused(), 'E-mail address');
  await owner.look('invite-field-error');
  await dialog.getByLabel('E-mail address').fill('kim@example.com');
  await dialog.getByRole('button', { name: 'Send invite' }).click();
  await owner.page.getByRole('status').filter({ hasText: 'Invite sent to Kim Lee.' }).waitFor();
  assert.equal(await owner.focused(), 'Invite');
  await owner.row('kim@example.com').getByText('Invited').waitFor();
  await owner.look('members-invited');

  // Kim's first try is without the link.
  const kim = await browser.person(stack);
  await kim.logIn('kim@example.com');
  await kim.sees('Open the link in your invite');
  await kim.page.getByText('Use the link in your invite e-mail to log in for the first time.').waitFor();
  await kim.look('invite-link-required');

  const link = await stack.link('kim@example.com');
  await kim.open(link);
  await kim.sees("You're invited");
  assert.equal(kim.page.url(), `${stack.url}/invite`, 'the token leaves the address bar at once');
  await kim.look('invited');
  await kim.page.getByRole('button', { name: 'Accept the invite' }).click();
  await kim.sees('Acme Inc.');
  await kim.row('kim@example.com').getByText('You', { exact: true }).waitFor();
  await kim.row('kim@example.com').getByText('Active').waitFor();
  assert.equal(await kim.page.getByRole('button', { name: 'Invite' }).count(), 0, 'a member invites nobody');
  assert.equal(
    await kim.page.getByRole('button', { name: /^Actions/ }).count(),
    0,
    'a member changes nobody',
  );
  await kim.look('members-as-member');
  await kim.page.getByRole('tab', { name: 'Details' }).click();
  await kim.page.getByText('Only the owner of the account can change these details.').waitFor();
  await kim.look('details-as-member');

  // From now on it is the login page, as usual.
  await kim.page.getByRole('button', { name: 'Sign out' }).click();
  await kim.sees('Log in to Rollcall Demo');
  await kim.page.getByText("You're signed out.").waitFor();
  await kim.look('signed-out');
  await kim.page.getByRole('button', { name: 'Sign in' }).click();
  await kim.signIn('kim@example.com');
  await kim.sees('Acme Inc.');

  await owner.page.reload();
  await owner.row('kim@example.com').getByText('Active').waitFor();
  await owner.look('members-active');
  const menu = await owner.openMenu('Kim Lee');
  assert.equal(await menu.getByRole('menuitem', { name: /Resend/ }).count(), 0);
  await menu.getByRole('menuitem', { name: 'Remove' }).click();
  const removal = owner.page.getByRole('dialog', { name: 'Remove Kim Lee?' });
  await removal.getByText("at once. This can't be reversed.").waitFor();
  assert.equal(await owner.focused(), 'Cancel');
  await owner.look('remove');
  await removal.getByRole('button', { name: 'Remove' }).click();
  await owner.page.getByRole('status').filter({ hasText: 'Kim Lee was removed.' }).waitFor();
  assert.equal(await owner.row('kim@example.com').count(), 0);

  await kim.page.reload();
  await kim.sees('Your access was revoked');
  await kim.page.getByText('Your access to this account has been revoked.').waitFor();
  await kim.look('access-revoked');

  await owner.page.getByLabel('Status').selectOption('removed');
  await owner.row('kim@example.com').getByText('Removed').waitFor();
  await owner.look('members-removed');

  await kim.leave();
  await owner.leave();
});

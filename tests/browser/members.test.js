// The Members tab: what it lists and what the owner does there.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { browser, stack } from './setup.js';

/** The owner of a new account, logged in to it. */
async function ownerOf(account, plan, options) {
  const email = `owner@${account}.example`;
  await stack.account(account, plan, email);
  const owner = await browser.person(stack, options);
  owner.email = email;
  owner.enter = async () => {
    await owner.logIn(email);
    await owner.row(email).waitFor();
  };
  return owner;
}

test('a filter by text and by status, and more by the cursor', async () => {
  const owner = await ownerOf('acme');
  for (let number = 10; number < 38; number += 1) {
    await stack.invite('acme', `kim${number}@example.com`, 'Kim', 'Lee', owner.email);
  }
  await stack.member('acme', 'ada@example.com', 'Ada', 'Day', owner.email);
  await owner.enter();
  const rows = owner.page.getByRole('rowheader');
  assert.equal(await rows.count(), 25);
  assert.match(await rows.nth(0).textContent(), /Olivia Owner You/, 'the owner comes first');
  await owner.page.getByRole('button', { name: 'Load more' }).click();
  await rows.nth(29).waitFor();
  assert.equal(await rows.count(), 30);
  assert.equal(await owner.page.getByRole('button', { name: 'Load more' }).count(), 0);
  assert.match(await owner.focused(), /^Actions for Kim/, 'the focus is on the first new row');

  await owner.page.getByLabel('Search').fill('ada');
  await owner.page
    .getByRole('status')
    .filter({ hasText: /^1 person$/ })
    .waitFor();
  await rows.nth(1).waitFor({ state: 'detached' });
  assert.match(await rows.nth(0).textContent(), /Ada Day/);
  await owner.page.getByLabel('Search').fill('nobody like this');
  await owner.page.getByText('Nobody matches this filter.').waitFor();
  await owner.look('members-no-match');
  await owner.page.getByRole('button', { name: 'Show everyone' }).click();
  await rows.nth(24).waitFor();
  await owner.page.getByLabel('Status').selectOption('active');
  await rows.nth(2).waitFor({ state: 'detached' });
  assert.equal(await rows.count(), 2);
  await owner.leave();
});

test('an address that looks misspelt is asked about once', async () => {
  const owner = await ownerOf('misspelt');
  await owner.enter();
  await owner.page.getByRole('button', { name: 'Invite' }).click();
  const dialog = owner.page.getByRole('dialog', { name: 'Invite someone' });
  await dialog.getByLabel('First name').fill('Kim');
  await dialog.getByLabel('Last name').fill('Lee');
  for (const [typed, meant] of [
    ['kim@gmial.com', 'kim@gmail.com'],
    ['kim@gmai.com', 'kim@gmail.com'],
    ['kim@outlookk.com', 'kim@outlook.com'],
    ['Kim@T-Onlin.de', 'kim@t-online.de'],
  ]) {
    await dialog.getByLabel('E-mail address').fill(typed);
    await dialog.getByRole('button', { name: 'Send invite' }).click();
    await dialog.getByText(`Did you mean ${meant}?`).waitFor();
    assert.equal(await owner.focused(), 'E-mail address');
  }
  await owner.look('invite-did-you-mean');
  await dialog.getByLabel('E-mail address').fill('kim@gmial.com');
  const send = dialog.getByRole('button', { name: 'Send invite' });
  await send.click();
  await dialog.getByText('Did you mean').waitFor();
  await send.click();
  await owner.row('kim@gmial.com').getByText('Invited').waitFor();

  await owner.page.getByRole('button', { name: 'Invite' }).click();
  await dialog.getByLabel('First name').fill('Ada');
  await dialog.getByLabel('Last name').fill('Day');
  await dialog.getByLabel('E-mail address').fill('ada@mail.com');
  await send.click();
  await owner.row('ada@mail.com').getByText('Invited').waitFor();
  await owner.leave();
});

test('while the list loads, and when it does not come', async () => {
  const owner = await ownerOf('slow');
  let release;
  const held = new Promise((resolve) => {
    release = resolve;
  });
  const list = '**/accounts/slow/members*';
  await owner.page.route(list, async (route) => {
    await held;
    await route.abort('connectionreset');
  });
  await owner.logIn(owner.email);
  await owner.page.getByText('Loading the list').waitFor();
  await owner.look('members-loading');
  release();
  const failure = owner.page.getByRole('alert');
  await failure.getByText("The server can't be reached.").waitFor();
  await owner.page.unroute(list);
  await failure.getByRole('button', { name: 'Try again' }).click();
  await owner.row(owner.email).waitFor();
  owner.forgive('ERR_CONNECTION_RESET');
  await owner.leave();
});

test('resending, with the seconds left while it cools down', async () => {
  const owner = await ownerOf('cool');
  await stack.invite('cool', 'kim@example.com', 'Kim', 'Lee', owner.email);
  await owner.enter();
  let menu = await owner.openMenu('Kim Lee');
  const waiting = menu.getByRole('menuitem', { name: /^Resend invite in \d+ s$/ });
  await waiting.waitFor();
  assert.equal(await waiting.getAttribute('aria-disabled'), 'true');
  await owner.look('menu', { isOpen: true });
  await owner.page.keyboard.press('Escape');

  // A minute later, for the functions and for the page.
  await stack.advance(61);
  await owner.page.clock.setSystemTime(Date.now() + 61_000);
  menu = await owner.openMenu('Kim Lee');
  await menu.getByRole('menuitem', { name: 'Resend invite', exact: true }).click();
  const dialog = owner.page.getByRole('dialog', { name: 'Resend the invite to Kim Lee?' });
  await owner.look('resend');
  await dialog.getByRole('button', { name: 'Resend invite' }).click();
  await owner.page.getByRole('status').filter({ hasText: 'Invite sent again to Kim Lee.' }).waitFor();
  assert.equal(await owner.focused(), 'Actions for Kim Lee');
  assert.equal((await stack.mail('kim@example.com')).length, 2);
  await owner.leave();
});

test('a refusal keeps the dialog open and says why', async () => {
  const owner = await ownerOf('twice');
  await stack.member('twice', 'ada@example.com', 'Ada', 'Day', owner.email);
  await owner.enter();
  await owner.page.getByRole('button', { name: 'Invite' }).click();
  const dialog = owner.page.getByRole('dialog', { name: 'Invite someone' });
  await dialog.getByRole('button', { name: 'Send invite' }).click();
  await dialog.getByText('First name must').waitFor();
  assert.equal(await dialog.locator('[aria-invalid=true]').count(), 3, 'all mistakes at once');
  await dialog.getByLabel('First name').fill('Ada');
  await dialog.getByLabel('Last name').fill('Day');
  await dialog.getByLabel('E-mail address').fill('ada@example.com');
  await dialog.getByRole('button', { name: 'Send invite' }).click();
  await dialog.getByText('This person is already in the account.').waitFor();
  assert.equal(await dialog.locator('[aria-invalid=true]').count(), 1);
  await owner.look('invite-refused');
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  assert.equal(await owner.focused(), 'Invite');
  await owner.leave();
});

test('a basic plan shows the upgrade in place of the controls', async () => {
  const owner = await ownerOf('small', 'basic');
  await owner.enter();
  await owner.page
    .getByText('Multi-user access is only available to pro-level accounts. Upgrade the account to use it.')
    .waitFor();
  assert.equal(await owner.page.getByRole('button', { name: 'Invite' }).count(), 0);
  await owner.look('members-basic');
  await owner.page.getByRole('tab', { name: 'Details' }).click();
  await owner.look('details-as-owner');
  await owner.leave();
});

test('by keyboard alone', async () => {
  const owner = await ownerOf('keys');
  const press = (key) => owner.page.keyboard.press(key);
  const type = (text) => owner.page.keyboard.type(text);
  /** Tab until something has the focus, as a person would. */
  const tabTo = async (name) => {
    for (let presses = 0; presses < 30; presses += 1) {
      if ((await owner.focused()) === name) return;
      await press('Tab');
    }
    assert.fail(`${name} cannot be reached by Tab`);
  };
  await owner.open('/');
  await owner.sees('Log in to Rollcall Demo');
  await press('Tab');
  assert.equal(await owner.focused(), 'Skip to content');
  await press('Enter');
  await tabTo('Sign in');
  await press('Enter');
  await owner.page.getByLabel('E-mail address').waitFor();
  await type(owner.email);
  await press('Enter');
  await owner.sees('Keys Inc.');

  await tabTo('Invite');
  await press('Enter');
  await type('Kim');
  await press('Tab');
  await type('Lee');
  await press('Tab');
  await type('kim@example.com');
  await press('Enter');
  await owner.page.getByRole('status').filter({ hasText: 'Invite sent to Kim Lee.' }).waitFor();
  assert.equal(await owner.focused(), 'Invite');

  await tabTo('Actions for Kim Lee');
  await press('ArrowDown');
  const menu = owner.page.getByRole('menu');
  await menu.waitFor();
  await press('End');
  assert.equal(await owner.focused(), 'Remove');
  await press('ArrowDown');
  assert.match(await owner.focused(), /^Resend invite/);
  await press('r');
  assert.equal(await owner.focused(), 'Remove');
  await press('Escape');
  assert.equal(await owner.focused(), 'Actions for Kim Lee', 'Escape gives the focus back');
  await press('ArrowUp');
  assert.equal(await owner.focused(), 'Remove');
  await press('Enter');
  await owner.page.getByRole('dialog', { name: 'Remove Kim Lee?' }).waitFor();
  assert.equal(await owner.focused(), 'Cancel', 'Enter once too often does no harm');
  await press('Escape');
  assert.equal(await owner.focused(), 'Actions for Kim Lee');
  await press('ArrowUp');
  await press('Enter');
  await press('Tab');
  assert.equal(await owner.focused(), 'Remove');
  await press('Enter');
  await owner.page.getByRole('status').filter({ hasText: 'Kim Lee was removed.' }).waitFor();
  assert.equal(await owner.row('kim@example.com').count(), 0);

  await tabTo('Members');
  await press('ArrowLeft');
  assert.equal(await owner.focused(), 'Details');
  await owner.page.getByRole('tabpanel', { name: 'Details' }).getByText('Company').waitFor();
  await owner.leave();
});

test('twice the size, and without motion', async () => {
  // What a window of 1280 by 720 pixels is at 200%.
  const owner = await ownerOf('zoom', 'pro', {
    viewport: { width: 640, height: 360 },
    deviceScaleFactor: 2,
    reducedMotion: 'reduce',
  });
  await stack.member(
    'zoom',
    'a.very.long.address.that.does.not.end.soon@department.of.long.names.example',
    'Maximiliane-Alexandra',
    'von und zu Hohenstein-Wittelsbach',
    owner.email,
  );
  await owner.enter();
  await owner.look('members-zoomed');
  await owner.page.getByRole('button', { name: 'Invite' }).click();
  await owner.page.getByRole('dialog').waitFor();
  await owner.look('invite-zoomed');
  const moving = await owner.page.evaluate(() => document.getAnimations().length);
  assert.equal(moving, 0);
  await owner.leave();
});

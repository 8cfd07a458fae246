// The support page: why an invite did not arrive, and lifting what keeps mail away.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { browser, stack } from './setup.js';
import { OWNER } from './stack.js';

const BOUNCE = 'bounce@simulator.amazonses.com';

async function supporter(groups = 'support') {
  const person = await browser.person(stack);
  await person.open('/support');
  await person.sees('Log in to Rollcall Demo');
  await person.page.getByRole('button', { name: 'Sign in' }).click();
  await person.signIn('sam@example.com', { groups });
  return person;
}

test('from a bounce to an invite that can be resent', async () => {
  await stack.feedback(BOUNCE);
  const sam = await supporter();
  await sam.sees('Invites and e-mail');
  const recent = sam.page.getByRole('region', { name: 'The last seven days' });
  await recent.getByText('Bounced').first().waitFor();
  await sam.look('support');

  await recent.getByRole('button', { name: BOUNCE }).first().click();
  await sam.page.getByRole('heading', { name: 'Accounts' }).waitFor();
  assert.equal(await sam.focused(), 'E-mail address');
  await sam.page.getByText('550 5.1.1').first().waitFor({ state: 'attached' });
  await sam.look('support-person');

  // The owner sees the same, and cannot resend.
  const owner = await browser.person(stack);
  await owner.logIn(OWNER);
  await owner.page.getByRole('button', { name: 'Demo Company' }).click();
  await owner.row(BOUNCE).getByText('Bounced').waitFor();
  await owner.look('members-bounced');
  await stack.advance(61);
  await owner.page.clock.setSystemTime(Date.now() + 61_000);
  const resend = async () => {
    const menu = await owner.openMenu('Nora Nobody');
    await menu.getByRole('menuitem', { name: 'Resend invite' }).click();
    await owner.page.getByRole('dialog').getByRole('button', { name: 'Resend invite' }).click();
  };
  await resend();
  await owner.page.getByRole('dialog').getByRole('alert').waitFor();
  await owner.look('resend-refused');
  await owner.page.getByRole('button', { name: 'Cancel' }).click();

  await sam.page.getByRole('button', { name: 'Lift the block' }).click();
  const dialog = sam.page.getByRole('dialog', { name: `Lift the block on ${BOUNCE}?` });
  await sam.look('support-lift');
  await dialog.getByRole('button', { name: 'Lift the block' }).click();
  await sam.page
    .getByRole('status')
    .filter({ hasText: `${BOUNCE} gets mail again.` })
    .waitFor();
  assert.equal(await sam.page.getByRole('button', { name: 'Lift the block' }).count(), 0);

  await resend();
  await owner.page.getByRole('status').filter({ hasText: 'Invite sent again to Nora Nobody.' }).waitFor();
  await owner.leave();
  await sam.leave();
});

test('an address that nothing is known about, and one that is none', async () => {
  const sam = await supporter();
  const address = sam.page.getByLabel('E-mail address');
  await address.fill('nobody@example.com');
  await sam.page.getByRole('button', { name: 'Look up' }).click();
  await sam.page.getByText("This address isn't in any account.").waitFor();
  await sam.look('support-unknown');
  await address.fill('nobody');
  await address.press('Enter');
  await sam.page.getByRole('alert').getByText('The address must').waitFor();
  await sam.leave();
});

test('nobody else gets in', async () => {
  const person = await supporter('sales');
  await person.sees('Only for support staff');
  await person.look('support-only');
  await person.leave();
});

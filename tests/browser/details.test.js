// The Details tab: the owner changes names and closes the account.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { browser, stack } from './setup.js';

test('the owner changes the company, the own name and a member’s', async () => {
  await stack.account('acme', 'pro', 'owner@acme.example');
  await stack.member('acme', 'kim@example.com', 'Kim', 'Lee', 'owner@acme.example');
  const owner = await browser.person(stack);
  await owner.logIn('owner@acme.example');
  await owner.sees('Acme Inc.');
  await owner.page.getByRole('tab', { name: 'Details' }).click();

  await owner.page.getByRole('button', { name: 'Edit company name' }).click();
  const dialog = owner.page.getByRole('dialog');
  await dialog.getByLabel('Company').fill('');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.getByText('Company must').waitFor();
  await dialog.getByLabel('Company').fill('Acme & Daughters');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await owner.sees('Acme & Daughters');
  assert.equal(await owner.focused(), 'Edit company name');

  await owner.page.getByRole('button', { name: 'Edit your name' }).click();
  await dialog.getByLabel('Last name').fill('Olsen');
  await owner.look('edit-name');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await owner.page.getByText('Olivia Olsen · Owner').waitFor();

  await owner.page.getByRole('tab', { name: 'Members' }).click();
  const menu = await owner.openMenu('Kim Lee');
  await menu.getByRole('menuitem', { name: 'Edit name' }).click();
  await dialog.getByLabel('First name').fill('Kimberly');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await owner.row('Kimberly Lee').waitFor();
  assert.equal(await owner.focused(), 'Actions for Kimberly Lee');
  await owner.page.reload();
  await owner.sees('Acme & Daughters');
  await owner.row('owner@acme.example').getByText('Olivia Olsen').waitFor();
  await owner.row('Kimberly Lee').waitFor();
  await owner.leave();
});

test('closing the account takes its name, typed', async () => {
  await stack.account('gone', 'pro', 'owner@gone.example');
  await stack.member('gone', 'pat@example.com', 'Pat', 'Lee', 'owner@gone.example');
  const owner = await browser.person(stack);
  await owner.logIn('owner@gone.example');
  await owner.page.getByRole('tab', { name: 'Details' }).click();
  await owner.page.getByRole('button', { name: 'Close account…' }).click();
  const dialog = owner.page.getByRole('dialog', { name: 'Close the account of Gone Inc.?' });
  await dialog.getByLabel('Name of the company').fill('Gone');
  await dialog.getByRole('button', { name: 'Close the account' }).click();
  await dialog.getByText("This isn't the name.").waitFor();
  await owner.look('close-account');
  await dialog.getByLabel('Name of the company').fill('Gone Inc.');
  await dialog.getByRole('button', { name: 'Close the account' }).click();
  await owner.sees('This account is closed');
  await owner.look('account-closed');
  await owner.leave();

  const pat = await browser.person(stack);
  await pat.logIn('pat@example.com');
  await pat.sees('This account is closed');
  await pat.leave();
});

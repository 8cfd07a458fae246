// Takes the pictures in docs/screenshots: `node pictures.js`, after `./run` has built all it needs.

import { fileURLToPath } from 'node:url';

import { Browser } from './browser.js';
import { Stack } from './stack.js';

const FOLDER = fileURLToPath(new URL('../../docs/screenshots/', import.meta.url));
const OWNER = 'olivia@acme.example';

const stack = await Stack.start();
const browser = await Browser.start();
const picture = (person, name) =>
  person.page.screenshot({ path: `${FOLDER}${name}.png`, animations: 'disabled' });

await stack.account('acme', 'pro', OWNER);
await stack.member('acme', 'ada@acme.example', 'Ada', 'Lopez', OWNER);
await stack.member('acme', 'ben@acme.example', 'Ben', 'Okafor', OWNER);
await stack.invite('acme', 'zoe@acme.example', 'Zoe', 'Wei', OWNER);
await stack.invite('acme', 'ooto+dana@simulator.amazonses.com', 'Dana', 'Novak', OWNER);
await stack.invite('acme', 'bounce+eli@simulator.amazonses.com', 'Eli', 'Stone', OWNER);
for (const email of [
  'zoe@acme.example',
  'ooto+dana@simulator.amazonses.com',
  'bounce+eli@simulator.amazonses.com',
]) {
  await stack.feedback(email);
}

const size = { width: 1180, height: 1040 };
const owner = await browser.person(stack, { viewport: size });
await owner.logIn(OWNER);
await owner.row('bounce+eli@simulator.amazonses.com').getByText('Bounced').waitFor();
await owner.openMenu('Zoe Wei');
await picture(owner, 'members');

const guest = await browser.person(stack, { viewport: { width: 1180, height: 760 } });
await guest.open(await stack.link('zoe@acme.example'));
await guest.page.getByRole('button', { name: 'Sign in to accept' }).click();
await guest.signIn('zoe@private.example');
await guest.sees('This invite is for another address');
await picture(guest, 'login');

const support = await browser.person(stack, { viewport: { width: 1180, height: 880 } });
await support.open('/support');
await support.page.getByRole('button', { name: 'Sign in' }).click();
await support.signIn('sam@acme.example', { groups: 'support' });
await support.page.getByLabel('E-mail address').fill('bounce+eli@simulator.amazonses.com');
await support.page.getByRole('button', { name: 'Look up' }).click();
await support.page.getByRole('heading', { name: 'Accounts' }).waitFor();
await support.page.evaluate(() => document.activeElement.blur());
await picture(support, 'support');

await browser.stop();
await stack.stop();

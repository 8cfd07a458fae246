// The page shows at once, and from few files.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { browser, stack } from './setup.js';

test('a first load takes few requests and few bytes', async () => {
  const person = await browser.person(stack);
  await person.open('/');
  await person.sees('Log in to Rollcall Demo');
  const names = person.requests.map((request) => new URL(request.url()).pathname.split('/').at(-1));
  // Chromium doesn't always report that it loads the icon.
  assert.deepEqual(names.filter((name) => name !== 'icon.svg').sort(), ['', 'page.css', 'page.js']);
  let bytes = 0;
  for (const request of person.requests) bytes += (await request.sizes()).responseBodySize;
  assert.ok(bytes < 25 * 1024, `${bytes} bytes`);
  // The second time, the browser has it all but the document, which it asks about.
  await person.page.reload();
  await person.sees('Log in to Rollcall Demo');
  const fetched = await person.page.evaluate(() =>
    performance
      .getEntriesByType('resource')
      .filter(({ transferSize }) => transferSize > 0)
      .map(({ name }) => name),
  );
  assert.deepEqual(fetched, []);
  await person.leave();
});

test('the frame is there before the script, and stays in its place', async () => {
  const person = await browser.person(stack);
  const { page } = person;
  let release;
  const isReleased = new Promise((resolve) => (release = resolve));
  await page.route('**/page.js', async (route) => {
    await isReleased;
    await route.continue();
  });
  await page.goto('/', { waitUntil: 'commit' });
  await person.sees('Loading…');
  await person.look('loading');
  const bar = page.getByRole('banner');
  const [before, element] = [await bar.boundingBox(), await bar.elementHandle()];
  release();
  await person.sees('Log in to Rollcall Demo');
  assert.deepEqual(await bar.boundingBox(), before);
  assert.ok(await element.evaluate((bar) => bar.isConnected), 'the bar is the same element');
  await person.leave();
});

test('without JavaScript, the frame says what is missing', async () => {
  const person = await browser.person(stack, { javaScriptEnabled: false });
  const { page } = person;
  await person.open('/');
  assert.ok(await page.getByRole('banner').getByText('Rollcall Demo').isVisible());
  // Looking for text passes over `noscript`.
  const advice = page.locator('noscript p');
  assert.ok(await advice.isVisible());
  assert.match(await advice.innerText(), /^This page needs JavaScript\./);
  assert.ok(await page.getByText('Loading…').isHidden());
  await person.leave();
});

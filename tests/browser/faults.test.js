// That the tests would notice what the page must not do.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { browser, stack } from './setup.js';

const MISDEEDS = {
  'an inline style': () => document.body.setAttribute('style', 'color: red'),
  'an inline script': () => {
    document.body.appendChild(document.createElement('script')).append('1');
  },
  'a frame': () => {
    const frame = document.createElement('iframe');
    frame.src = '/login';
    document.body.append(frame);
  },
  'markup from text': () => {
    try {
      document.body.innerHTML = '<p>text</p>';
    } catch {
      // The browser refuses, and reports.
    }
  },
  'another origin': () => fetch('http://localhost:1/').catch(() => undefined),
  'an error': () => setTimeout(() => Promise.reject(new Error('lost'))),
};

for (const [name, misdeed] of Object.entries(MISDEEDS)) {
  test(`${name} is a fault`, async () => {
    const person = await browser.person(stack);
    await person.open('/login');
    await person.sees('Log in to Rollcall Demo');
    await person.page.evaluate(misdeed);
    await person.page.evaluate(() => new Promise((resolve) => setTimeout(resolve)));
    await assert.rejects(person.leave());
  });
}

test('bad contrast and what is cut off are faults', async () => {
  const person = await browser.person(stack);
  await person.open('/login');
  await person.sees('Log in to Rollcall Demo');
  await person.page.evaluate(() =>
    document.querySelector('h1').style.setProperty('color', 'rgb(200 200 200)'),
  );
  await assert.rejects(person.look('bad-contrast'), /color-contrast/);
  await person.page.evaluate(() => document.querySelector('h1').style.setProperty('color', 'inherit'));
  await person.page.evaluate(() => document.querySelector('.card').style.setProperty('min-width', '600px'));
  await assert.rejects(person.look('cut-off'), /wider than the window/);
  await person.context.close();
});

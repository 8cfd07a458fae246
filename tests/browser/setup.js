// A stack and a browser for the tests of one file, which run in a process of their own.

import { after } from 'node:test';

import { Browser } from './browser.js';
import { Stack } from './stack.js';

export const stack = await Stack.start();
export const browser = await Browser.start();

after(async () => {
  await browser.stop();
  await stack.stop();
});

// Debian's Chromium, and people in front of it.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { chromium } from 'playwright-core';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** Where to put a picture of every state that is looked at. Without it, none is taken. */
const SCREENSHOTS = process.env.SCREENSHOTS;

const WIDE = { width: 1180, height: 760 };
/** The width that WCAG 2.2, 1.4.10 asks for: 1280 pixels at 400%. */
const NARROW = { width: 320, height: 640 };

export class Browser {
  static async start() {
    const browser = new Browser();
    browser.profile = mkdtempSync(join(tmpdir(), 'rollcall-browser-'));
    browser.chromium = await chromium.launchPersistentContext(browser.profile, {
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      headless: true,
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    });
    return browser;
  }

  /** Somebody with a browser of their own: nobody else's storage, and every fault is kept. */
  async person(stack, options = {}) {
    const context = await this.chromium
      .browser()
      .newContext({ baseURL: stack.url, viewport: WIDE, locale: 'en-GB', ...options });
    return Person.at(context, stack);
  }

  async stop() {
    await this.chromium.close();
    rmSync(this.profile, { recursive: true, force: true });
  }
}

/** A person at a page. */
export class Person {
  static async at(context, stack) {
    const person = new Person();
    Object.assign(person, { context, stack, faults: [], requests: [] });
    person.page = await context.newPage();
    person.#watch();
    return person;
  }

  /** Faults are what the page must never do, whatever happens: they fail the test at its end. */
  #watch() {
    const { page, faults, requests, stack } = this;
    page.on('pageerror', (error) => faults.push(`error: ${error.stack}`));
    page.on('console', (message) => {
      // A refusal is an answer like any other; the browser reports its status all the same.
      const isRefusal = /^Failed to load resource: .* status of 4\d\d /.test(message.text());
      if (['error', 'warning'].includes(message.type()) && !isRefusal)
        faults.push(`console: ${message.text()}`);
    });
    page.on('request', (request) => {
      requests.push(request);
      if (!request.url().startsWith(`${stack.url}/`)) faults.push(`request to ${request.url()}`);
    });
    this.ready = page.addInitScript(() => {
      addEventListener('securitypolicyviolation', (event) => {
        console.error(`CSP violation: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`);
      });
    });
  }

  async open(path) {
    await this.ready;
    await this.page.goto(path);
  }

  /** Fills in the provider's form, which the page has led to. */
  async signIn(email, { isVerified = true, sub, groups } = {}) {
    const { page } = this;
    await page.getByLabel('E-mail address').fill(email);
    if (!isVerified) await page.getByLabel('The address is verified').uncheck();
    if (sub) await page.getByLabel('Subject').fill(sub);
    if (groups) await page.getByLabel('Groups').fill(groups);
    await page.getByRole('button', { name: 'Sign in' }).click();
  }

  /** Opens the page and logs in. */
  async logIn(email, options) {
    await this.open('/');
    await this.page.getByRole('button', { name: 'Sign in' }).click();
    await this.signIn(email, options);
  }

  /** Demands a heading: the screen that is shown. */
  async sees(heading) {
    await this.page.getByRole('heading', { level: 1, name: heading, exact: true }).waitFor();
  }

  row(name) {
    return this.page.getByRole('row').filter({ has: this.page.getByText(name, { exact: true }) });
  }

  async openMenu(name) {
    await this.page.getByRole('button', { name: `Actions for ${name}` }).click();
    return this.page.getByRole('menu', { name: `Actions for ${name}` });
  }

  /** What has the focus: its accessible name. */
  focused() {
    return this.page.evaluate(() => {
      const element = document.activeElement;
      return element.getAttribute('aria-label') ?? element.labels?.[0]?.textContent ?? element.textContent;
    });
  }

  /**
   * Looks at a state as everybody may see it: light and dark, wide and narrow. It must have no
   * axe violation and nothing that is cut off.
   */
  async look(name, { isOpen = false } = {}) {
    const { page } = this;
    await this.#picture(name);
    await this.#check(`${name}, light`);
    await page.emulateMedia({ colorScheme: 'dark' });
    await this.#picture(`${name}-dark`);
    await this.#check(`${name}, dark`);
    await page.emulateMedia({ colorScheme: 'light' });
    // A menu closes when the window changes.
    if (isOpen) return;
    const before = page.viewportSize();
    await page.setViewportSize(NARROW);
    await this.#picture(`${name}-narrow`);
    await this.#check(`${name}, narrow`);
    await page.setViewportSize(before);
  }

  async #picture(name) {
    if (SCREENSHOTS)
      await this.page.screenshot({ path: join(SCREENSHOTS, `${name}.png`), animations: 'disabled' });
  }

  async #check(name) {
    const { page } = this;
    if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(AXE);
    const violations = await page.evaluate(async () => {
      // A change of the window or its colours is seen two frames later, and colours change over a
      // moment; what counts is where they end. Some end with their element.
      await new Promise((seen) => requestAnimationFrame(() => requestAnimationFrame(seen)));
      await Promise.allSettled(
        document
          .getAnimations()
          .filter((a) => a.effect.getComputedTiming().iterations !== Infinity)
          .map((a) => a.finished),
      );
      const { violations } = await window.axe.run();
      return violations.map(
        ({ id, help, nodes }) =>
          `${id}: ${help}: ${nodes.map((node) => `${node.target} ${node.failureSummary}`).join('; ')}`,
      );
    });
    assert.deepEqual(violations, [], name);
    const tooWide = await page.evaluate(() => {
      const width = document.documentElement.clientWidth;
      const sticksOut = (element) =>
        element.getBoundingClientRect().right > width + 1 && getComputedStyle(element).clipPath === 'none';
      return [...document.querySelectorAll('body *')]
        .filter(sticksOut)
        .map((element) => element.outerHTML.slice(0, 120));
    });
    assert.deepEqual(tooWide, [], `${name}: wider than the window`);
  }

  /** Takes back faults that the test itself has made. */
  forgive(what) {
    const others = this.faults.filter((fault) => !fault.includes(what));
    assert.notEqual(others.length, this.faults.length, `there was no ${what}`);
    this.faults = others;
  }

  /** Leaves, and fails if the page did what it must not. */
  async leave() {
    await this.context.close();
    assert.deepEqual(this.faults, []);
  }
}

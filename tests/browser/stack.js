// A local stack of its own for one test file, and what its control surface offers.

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

const PROGRAM = process.env.ROLLCALL ?? new URL('../../target/debug/rollcall', import.meta.url).pathname;

/** The owner of every account that `account` makes. */
export const OWNER = 'olivia@example.com';

export class Stack {
  /** @param {string} url */
  constructor(url, process) {
    this.url = url;
    this.process = process;
  }

  /** Starts a stack on free ports; its first line says where it is. */
  static async start() {
    const stack = spawn(PROGRAM, ['--port', '0', '--dynamodb-port', '0'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    // Whatever ends the tests ends the stack.
    process.once('exit', () => stack.kill());
    const lines = createInterface({ input: stack.stdout });
    const url = await new Promise((resolve, reject) => {
      stack.once('error', reject);
      stack.once('exit', (code) => reject(new Error(`the stack ended with ${code}`)));
      lines.once('line', (line) => resolve(line.replace('rollcall: ', '')));
    });
    return new Stack(url, stack);
  }

  async stop() {
    if (this.process.exitCode !== null) return;
    const ended = new Promise((resolve) => this.process.once('exit', resolve));
    this.process.kill('SIGTERM');
    await ended;
  }

  /** Provisions an account that belongs to `OWNER`, or changes its plan. */
  async account(id, plan = 'pro', owner = OWNER) {
    await this.#dev('/dev/accounts', {
      accountId: id,
      company: `${id[0].toUpperCase()}${id.slice(1)} Inc.`,
      plan,
      owner: { firstName: 'Olivia', lastName: 'Owner', email: owner },
    });
  }

  /** Moves the clock of the functions ahead. */
  async advance(seconds) {
    await this.#dev('/dev/clock', { advanceSeconds: seconds });
  }

  /** The mail that was sent to an address, newest first. */
  async mail(to) {
    const mail = await (await fetch(`${this.url}/dev/mail.json`)).json();
    return mail.filter((one) => one.to === to);
  }

  /** The link in the newest mail to an address. */
  async link(to) {
    const [newest] = await this.mail(to);
    return newest.link;
  }

  /** Calls the API as somebody, past the page. */
  async call(email, method, path, body, claims = {}) {
    const { idToken } = await this.#dev('/dev/token', { email, ...claims });
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${idToken}`, 'content-type': 'application/json' },
      body: body && JSON.stringify(body),
    });
    return { status: response.status, body: await response.json() };
  }

  async invite(account, email, firstName = 'Kim', lastName = 'Lee', owner = OWNER) {
    const answer = await this.call(owner, 'POST', `/accounts/${account}/members`, {
      firstName,
      lastName,
      email,
    });
    if (answer.status !== 201) throw new Error(JSON.stringify(answer));
    return answer.body;
  }

  /** Somebody who was invited and has logged in. */
  async member(account, email, firstName, lastName, owner) {
    const invited = await this.invite(account, email, firstName, lastName, owner);
    const inviteToken = new URL(await this.link(email)).hash.replace('#token=', '');
    await this.call(email, 'POST', '/login', { inviteToken });
    return invited;
  }

  async remove(account, email, owner = OWNER) {
    const { body } = await this.call(
      owner,
      'GET',
      `/accounts/${account}/members?q=${encodeURIComponent(email)}`,
    );
    const { id } = body.members.find((member) => member.email === email);
    return this.call(owner, 'DELETE', `/accounts/${account}/members/${id}`);
  }

  /** Waits until the mail system has reported about mail to an address. */
  async feedback(email) {
    const path = `/support/feedback?email=${encodeURIComponent(email)}`;
    for (let tries = 0; tries < 500; tries += 1) {
      const { body } = await this.call('sam@example.com', 'GET', path, undefined, { groups: ['support'] });
      if (body.feedback?.some(({ kind }) => kind !== 'send')) return;
    }
    throw new Error(`nothing was reported about ${email}`);
  }

  async #dev(path, body) {
    const response = await fetch(`${this.url}${path}`, { method: 'POST', body: JSON.stringify(body) });
    if (!response.ok) throw new Error(`${path}: ${await response.text()}`);
    return response.json();
  }
}

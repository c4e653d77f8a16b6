import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { demoAdministrator, launch, open } from './browser.mjs';
import { signIn } from './sign-in.mjs';

declare module 'vitest' {
  interface ProvidedContext {
    url: string;
    people: Record<Role, Person>;
  }
}

export type Role = 'viewer' | 'analyst' | 'responder' | 'administrator';
export type Person = { name: string; password: string };

export const program = process.env.XIEZHI ?? new URL('../../bin/xiezhi', import.meta.url).pathname;

export type Running = { url: string; link: string; said: () => string; until: (sign: RegExp, ms?: number) => Promise<void>; stop: () => Promise<void>; folder: string };

/**
 * start runs the program in a folder of its own, which goes with it, and waits
 * for the link that it prints.
 */
export async function start(args: readonly string[], folder = mkdtempSync(join(tmpdir(), 'xiezhi-flows-'))): Promise<Running> {
  const data = join(folder, 'data');
  const child: ChildProcess = spawn(program, [...args, '--data', data, '--http', '127.0.0.1:0', '--lang', 'en'], { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  const listen = (b: Buffer) => (said += b.toString());
  child.stdout!.on('data', listen);
  child.stderr!.on('data', listen);
  const ended = new Promise<void>((resolve) => child.on('exit', () => resolve()));
  const until = async (sign: RegExp, ms = 60_000) => {
    const end = Date.now() + ms;
    while (!sign.test(said)) {
      if (child.exitCode !== null) throw new Error(`${program} ${args.join(' ')} ended with ${child.exitCode}:\n${said}`);
      if (Date.now() > end) throw new Error(`${program} ${args.join(' ')} did not say ${sign} in ${ms} ms:\n${said}`);
      await new Promise((r) => setTimeout(r, 50));
    }
  };
  const stop = async () => {
    child.kill('SIGTERM');
    const late = setTimeout(() => child.kill('SIGKILL'), 20_000);
    await ended;
    clearTimeout(late);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await until(/http:\/\/127\.0\.0\.1:\d+\/(setup|enter)\?token=\S+/);
  } catch (e) {
    await stop();
    throw e;
  }
  const link = /http:\/\/127\.0\.0\.1:\d+\/(setup|enter)\?token=\S+/.exec(said)![0];
  return { url: new URL(link).origin, link, said: () => said, until, stop, folder };
}

/**
 * addPeople makes a person of each role. The first one is signed in by the link
 * that the program printed, or else by the password.
 */
export async function addPeople(url: string, first: Person, link?: string): Promise<Record<Role, Person>> {
  const browser = await launch();
  try {
    const context = await open(browser, url, { lang: 'en' });
    await signIn(await context.newPage(), first, link);
    const csrf = ((await (await context.request.get('/api/v1/session')).json()) as { csrf: string }).csrf;
    const people = {} as Record<Role, Person>;
    for (const role of ['viewer', 'analyst', 'responder', 'administrator'] as const) {
      people[role] = { name: `${role}-of-flows`, password: `a long password of the ${role}` };
      const made = await context.request.post('/api/v1/users', { headers: { 'X-CSRF-Token': csrf }, data: { ...people[role], role } });
      if (made.status() !== 201 && made.status() !== 409) throw new Error(`make a ${role}: ${made.status()} ${await made.text()}`);
    }
    return people;
  } finally {
    await browser.close();
  }
}

/**
 * The service that the flows share: the one that XIEZHI_URL names (its
 * administrator in XIEZHI_ADMIN as name:password), else a demo of its own.
 */
export default async function setup(project: TestProject) {
  let running: Running | undefined;
  let url = process.env.XIEZHI_URL;
  let administrator = demoAdministrator;
  const given = process.env.XIEZHI_ADMIN;
  if (given) administrator = { name: given.slice(0, given.indexOf(':')), password: given.slice(given.indexOf(':') + 1) };
  if (!url) {
    running = await start(['demo', '--no-open']);
    await running.until(/history are in/, 400_000);
    url = running.url;
  }
  project.provide('url', url);
  project.provide('people', await addPeople(url, administrator, running?.link));
  return async () => {
    await running?.stop();
  };
}

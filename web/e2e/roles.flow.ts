import { inject, describe, expect, test } from 'vitest';
import { open, watch } from './browser.mjs';
import { accessible, both, settled, theBrowser, withBrowser } from './harness';
import { signIn } from './sign-in.mjs';
import type { Role } from './service';

withBrowser();

const roles: readonly Role[] = ['viewer', 'analyst', 'responder', 'administrator'];
const rank = (r: Role) => roles.indexOf(r);

/** Every place of the console, and the least role that it is for. */
const places: readonly (readonly [path: string, least: Role])[] = [
  ['/', 'viewer'],
  ['/inventory', 'viewer'],
  ['/exposure', 'viewer'],
  ['/defects', 'viewer'],
  ['/attacks', 'viewer'],
  ['/attacks/campaigns', 'viewer'],
  ['/attacks/requests', 'viewer'],
  ['/intelligence', 'viewer'],
  ['/response/decisions', 'viewer'],
  ['/response/allow', 'viewer'],
  ['/response/rules', 'viewer'],
  ['/response/actions', 'viewer'],
  ['/reports', 'viewer'],
  ['/settings/health', 'viewer'],
  ['/settings/tokens', 'viewer'],
  ['/settings/retention', 'viewer'],
  ['/settings/account', 'viewer'],
  ['/settings/about', 'viewer'],
  ['/settings/users', 'administrator'],
  ['/settings/audit', 'administrator'],
];

/** What changes something, where it stands, and the least role that it is offered to. */
const deeds: readonly (readonly [path: string, button: string, least: Role])[] = [
  ['/response/allow', 'Add a public API', 'responder'],
  ['/response/allow', 'Add an approval', 'responder'],
  ['/response/rules', 'Run it', 'analyst'],
  ['/settings/tokens', 'New token', 'viewer'],
  ['/settings/users', 'New user', 'administrator'],
  ['/settings/audit', 'Verify the whole log', 'administrator'],
];

describe('what each role sees', () => {
  for (const role of roles) {
    test(`${role}: every place opens or says why not, and nothing is asked for in vain`, async () => {
      const context = await open(theBrowser(), inject('url'), { lang: 'en' });
      try {
        const page = await context.newPage();
        const faults = watch(page);
        const refused: string[] = [];
        page.on('response', (r) => {
          if (r.status() === 401 || r.status() === 403) refused.push(`${r.status()} ${new URL(r.url()).pathname} on ${page.url()}`);
        });
        await signIn(page, inject('people')[role]);
        for (const [path, least] of places) {
          await page.goto(path);
          await settled(page);
          await page.locator('h1').first().waitFor();
          const shut = await page.getByText('This page is for administrators').count();
          expect([path, shut > 0]).toEqual([path, rank(role) < rank(least)]);
          expect(await page.getByText('This page failed').count()).toBe(0);
        }
        for (const [path, button, least] of deeds) {
          await page.goto(path);
          await settled(page);
          await page.locator('h1').first().waitFor();
          const offered = page.getByRole('button', { name: button });
          if (rank(role) >= rank(least)) await offered.first().waitFor();
          expect([path, button, await offered.count()]).toEqual([path, button, rank(role) >= rank(least) ? 1 : 0]);
        }
        // The console asks for nothing that the role may not have.
        expect(refused).toEqual([]);
        expect(faults).toEqual([]);
      } finally {
        await context.close();
      }
    });
  }
});

type Operation = readonly [method: string, path: string, least: Role];

/** Changes as a page would send them, with a session's proof; the body is nonsense, so that nothing is changed. */
const operations: readonly Operation[] = [
  ['POST', '/api/v1/defects/none/verdict', 'analyst'],
  ['POST', '/api/v1/defects/none/fix', 'analyst'],
  ['POST', '/api/v1/verdicts', 'analyst'],
  ['POST', '/api/v1/templates', 'analyst'],
  ['POST', '/api/v1/rules/test', 'analyst'],
  ['POST', '/api/v1/sites/none/drift', 'analyst'],
  ['POST', '/api/v1/policy/public', 'responder'],
  ['POST', '/api/v1/policy/approvals', 'responder'],
  ['POST', '/api/v1/policy/none/end', 'responder'],
  ['GET', '/api/v1/users', 'administrator'],
  ['POST', '/api/v1/users', 'administrator'],
  ['PATCH', '/api/v1/users/none', 'administrator'],
  ['DELETE', '/api/v1/users/none', 'administrator'],
  ['GET', '/api/v1/audit', 'administrator'],
  ['GET', '/api/v1/audit/verification', 'administrator'],
  ['PUT', '/api/v1/settings/none', 'administrator'],
];

describe('what a role may not do is refused, whatever the page offers', () => {
  for (const role of roles) {
    test(role, async () => {
      const context = await open(theBrowser(), inject('url'), { lang: 'en' });
      try {
        const page = await context.newPage();
        await signIn(page, inject('people')[role]);
        const got = await page.evaluate(async (list) => {
          const { csrf } = (await (await fetch('/api/v1/session')).json()) as { csrf: string };
          const out: (readonly [string, string, number, string])[] = [];
          for (const [method, path] of list) {
            const r = await fetch(path, { method, headers: { 'X-CSRF-Token': csrf, 'Content-Type': 'application/json' }, body: method === 'GET' || method === 'DELETE' ? undefined : '{"nonsense":1}' });
            const code = r.ok ? '' : ((await r.json()) as { code: string }).code;
            out.push([method, path, r.status, code]);
          }
          return out;
        }, operations.map(([m, p]) => [m, p] as const));
        for (const [i, [method, path, status, code]] of got.entries()) {
          const allowed = rank(role) >= rank(operations[i]![2]);
          expect([method, path, status === 403, code === 'role']).toEqual([method, path, !allowed, !allowed]);
        }
        // Without the proof nothing is changed, whatever the role.
        const bare = await page.evaluate(async () => {
          const r = await fetch('/api/v1/tokens', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{"name":"x","role":"viewer","days":1}' });
          return [r.status, ((await r.json()) as { code: string }).code];
        });
        expect(bare).toEqual([403, 'csrf']);
      } finally {
        await context.close();
      }
    });
  }
});

both('who may only look is told so where it helps', { role: 'viewer' }, async ({ page, say }) => {
  await page.goto('/settings/audit');
  await page.getByText(say('此页需要管理员', 'This page is for administrators')).waitFor();
  expect(await page.getByRole('tab').allTextContents()).not.toContain(say('审计日志', 'Audit log'));
  await page.goto('/response/rules');
  await page.getByText(say('检查规则需要“分析员”', 'Checking rules takes the role analyst')).waitFor();
  await page.goto('/settings/retention');
  await page.getByText(say('更改设置需要管理员', 'Changing a setting takes an administrator')).waitFor();
  await accessible(page);
});

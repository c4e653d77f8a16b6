import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { BrowserContext, Page } from 'playwright-core';
import { open, watch } from './browser.mjs';
import { accessible, settled, theBrowser, withBrowser, type Lang } from './harness';
import { start, type Running } from './service';

withBrowser();

const password = 'lantern orbit velvet 93';

type Guest = { page: Page; context: BrowserContext; say: (zh: string, en: string) => string; lang: Lang };

/** guest is a flow of somebody who is not signed in. */
function guest(name: string, lang: Lang, where: { mode?: 'light' | 'dark'; width?: number }, walk: (g: Guest) => Promise<void>) {
  test(`${name} (${lang})`, async () => {
    const context = await open(theBrowser(), running.url, { lang, ...where });
    try {
      const page = await context.newPage();
      const faults = watch(page);
      await walk({ page, context, lang, say: (zh, en) => (lang === 'zh' ? zh : en) });
      expect(faults).toEqual([]);
    } finally {
      await context.close();
    }
  });
}

const bothLanguages = (name: string, walk: (g: Guest) => Promise<void>) => {
  guest(name, 'zh', {}, walk);
  guest(name, 'en', {}, walk);
};

let running: Running;

async function fill(page: Page, fields: Record<string, string>) {
  for (const [name, value] of Object.entries(fields)) await page.locator(`input[name=${name}]`).fill(value);
  await page.locator('form button').click();
}

for (const lang of ['zh', 'en'] as const) {
  describe(`the first start (${lang})`, () => {
    beforeAll(async () => {
      running = await start(['serve']);
    });
    afterAll(async () => {
      await running?.stop();
    });

    guest('the printed link makes the first administrator, and works once', lang, {}, async ({ page, say }) => {
      await page.goto('/');
      await page.waitForURL((u) => u.pathname === '/setup'); // nobody is there to sign in
      await page.goto(running.link);
      await page.getByText(say('至少 12 个字符', 'At least 12 characters')).waitFor();
      expect(await page.evaluate(() => document.activeElement?.getAttribute('name'))).toBe('password');
      await accessible(page);
      await fill(page, { name: 'root', password, repeat: 'another' });
      await page.getByRole('alert').getByText(say('两次输入的密码不一致', 'The two passwords differ')).waitFor();
      expect(await page.locator('input[name=name]').inputValue()).toBe('root');
      expect(await page.locator('input[name=token]').inputValue()).not.toBe('');
      await fill(page, { password: 'password1234', repeat: 'password1234' });
      await page.getByRole('alert').getByText(say('太容易猜到', 'Too easy to guess')).waitFor();
      await accessible(page);
      await fill(page, { password, repeat: password });
      await page.waitForURL((u) => u.pathname === '/');
      await page.getByRole('button', { name: /^root/ }).waitFor();
      await page.goto(running.link);
      expect(new URL(page.url()).pathname).not.toBe('/setup');
    });

    guest('a wrong password says so, the right one leads where one wanted to', lang, {}, async ({ page, say }) => {
      await page.goto('/defects?severity=high');
      await page.waitForURL((u) => u.pathname === '/login');
      expect(await page.evaluate(() => document.activeElement?.getAttribute('name'))).toBe('name');
      await accessible(page);
      await fill(page, { name: 'root', password: 'not this one' });
      await page.getByRole('alert').getByText(say('用户名或密码不正确', 'Name or password is wrong')).waitFor();
      expect(await page.locator('input[name=name]').inputValue()).toBe('root');
      expect(await page.evaluate(() => document.activeElement?.getAttribute('name'))).toBe('password');
      await fill(page, { password });
      await page.waitForURL((u) => u.pathname === '/defects' && u.search.includes('severity=high'));
      await settled(page);
      await page.getByRole('button', { name: /^root/ }).click();
      await page.getByText(say('退出登录', 'Sign out')).click();
      await page.waitForURL((u) => u.pathname === '/login');
      await page.goto('/api/v1/session');
      await page.getByText('unauthenticated').waitFor();
    });

    guest('the session may end while somebody types: nothing is lost', lang, {}, async ({ page, context, say }) => {
      await page.goto('/login');
      await fill(page, { name: 'root', password });
      await page.waitForURL((u) => u.pathname === '/');
      await page.goto('/response/allow?add=public');
      const form = page.getByRole('dialog', { name: say('添加公开 API', 'Add a public API') });
      await form.getByLabel(say('路径', 'Path')).fill('/kept');
      await form.getByLabel(say('理由', 'Reason')).fill('typed before the end');
      await context.clearCookies();
      await form.getByRole('button', { name: say('添加并生效', 'Add it') }).click();
      const again = page.getByRole('dialog', { name: say('登录已过期', 'Your session is over') });
      await again.getByLabel(say('root 的密码', 'Password of root')).fill(password);
      await again.getByRole('button', { name: say('继续', 'Go on') }).click();
      await again.waitFor({ state: 'hidden' });
      expect(await form.getByLabel(say('理由', 'Reason')).inputValue()).toBe('typed before the end');
      await form.getByRole('button', { name: say('添加并生效', 'Add it') }).click();
      await form.waitFor({ state: 'hidden' });
      await page.getByText('/kept').waitFor();
    });

    guest('whoever fails again and again is told how long to wait', lang, {}, async ({ page, say }) => {
      await page.goto('/login');
      const told = page.getByRole('alert').getByText(say('秒后重试', 'Try again in'));
      for (let i = 0; i < 20 && (await told.count()) === 0; i++) await fill(page, { name: 'somebody', password: `guess number ${i}` });
      await told.waitFor();
      await accessible(page);
    });

    for (const next of ['//evil.example/', '/\\evil.example', 'https://evil.example/']) {
      guest(`next=${next} leads nowhere else`, lang, {}, async ({ page }) => {
        await page.goto(`/login?next=${encodeURIComponent(next)}`);
        await fill(page, { name: 'root', password });
        await page.waitForURL((u) => u.pathname === '/');
        expect(new URL(page.url()).origin).toBe(running.url);
      });
    }

    for (const mode of ['light', 'dark'] as const) {
      guest(`the page to sign in is readable on a phone, ${mode}`, lang, { mode, width: 390 }, async ({ page }) => {
        await page.goto('/login');
        await accessible(page);
        expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
      });
    }
  });
}

describe('the demo', () => {
  beforeAll(async () => {
    running = await start(['demo', '--no-open', '--months', '1']);
  });
  afterAll(async () => {
    await running?.stop();
  });

  bothLanguages('the link signs in with one button, once; fetching it uses nothing up', async ({ page, context, say, lang }) => {
    if (lang === 'zh') {
      for (let i = 0; i < 3; i++) expect((await context.request.get(running.link)).status()).toBe(200);
      await page.goto(running.link);
      await accessible(page);
      expect(await page.locator('input:visible').count()).toBe(0);
      await page.getByRole('button', { name: say('进入', 'Enter') }).click();
      await page.waitForURL((u) => u.pathname === '/');
      await page.locator('h1', { hasText: '总览' }).waitFor();
      return;
    }
    await page.goto(running.link);
    await page.getByRole('button', { name: 'Enter' }).click();
    await page.getByRole('alert').getByText('This link does not hold any more').waitFor();
    await accessible(page);
    await page.getByRole('link', { name: 'Sign in with a password' }).click();
    await page.waitForURL((u) => u.pathname === '/login');
  });
});

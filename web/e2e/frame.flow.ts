import { describe, expect } from 'vitest';
import { accessible, both, flow, settled, withBrowser } from './harness';

withBrowser();

const screens = [
  ['/', '总览', 'Overview'],
  ['/inventory', 'API 资产', 'API inventory'],
  ['/exposure', '数据暴露', 'Data exposure'],
  ['/defects', '缺陷', 'Defects'],
  ['/attacks', '攻击与团伙', 'Attacks'],
  ['/intelligence', '情报', 'Intelligence'],
  ['/response', '处置与策略', 'Response'],
  ['/reports', '报表', 'Reports'],
  ['/settings', '设置', 'Settings'],
] as const;

describe('the frame', () => {
  for (const mode of ['light', 'dark'] as const) {
    both(`every screen opens and is accessible, ${mode}`, { mode }, async ({ page, say }) => {
      for (const [path, zh, en] of screens) {
        await page.goto(path);
        await settled(page);
        await expect.poll(() => page.locator('h1').first().textContent(), { timeout: 10_000 }).toContain(say(zh, en));
        await accessible(page);
      }
    });
  }

  both('each key leads to its screen and ? says so', {}, async ({ page, say }) => {
    await page.goto('/');
    await settled(page);
    for (const [i, [path]] of screens.entries()) {
      await page.keyboard.press(String(i + 1));
      await page.waitForURL((u) => u.pathname === path || (path !== '/' && u.pathname.startsWith(path)));
    }
    await page.keyboard.press('?');
    await page.getByRole('dialog').getByText(say('搜索一切', 'Search everything')).waitFor();
  });

  flow('what is typed in a field is not taken for a key', {}, async ({ page }) => {
    await page.goto('/inventory');
    await settled(page);
    await page.keyboard.press('/');
    await page.keyboard.type('4?');
    expect(await page.locator('.search-everything input').inputValue()).toBe('4?');
    expect(new URL(page.url()).pathname).toBe('/inventory');
  });

  flow('language, appearance and zone stay', {}, async ({ page }) => {
    await page.goto('/defects');
    await page.getByRole('button', { name: '中文' }).click();
    await page.locator('h1', { hasText: '缺陷' }).waitFor();
    await page.getByRole('button', { name: '外观' }).click();
    await page.getByRole('menuitem', { name: '深色' }).click();
    await page.reload();
    await page.locator('h1', { hasText: '缺陷' }).waitFor();
    expect(await page.evaluate(() => [document.documentElement.lang, document.documentElement.dataset.mode])).toEqual(['zh-CN', 'dark']);
  });

  flow('on a phone one gets everywhere', { width: 390, height: 844, lang: 'zh' }, async ({ page }) => {
    await page.goto('/');
    await settled(page);
    await page.getByRole('button', { name: '导航' }).click();
    await page.getByRole('link', { name: '缺陷', exact: true }).click();
    await page.waitForURL('**/defects');
    await settled(page);
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
  });

  flow('a path that is none says so', {}, async ({ page }) => {
    await page.goto('/nothing/here');
    await page.getByText('There is no such page').waitFor();
    await page.getByRole('link', { name: 'Back to the overview' }).click();
    await page.waitForURL((u) => u.pathname === '/');
  });
});

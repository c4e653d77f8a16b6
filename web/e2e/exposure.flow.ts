import { describe, expect } from 'vitest';
import { accessible, both, flow, settled, withBrowser } from './harness';

withBrowser();

type Row = { api: string; template: string; auth: string; data: { type: string; in: string; plain: boolean; max_per_response: number }[] };

describe('exposed data', () => {
  both('a cell opens the API at its data; Back closes it', {}, async ({ page, say }) => {
    await page.goto('/exposure?range=all');
    await settled(page);
    const cell = page.locator('button.cell').first();
    await cell.waitFor();
    expect(await cell.textContent()).toMatch(new RegExp(say('一次响应最多 [\\d,]+ 条', 'at most [\\d,]+ in one answer')));
    await cell.click();
    await page.waitForURL((u) => /^api~/.test(u.searchParams.get('open') ?? '') && u.searchParams.get('tab') === 'data');
    await page.getByRole('dialog').waitFor();
    await page.goBack();
    await page.waitForURL((u) => !u.searchParams.has('open'));
    await accessible(page);
  });

  both('filters stand in the URL, survive reload and Back, and hold', {}, async ({ page, say, context }) => {
    await page.goto('/exposure?range=all');
    await settled(page);
    await page.getByRole('switch', { name: say('无需鉴权', 'No credential') }).click();
    await page.waitForURL((u) => u.searchParams.get('auth') === 'none');
    await page.getByRole('switch', { name: say('只看明文', 'Plain only') }).click();
    await page.waitForURL((u) => u.searchParams.get('sensitive') === 'true');
    await settled(page);
    const got = (await (await context.request.get('/api/v1/exposure?auth=none&sensitive=true&sort=exposed&limit=200')).json()) as { items: Row[]; total: number };
    const same = async () => {
      await settled(page);
      if (got.total === 0) return;
      await expect.poll(() => page.locator('.table-foot').first().textContent()).toContain(String(got.total));
      expect(await page.locator('.matrix-path').first().textContent()).toContain(got.items[0]!.template);
    };
    for (const r of got.items) expect([r.auth, r.data.some((d) => d.plain && d.in === 'response')]).toEqual(['none', true]);
    await same();
    await page.reload();
    await same();
    expect(await page.getByRole('switch', { name: say('无需鉴权', 'No credential') }).getAttribute('aria-checked')).toBe('true');
    await page.keyboard.press('1');
    await page.waitForURL((u) => u.pathname === '/');
    await page.goBack();
    await page.waitForURL((u) => u.pathname === '/exposure' && u.searchParams.get('auth') === 'none' && u.searchParams.get('sensitive') === 'true');
    await same();
  });

  both('says who took most and how much in the period', {}, async ({ page, say, context }) => {
    await page.goto('/exposure?range=all');
    await settled(page);
    const days = (await (await context.request.get('/api/v1/observations/days')).json()) as { days: { rows: number }[] };
    expect(days.days.length).toBeGreaterThan(0);
    expect(await page.locator('.given-sum').textContent()).toMatch(new RegExp(say('[\\d.]+万? 人次', '[\\d,.k]+ person records')));
    const takers = page.locator('.takers > li');
    expect(await takers.count()).toBeGreaterThan(2);
    await page.locator('.exposure-side .ant-segmented').getByText(say('地址', 'Addresses'), { exact: true }).click();
    await page.waitForURL((u) => u.searchParams.get('by') === 'client');
    await settled(page);
    await expect.poll(() => takers.first().textContent()).toMatch(/\d+\.\d+\.\d+\.\d+|:/);
  });

  flow('what requests carry is told apart from what answers give', {}, async ({ page }) => {
    await page.goto('/exposure?range=all');
    await settled(page);
    await page.getByText('Requests', { exact: true }).click();
    await page.waitForURL((u) => u.searchParams.get('in') === 'request');
    await settled(page);
    const cell = page.locator('button.cell').first();
    await cell.waitFor();
    expect(await cell.textContent()).toContain('in one request');
  });
});

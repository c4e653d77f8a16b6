import type { Page } from 'playwright-core';
import { describe, expect } from 'vitest';
import { accessible, both, flow, settled, withBrowser } from './harness';

withBrowser();

/** ask reads from the service what the page should show. */
export async function ask<T>(page: Page, path: string): Promise<T> {
  const r = await page.request.get(path);
  expect(r.status(), path).toBe(200);
  return (await r.json()) as T;
}

type Attack = { id: string; requests: number; kind: string; site: string; through: string[]; reasons: { observed: string; expected: string }[] };
type List<T> = { items: T[]; total: number };

/** foot waits until the line under the table tells so many. */
const foot = (page: Page, n: number) => expect.poll(() => page.locator('.table-foot').first().textContent(), { timeout: 20_000 }).toContain(new Intl.NumberFormat('en-GB').format(n));

describe('attacks', () => {
  both('facets narrow the alerts down to what they count', {}, async ({ page, say }) => {
    await page.goto('/attacks?range=all');
    await settled(page);
    const { total } = await ask<List<Attack>>(page, '/api/v1/attacks?limit=1');
    await foot(page, total);
    await page.getByRole('combobox', { name: say('攻击类型', 'Kind') }).click();
    const choice = page.locator('.facet-choice').first();
    await choice.waitFor();
    const count = Number(await choice.locator('.soft').textContent());
    expect(count).toBeGreaterThan(0);
    await choice.click();
    await page.waitForURL((u) => u.searchParams.getAll('kind').length === 1);
    const kind = new URL(page.url()).searchParams.get('kind')!;
    await page.keyboard.press('Escape');
    await foot(page, (await ask<List<Attack>>(page, `/api/v1/attacks?limit=1&kind=${kind}`)).total);
    expect((await ask<List<Attack>>(page, `/api/v1/attacks?limit=1&kind=${kind}`)).total).toBe(count);
    // Back at everything by one click.
    await page.getByRole('button', { name: say('清除筛选', 'Clear filters') }).click();
    await page.waitForURL((u) => !u.searchParams.has('kind'));
    await page.getByRole('button', { name: say('清除筛选', 'Clear filters') }).waitFor({ state: 'detached' });
    await foot(page, total);
    await accessible(page);
  });

  both('an attack shows what was seen beside what is ordinary', {}, async ({ page, say }) => {
    await page.goto('/attacks?range=all');
    await settled(page);
    // The oldest: what is under way changes while one looks.
    const first = (await ask<List<Attack>>(page, '/api/v1/attacks?sort=first_seen&order=asc&limit=1')).items[0]!;
    const reason = first.reasons.find((r) => /^\d+$/.test(r.observed) && /^\d+$/.test(r.expected));
    await page.goto(`/attacks?range=all&open=attack~${first.id}`);
    const drawer = page.getByRole('dialog');
    await drawer.getByText(say('各项证据：实测与正常', 'Evidence: what was seen, what is normal')).waitFor();
    await settled(page);
    if (reason) {
      const shown = await drawer.locator('.atk-reason-values').allTextContents();
      const of = (s: string) => new Intl.NumberFormat('en-GB').format(Number(s));
      expect(shown.some((s) => s.includes(of(reason.observed)) && s.includes(of(reason.expected)))).toBe(true);
    }
    expect(await drawer.locator('.atk-reason-weight').count()).toBe(first.reasons.length);
    await drawer.getByRole('tab', { name: say('如何拦住', 'How to stop it') }).click();
    await drawer.getByText(say('建议处置', 'Proposed')).waitFor();
    await drawer.getByRole('tab', { name: say('来源', 'Who') }).click();
    await drawer.locator('.chip-client').first().waitFor();
    await settled(page);
    await accessible(page);
  });

  flow('the selector of an attack goes to the clipboard', {}, async ({ page, context }) => {
    await context.grantPermissions(['clipboard-read', 'clipboard-write']);
    await page.goto('/attacks?range=all');
    const first = (await ask<List<Attack>>(page, '/api/v1/attacks?limit=1')).items[0]!;
    await page.goto(`/attacks?open=attack~${first.id}&tab=stop`);
    await page.getByRole('button', { name: 'Copy JSON' }).click();
    await page.getByText('Copied').waitFor();
    const copied = JSON.parse(await page.evaluate(() => navigator.clipboard.readText())) as { keys: object };
    const { selector } = await ask<{ selector: { keys: object } }>(page, `/api/v1/attacks/${first.id}`);
    expect(copied).toEqual(selector);
  });

  both('a chip filters and copies', {}, async ({ page, context, say }) => {
    await context.grantPermissions(['clipboard-read', 'clipboard-write']);
    await page.goto('/attacks?range=all');
    await settled(page);
    const chip = page.locator('.data-table .chip-site').first();
    const site = (await chip.textContent())!;
    await chip.click();
    await page.getByRole('menuitem', { name: say('复制', 'Copy') }).click();
    await page.getByText(say('已复制', 'Copied')).first().waitFor();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(site);
    await chip.click();
    await page.getByRole('menuitem', { name: say('只看它', 'Show only this') }).click();
    await page.waitForURL((u) => u.searchParams.get('site') === site);
    await foot(page, (await ask<List<Attack>>(page, `/api/v1/attacks?limit=1&site=${site}`)).total);
  });

  flow('the list is sorted by the service', {}, async ({ page }) => {
    await page.goto('/attacks?range=all');
    await settled(page);
    await page.locator('th', { hasText: 'Requests' }).click();
    await page.waitForURL((u) => u.searchParams.get('sort') === 'requests');
    const most = (await ask<List<Attack>>(page, '/api/v1/attacks?limit=1&sort=requests')).items[0]!;
    await expect.poll(() => page.locator('.data-table .row').first().textContent(), { timeout: 15_000 }).toContain(new Intl.NumberFormat('en-GB').format(most.requests));
    await page.keyboard.press('j');
    await page.keyboard.press('Enter');
    await page.waitForURL((u) => u.searchParams.get('open') === `attack~${most.id}`);
  });

  both('more requests come as one scrolls', {}, async ({ page, say }) => {
    await page.goto('/attacks/requests?range=30d');
    await settled(page);
    const line = page.locator('.table-foot').first();
    await expect.poll(() => line.textContent(), { timeout: 30_000 }).toContain(say('已载入 100 条', '100 loaded'));
    await page.locator('.ant-table-tbody-virtual-holder').hover();
    await expect
      .poll(async () => {
        await page.mouse.wheel(0, 5000);
        return Number(/\d+/.exec((await line.textContent()) ?? '')?.[0] ?? 0);
      }, { timeout: 60_000, interval: 400 })
      .toBeGreaterThanOrEqual(300);
    // Only what is seen is drawn.
    expect(await page.locator('.data-table .row').count()).toBeLessThan(80);
  });

  flow('a client is left out of the requests', {}, async ({ page }) => {
    await page.goto('/attacks/requests?range=30d');
    await settled(page);
    const chip = page.locator('.data-table .chip-client').first();
    await chip.waitFor();
    const address = (await chip.textContent())!;
    await chip.click();
    await page.getByRole('menuitem', { name: 'Leave this out' }).click();
    await page.waitForURL((u) => u.searchParams.get('not.client') === address);
    await page.getByRole('button', { name: `Remove filter without Client ${address}` }).waitFor();
    await settled(page);
    await expect.poll(async () => (await page.locator('.data-table .chip-client').allTextContents()).includes(address), { timeout: 20_000 }).toBe(false);
    await accessible(page);
  });

  flow('a condition that makes no sense is told where it is typed', {}, async ({ page }) => {
    await page.goto('/attacks/requests');
    await settled(page);
    await page.getByRole('button', { name: 'Add a condition' }).click();
    const value = page.getByRole('textbox', { name: 'Value' });
    await value.fill('not an address');
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    await page.getByRole('alert').filter({ hasText: 'An address or a network' }).waitFor();
    expect(await value.inputValue()).toBe('not an address');
    await value.fill('192.0.2.0/24');
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    await page.waitForURL((u) => u.searchParams.get('client') === '192.0.2.0/24');
  });

  both('a lost stream of events is told, and what was missed is read anew', {}, async ({ page, context, say }) => {
    // The stream is kept at hand, to be cut under the page as a proxy would.
    await page.addInitScript(() => {
      const Real = window.EventSource;
      window.EventSource = class extends Real {
        constructor(url: string | URL, init?: EventSourceInit) {
          super(url, init);
          (window as unknown as { stream: EventSource }).stream = this;
        }
      };
    });
    await page.goto('/attacks?range=all');
    await settled(page);
    await page.locator('.live-live').waitFor({ timeout: 20_000 });
    await context.route('**/api/v1/events', (r) => r.abort());
    await page.evaluate(() => {
      const { stream } = window as unknown as { stream: EventSource };
      stream.close();
      stream.dispatchEvent(new Event('error'));
    });
    await page.locator('.live-waiting').waitFor({ timeout: 20_000 });
    expect(await page.locator('.live-waiting').textContent()).toContain(say('连接中断', 'Connection lost'));
    expect(await page.locator('.data-table .row').count()).toBeGreaterThan(0); // what was there stays
    const anew = page.waitForResponse((r) => r.url().includes('/api/v1/attacks?') && r.ok(), { timeout: 90_000 });
    await context.unroute('**/api/v1/events');
    await page.locator('.live-live').waitFor({ timeout: 90_000 });
    await anew;
  });

  both('attacks can be read on a phone', { width: 390, height: 844 }, async ({ page, say }) => {
    for (const path of ['/attacks?range=all', '/attacks/campaigns', '/attacks/requests?range=30d']) {
      await page.goto(path);
      await settled(page);
      expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth), path).toBeLessThanOrEqual(0);
    }
    await page.goto('/attacks?range=all');
    await settled(page);
    await page.locator('.data-table .row').first().click();
    await page.getByRole('dialog').getByText(say('各项证据：实测与正常', 'Evidence: what was seen, what is normal')).waitFor();
  });
});

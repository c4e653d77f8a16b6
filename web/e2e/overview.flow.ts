import { afterAll, beforeAll, describe, expect } from 'vitest';
import type { Page } from 'playwright-core';
import { accessible, both, flow, settled, withBrowser } from './harness';
import { addPeople, start, type Person, type Role, type Running } from './service';

withBrowser();

type Overview = {
  from: string; to: string; seen: string;
  apis: { value: number }; new_apis: { value: number }; campaigns: { value: number }; defects: { value: number };
  rows: { requests: Record<'normal' | 'suspicious' | 'attack' | 'blocked', { value: number }>; traffic: { starts: string[] } };
  agenda: { kind: string; id: string }[];
};

const asks = (page: Page) => page.waitForResponse((r) => r.url().includes('/api/v1/overview?') && r.ok());
const read = async (page: Page, go: () => Promise<unknown>): Promise<Overview> => {
  const answer = asks(page);
  await go();
  return (await (await answer).json()) as Overview;
};
/** How many the list under a table says that there are. */
const total = (page: Page, at = '.table-foot') =>
  page.locator(at).first().evaluate((e) => {
    const all = [...(e.textContent ?? '').matchAll(/\d[\d,]*/g)].map((m) => Number(m[0].replaceAll(',', '')));
    return Math.max(...all);
  });

/** A period that is over, so that what the demo goes on with changes no figure. */
async function settledPeriod(page: Page) {
  const o = await read(page, () => page.goto('/?range=30d'));
  const to = new Date(Date.parse(o.to) - 3 * 3_600_000);
  to.setUTCMinutes(0, 0, 0);
  return `from=${new Date(to.getTime() - 7 * 86_400_000).toISOString()}&to=${to.toISOString()}`;
}

describe('the overview', () => {
  both('each figure leads to the list that shows the same number', {}, async ({ page, say }) => {
    const period = await settledPeriod(page);
    const o = await read(page, () => page.goto(`/?${period}`));
    await settled(page);
    const figures = page.getByRole('region', { name: say('关键指标', 'Key figures') });
    const follow = async (title: string, want: number, path: string, said?: string) => {
      await figures.getByRole('link', { name: title, exact: false }).first().click();
      await page.waitForURL((u) => u.pathname === path);
      await settled(page);
      if (want > 0) await expect.poll(() => total(page, said), { timeout: 15_000 }).toBe(want);
      await page.goBack();
      await figures.waitFor();
      await settled(page);
    };
    expect(o.apis.value).toBeGreaterThan(50);
    await follow(say('有流量的 API', 'that had traffic'), o.apis.value, '/inventory');
    await follow(say('未修复缺陷', 'Open defects'), o.defects.value, '/defects');
    await follow(say('活跃团伙战役', 'Active campaigns'), o.campaigns.value, '/attacks/campaigns', '.atk-list-bar [aria-live]');
    await figures.getByRole('link', { name: say('已拦截请求', 'Requests blocked') }).click();
    await page.waitForURL((u) => u.pathname === '/attacks/requests' && u.searchParams.getAll('outcome').includes('denied'));
  });

  both('dragging across the traffic chooses a period: URL and figures change, Back goes back', {}, async ({ page }) => {
    const period = await settledPeriod(page);
    const whole = await read(page, () => page.goto(`/?${period}`));
    await settled(page);
    const chart = page.locator('.traffic-card canvas').first();
    await chart.waitFor();
    await page.waitForTimeout(500);
    const box = (await chart.boundingBox())!;
    const part = await read(page, async () => {
      await page.mouse.move(box.x + box.width * 0.5, box.y + box.height * 0.6);
      await page.mouse.down();
      await page.mouse.move(box.x + box.width * 0.6, box.y + box.height * 0.6, { steps: 6 });
      await page.mouse.move(box.x + box.width * 0.7, box.y + box.height * 0.6, { steps: 6 });
      await page.mouse.up();
    });
    const at = new URL(page.url()).searchParams;
    expect([Date.parse(at.get('from')!) > Date.parse(whole.from), Date.parse(at.get('to')!) < Date.parse(whole.to)]).toEqual([true, true]);
    expect(Date.parse(part.to) - Date.parse(part.from)).toBeLessThan((Date.parse(whole.to) - Date.parse(whole.from)) / 2);
    expect(part.rows.requests.normal.value).toBeLessThan(whole.rows.requests.normal.value);
    await page.goBack();
    await page.waitForURL((u) => u.search.includes(encodeURIComponent(whole.from.slice(0, 13))) || u.searchParams.get('from') !== at.get('from'));
  });

  both('what to do first opens what it is about, and says why and how', {}, async ({ page, say }) => {
    const o = await read(page, () => page.goto('/'));
    await settled(page);
    const first = page.locator('.todo > li').first();
    expect(o.agenda.length).toBe(5);
    await first.getByText(say('怎么办', 'What to do')).waitFor();
    expect((await first.locator('.todo-why').textContent())!.length).toBeGreaterThan(20);
    await first.getByRole('button').first().click();
    await page.waitForURL((u) => u.searchParams.get('open') === `${o.agenda[0]!.kind === 'attack' ? 'attack' : 'defect'}~${o.agenda[0]!.id}`);
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Escape');
    await page.waitForURL((u) => !u.searchParams.has('open'));
  });

  both('says in one line whether attacks surge, and of what', {}, async ({ page, say }) => {
    const answer = async (surge: object) => {
      await page.route('**/api/v1/overview?*', async (route) => {
        const got = await route.fetch();
        const o = (await got.json()) as Record<string, never> & { rows: object };
        await route.fulfill({ response: got, json: { ...o, rows: { ...o.rows, surge } } });
      });
      await page.goto('/');
      await settled(page);
      await page.unroute('**/api/v1/overview?*');
    };
    const times = { from: '2026-11-27T05:45:00Z', to: '2026-11-27T06:00:00Z', reference_from: '2026-11-27T01:45:00Z' };
    await answer({ ...times, requests: 1200, reference: 30, ratio: 40, surge: true });
    const alarm = page.locator('.surging');
    await alarm.getByText(say('攻击流量激增', 'Attack traffic surges')).waitFor();
    expect(await alarm.textContent()).toContain(say('40 倍', '40 times'));
    await alarm.getByRole('link').click();
    await page.waitForURL((u) => u.pathname.startsWith('/attacks') && u.searchParams.get('from') === times.from);
    await answer({ ...times, requests: 12, reference: 10, ratio: 1.2, surge: false });
    expect(await page.locator('.calm').textContent()).toContain('12');
    expect(await alarm.count()).toBe(0);
  });

  both('hangs on a wall: nothing but what is seen, large, and Escape leaves', { width: 1920, height: 1080 }, async ({ page, say }) => {
    await page.goto('/?kiosk=1');
    await settled(page);
    expect(await page.locator('.sider, .header').count()).toBe(0);
    await page.locator('.wall-clock').waitFor();
    expect(await page.locator('.wall .kpi-value').first().evaluate((e) => parseFloat(getComputedStyle(e).fontSize))).toBeGreaterThanOrEqual(40);
    await accessible(page);
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: say('大屏', 'Wall display') }).waitFor();
  });

  flow('fits a phone', { width: 390, height: 844, lang: 'zh' }, async ({ page }) => {
    await page.goto('/?range=1y');
    await settled(page);
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
    await accessible(page);
  });
});

describe('an installation that has seen nothing', () => {
  let running: Running;
  let people: Record<Role, Person>;
  beforeAll(async () => {
    running = await start(['serve']);
    people = await addPeople(running.url, { name: 'first', password: 'a long password of the first' }, running.link);
  });
  afterAll(() => running?.stop());

  for (const lang of ['zh', 'en'] as const) {
    // The address is known only once it runs.
    const where = { lang, get url() { return running.url; }, get people() { return people; } };
    flow('teaches how traffic gets there, to be copied', where, async ({ page, context, say }) => {
      await context.grantPermissions(['clipboard-read', 'clipboard-write']);
      await page.goto('/');
      await settled(page);
      await page.getByRole('heading', { name: say('接入流量', 'Connect traffic') }).waitFor();
      await page.locator('.connect').getByText('Kafka', { exact: true }).click();
      await page.getByText('--kafka-topic').waitFor();
      await page.locator('.connect').getByRole('button', { name: say('复制', 'Copy') }).click();
      expect(await page.evaluate(() => navigator.clipboard.readText())).toContain('xiezhi serve');
      await page.reload();
      await page.getByText('--kafka-topic').waitFor(); // the way stands in the URL
      await accessible(page);
    });
  }
});

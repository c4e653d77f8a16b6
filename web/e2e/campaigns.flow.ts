import type { Page } from 'playwright-core';
import { describe, expect } from 'vitest';
import { accessible, both, flow, settled, withBrowser } from './harness';

withBrowser();

type Campaign = { id: string; name: string; links: { key: string; attacks: string[] }[]; through: string[]; attacks: string[]; targets: { site: string }[] };

/** aCampaign gives one that uses a defect and read people's data, with the most of them. */
async function aCampaign(page: Page): Promise<Campaign> {
  const r = await page.request.get('/api/v1/campaigns?limit=50&sort=subjects_exposed');
  const { items } = (await r.json()) as { items: Campaign[] };
  return items.find((c) => c.through.length > 0)!;
}

describe('campaigns', () => {
  both('a campaign leads to the defect that it uses and to the API', {}, async ({ page, say }) => {
    await page.goto('/attacks/campaigns?sort=subjects_exposed');
    await settled(page);
    const c = await aCampaign(page);
    await page.getByRole('link', { name: c.name, exact: true }).click();
    await page.waitForURL(`**/attacks/campaigns/${c.id}**`);
    await settled(page);
    const mend = page.locator('section.card', { has: page.getByRole('heading', { name: say('先修什么', 'What to mend first') }) });
    await mend.locator('.chip-defect').first().click();
    await page.getByRole('menuitem', { name: say('打开', 'Open') }).click();
    await page.waitForURL((u) => u.searchParams.get('open')?.startsWith('defect~') ?? false);
    expect(c.through).toContain(new URL(page.url()).searchParams.get('open')!.slice('defect~'.length));
    await page.goBack();
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
    await mend.locator('.chip-api').first().click();
    await page.getByRole('menuitem', { name: say('打开', 'Open') }).click();
    await page.waitForURL((u) => u.searchParams.get('open')?.startsWith('api~') ?? false);
  });

  both('a stretch of the lanes narrows the requests down', {}, async ({ page, say }) => {
    await page.goto('/attacks/campaigns');
    const c = await aCampaign(page);
    await page.goto(`/attacks/campaigns/${c.id}`);
    await settled(page);
    const chart = page.locator('section.card', { has: page.getByRole('heading', { name: say('时间线', 'Timeline'), exact: true }) }).locator('.chart');
    await chart.waitFor();
    const box = (await chart.boundingBox())!;
    const asked = page.waitForRequest((r) => r.url().includes('/api/v1/observations?') && r.url().includes('from='), { timeout: 30_000 });
    await page.mouse.move(box.x + box.width * 0.8, box.y + box.height / 2);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.85, box.y + box.height / 2, { steps: 4 });
    await page.mouse.move(box.x + box.width * 0.97, box.y + box.height / 2, { steps: 6 });
    await page.mouse.up();
    await page.waitForURL((u) => u.searchParams.has('from') && u.searchParams.has('to'));
    const u = new URL((await asked).url());
    expect(u.searchParams.get('finding')).toBe(c.id);
    expect(u.searchParams.get('from')).toBe(new URL(page.url()).searchParams.get('from'));
    await page.getByRole('button', { name: say('看全程', 'Whole course') }).click();
    await page.waitForURL((x) => !x.searchParams.has('from'));
  });

  both('the graph of links has a table for those who do not see it', {}, async ({ page, say }) => {
    await page.goto('/attacks/campaigns');
    const c = await aCampaign(page);
    await page.goto(`/attacks/campaigns/${c.id}`);
    await settled(page);
    const links = page.locator('section.card', { has: page.getByRole('heading', { name: say('为什么是同一团伙', 'Why it is one group') }) });
    expect(await links.locator('.chart').getAttribute('aria-label')).toContain(String(c.attacks.length));
    await links.getByText(say('表格', 'Table'), { exact: true }).click();
    await expect.poll(() => links.locator('tbody tr.ant-table-row').count()).toBe(c.links.length);
    await links.locator('.ant-table-row-expand-icon').first().click();
    await expect.poll(() => links.locator('.chip-attack').count()).toBe(Math.min(60, c.links[0]!.attacks.length));
    await accessible(page);
  });

  flow('a campaign can be printed', {}, async ({ page }) => {
    await page.goto('/attacks/campaigns');
    const c = await aCampaign(page);
    await page.goto(`/attacks/campaigns/${c.id}`);
    await settled(page);
    await page.emulateMedia({ media: 'print' });
    expect(await page.getByRole('heading', { level: 1 }).isVisible()).toBe(true);
    expect(await page.locator('.sider').isVisible()).toBe(false);
    expect(await page.getByRole('button', { name: 'Print' }).isVisible()).toBe(false);
    for (const t of c.targets) expect(await page.getByText(t.site).first().isVisible()).toBe(true);
  });

  flow('a campaign that is none says so and leads back', { lang: 'zh' }, async ({ page }) => {
    await page.goto('/attacks/campaigns/0000000000000000');
    await page.getByRole('alert').waitFor();
    await page.getByRole('link', { name: /全部团伙战役/ }).click();
    await page.waitForURL((u) => u.pathname === '/attacks/campaigns');
  });
});

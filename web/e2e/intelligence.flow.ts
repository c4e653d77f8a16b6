import { describe, expect } from 'vitest';
import { accessible, both, flow, settled, withBrowser } from './harness';

withBrowser();

type Attack = { id: string; kind: string; actors: { ips: string[]; networks?: { asn: number }[] } };

describe('intelligence', () => {
  both('an address that is searched for in the header leads to its attacks', {}, async ({ page, say }) => {
    await page.goto('/');
    await settled(page);
    const { items } = (await (await page.request.get('/api/v1/attacks?limit=1')).json()) as { items: Attack[] };
    const attack = items[0]!;
    const address = attack.actors.ips[0]!;
    await page.keyboard.press('/');
    await page.keyboard.type(address);
    await page.keyboard.press('Enter');
    await page.waitForURL((u) => u.pathname === '/intelligence' && u.searchParams.get('q') === address);
    await page.getByRole('heading', { name: new RegExp(address.replaceAll('.', '\\.')) }).waitFor({ timeout: 60_000 });
    const table = page.locator('section', { has: page.getByRole('heading', { name: say('涉及它的攻击', 'Attacks that name it') }) }).last();
    await table.locator('.as-link').first().click();
    await page.waitForURL((u) => u.searchParams.get('open')?.startsWith('attack~') ?? false);
    await page.getByRole('dialog').getByText(say('各项证据：实测与正常', 'Evidence: what was seen, what is normal')).waitFor();
  });

  both('unasked it shows who was most hostile, and says what is not there', {}, async ({ page, say }) => {
    await page.goto('/intelligence');
    await settled(page);
    await page.getByRole('heading', { name: say('近 30 天最活跃的敌对来源', 'The most active hostile sources of the last 30 days') }).waitFor();
    await page.getByText(say('未配置外部情报源', 'No feed is configured')).waitFor();
    await accessible(page);
    await page.locator('.chip-asn').first().click();
    await page.getByRole('menuitem', { name: say('打开', 'Open') }).click();
    await page.getByRole('dialog').getByText(say('涉及它的攻击', 'Attacks that name it')).waitFor({ timeout: 60_000 });
  });

  flow('the path of an API is found', {}, async ({ page }) => {
    await page.goto('/intelligence');
    const { items } = (await (await page.request.get('/api/v1/apis?limit=1')).json()) as { items: { id: string; template: string }[] };
    const box = page.locator('.intel-search input');
    await box.fill(items[0]!.template);
    await box.press('Enter');
    await page.locator('.intel-hit-list .as-link', { hasText: items[0]!.template }).first().click();
    await page.waitForURL((u) => u.searchParams.get('open')?.startsWith('api~') ?? false);
  });

  flow('what nobody knows says so, and hidden marks in it are shown', { lang: 'zh' }, async ({ page }) => {
    await page.goto(`/intelligence?${new URLSearchParams({ q: 'no-such-‮thing<b>' })}`);
    await page.getByText('没有找到').waitFor({ timeout: 30_000 });
    expect(await page.locator('.content b').count()).toBe(0);
    await accessible(page);
  });

  both('what people say of an address counts at once, and can be taken back', {}, async ({ page, say }) => {
    await page.goto(`/intelligence?${new URLSearchParams({ q: '45.9.1.7' })}`);
    const says = page.getByRole('region', { name: say('情报怎么说', 'What intelligence says') });
    await says.getByText(say('没有不利情报', 'nothing is known against it')).waitFor({ timeout: 60_000 });
    await says.getByRole('button', { name: say('标为敌意', 'Mark as hostile') }).click();
    const form = page.getByRole('dialog');
    await form.getByLabel(say('理由', 'Reason')).fill('seen in a fraud case');
    await form.getByRole('button', { name: say('确定', 'Mark'), exact: true }).click();
    await says.getByText(say('敌意明确，可单独据此处置', 'hostile: may be acted upon by itself')).waitFor();
    await accessible(page);
    await page.goto('/intelligence');
    const words = page.locator('section', { has: page.getByRole('heading', { name: say('人工标注', 'What people said') }) }).last();
    await words.getByRole('button', { name: say('撤回', 'Take back') }).first().click();
    await page.getByRole('textbox', { name: say('理由', 'Reason') }).fill('mistaken');
    await page.locator('.intel-retire').getByRole('button', { name: say('撤回', 'Take back') }).click();
    await words.getByText(say('已撤回：', 'taken back:')).first().waitFor();
  });
});

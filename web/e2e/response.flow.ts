import type { Page } from 'playwright-core';
import { describe, expect } from 'vitest';
import { accessible, both, flow, settled, withBrowser } from './harness';

withBrowser();

const editor = (page: Page, say: (zh: string, en: string) => string) => page.getByLabel(say('规则（YAML）', 'Rules (YAML)'));

const rule = (when: string) => `version: 1
rules:
  - id: flow-rule
    title: {zh: 流程, en: A flow}
    advice: {zh: 无, en: None}
    when: ${when}
    harm: high
`;

/** An entry of its own for each run, so that runs do not see each other's. */
const unique = () => `/flow-${Date.now().toString(36)}`;

describe('rules', () => {
  both('a complaint stands at its line, leads there, and goes when it is mended', {}, async ({ page, say }) => {
    await page.goto('/response/rules');
    const field = editor(page, say);
    await field.fill(rule('nothing.there'));
    const place = page.getByRole('button', { name: say('第 6 行', 'line 6') });
    await place.waitFor();
    await page.getByText("undeclared reference to 'nothing'").waitFor();
    expect(await page.locator('.code-lines .bad').textContent()).toBe('6');
    await place.click();
    const [at, text] = await field.evaluate((f: HTMLTextAreaElement) => [f.selectionStart, f.value] as const);
    expect(text.slice(at)).toMatch(/^nothing/);
    await accessible(page);
    await page.reload();
    await page.getByText("undeclared reference to 'nothing'").waitFor();
    expect(await field.inputValue()).toBe(rule('nothing.there'));
    await field.fill(rule('response.status == 200'));
    await page.getByText(say('可以编译：flow-rule', 'It compiles: flow-rule')).waitFor();
  });

  both('a dry run shows what a rule would meet, with samples that hold no values', {}, async ({ page, say }) => {
    await page.goto('/response/rules');
    await editor(page, say).fill(rule('response.status == 200'));
    await page.getByText(say('可以编译', 'It compiles')).waitFor();
    await page.getByRole('combobox', { name: say('时段', 'Period') }).click();
    await page.getByTitle(say('最近 7 天', 'last 7 days')).click();
    await page.getByRole('button', { name: say('开始试运行', 'Run it') }).click();
    await page.locator('.dry-run .card').getByText(say('会命中', 'Would match')).waitFor({ timeout: 60_000 });
    expect(await page.locator('.dry-run .bars li').count()).toBeGreaterThan(0);
    await page.getByText(say('最近的命中', 'Newest matches')).click();
    expect(await page.locator('.samples li').count()).toBeGreaterThan(0);
    await accessible(page);
  });
});

describe('the allow-list', () => {
  both('a public API is put on it with a view of what it covers, and ended with a reason', { role: 'responder' }, async ({ page, say }) => {
    const path = unique();
    await page.goto('/response/allow');
    await settled(page);
    await page.getByRole('button', { name: say('添加公开 API', 'Add a public API') }).click();
    const form = page.getByRole('dialog');
    await form.getByLabel(say('路径', 'Path')).fill('/**');
    await form.getByText(/(覆盖 \d+ 个|\d+ APIs, )/).waitFor();
    expect(await form.locator('.covered li').count()).toBeGreaterThan(3);
    await form.getByLabel(say('路径', 'Path')).fill(`${path}/{id}`);
    await form.getByText(say('没有匹配的 API', 'No API that is known matches')).waitFor();
    await accessible(page);
    await form.getByRole('button', { name: say('添加并生效', 'Add it') }).click();
    await form.getByText(say('请写明理由', 'Say why')).waitFor();
    await form.getByLabel(say('理由', 'Reason')).fill('the catalogue is public');
    await form.getByRole('button', { name: say('添加并生效', 'Add it') }).click();
    await form.waitFor({ state: 'hidden' });

    await page.getByText(`${path}/{id}`).click();
    const drawer = page.getByRole('dialog');
    await drawer.getByText(say('生效中', 'in force')).waitFor();
    await accessible(page);
    await drawer.getByRole('button', { name: say('撤销', 'End it'), exact: true }).click();
    await drawer.getByRole('textbox').fill('it was a flow');
    await drawer.getByRole('button', { name: say('确认撤销', 'End it now') }).click();
    await drawer.locator('.stage-ended').waitFor();
    await drawer.getByText('it was a flow').waitFor();

    await page.goto(`/response/decisions?q=${encodeURIComponent(path)}`);
    await page.locator('.stage-ended').waitFor();
  });

  both('what is wrong with an approval is told at its field, and nothing typed is lost', { role: 'responder' }, async ({ page, say }) => {
    const path = unique();
    await page.goto(`/response/allow?add=approval&template=${path}`);
    const form = page.getByRole('dialog');
    expect(await form.getByLabel(say('路径', 'Path')).inputValue()).toBe(path);
    await form.getByLabel(say('客户端地址或网段', 'Addresses or networks')).fill('not-a-network,');
    await form.getByLabel(say('理由', 'Reason')).fill('contract 7');
    await form.getByRole('button', { name: say('添加并生效', 'Add it') }).click();
    await form.locator('.ant-form-item-explain-error').first().waitFor();
    await page.reload();
    expect(await form.getByLabel(say('理由', 'Reason')).inputValue()).toBe('contract 7');
    await form.getByText('not-a-network').waitFor();
    await form.locator('.ant-select-selection-item-remove').first().click();
    await form.getByLabel(say('客户端地址或网段', 'Addresses or networks')).fill('192.0.2.0/24,');
    await form.getByRole('button', { name: say('添加并生效', 'Add it') }).click();
    await form.waitFor({ state: 'hidden' });
    await page.getByText(path).first().waitFor();
  });

  flow('who may not add is not offered to, not by a link either, and told why', { role: 'analyst' }, async ({ page }) => {
    await page.goto('/response/allow?add=public');
    await page.getByText('Adding and ending take the role responder').waitFor();
    expect(await page.getByRole('button', { name: /Add/ }).count()).toBe(0);
    expect(await page.getByRole('dialog').count()).toBe(0);
  });
});

both('proposed actions say that nothing is blocked, and hand out the selector', { role: 'viewer' }, async ({ page, context, say }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.goto('/response/actions?range=all');
  await page.getByText(say('这里只列出建议，不在此执行', 'These are proposals; nothing is carried out from this page')).waitFor();
  await page.locator('.data-table .row').first().click({ position: { x: 700, y: 12 } });
  const card = page.locator('.selector');
  await card.getByRole('button', { name: say('复制选择条件（JSON）', 'Copy the selector (JSON)') }).click();
  const copied = JSON.parse(await page.evaluate(() => navigator.clipboard.readText())) as { selector: { keys: object }; action: { kind: string } };
  expect(Object.keys(copied.selector.keys).length).toBeGreaterThan(0);
  expect(copied.action.kind).toMatch(/\w/);
  await accessible(page);
});

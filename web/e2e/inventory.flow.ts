import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { accessible, both, flow, settled, withBrowser, type Seat } from './harness';
import { addPeople, type Person, type Role } from './service';
import { feed, type Fed } from './traffic';

withBrowser();

const row = (page: Seat['page'], text: string) => page.locator('.data-table .row', { hasText: text });

describe('the inventory', () => {
  both('an API is found by its path and shows its structure', {}, async ({ page, say }) => {
    await page.goto('/inventory');
    await settled(page);
    await page.getByPlaceholder(say('路径、域名、名称…', 'Path, host, title…')).fill('activity/winners');
    await page.waitForURL(/q=activity/);
    await row(page, '/mall/activity/winners').click();
    const drawer = page.getByRole('dialog');
    await drawer.getByText(say('鉴权可选', 'optional credential')).first().waitFor();
    await accessible(page);
    await drawer.getByRole('tab', { name: say('结构', 'Structure') }).click();
    await drawer.getByText('phoneMask').waitFor();
    expect(new URL(page.url()).searchParams.get('tab')).toBe('structure');
    await accessible(page);
    await drawer.getByRole('tab', { name: say('样例', 'Samples') }).click();
    await drawer.locator('.data-table .row').first().waitFor();
    await page.reload(); // a link shows what was seen
    await page.getByRole('dialog').locator('.data-table .row').first().waitFor();
  });

  flow('views, sites and paths narrow the list, on the server', {}, async ({ page }) => {
    await page.goto('/inventory');
    await settled(page);
    await page.getByRole('tab', { name: /^No credential/ }).click();
    await page.waitForURL(/view=open/);
    await expect.poll(() => page.locator('.data-table .row .auth').allTextContents().then((x) => [...new Set(x)])).toEqual(['no credential']);
    await page.getByRole('tab', { name: /^All/ }).click();
    await page.locator('.site-tree').getByText('taohui', { exact: true }).click();
    await page.waitForURL(/site=taohui/);
    await page.locator('.site-tree').getByText('/mall', { exact: true }).click();
    await page.waitForURL(/path=%2Fmall%2F/);
    await expect.poll(() => page.locator('.data-table .path-cell').allTextContents().then((x) => x.length > 5 && x.every((p) => p.startsWith('/mall/')))).toBe(true);
  });

  flow('columns are chosen and stay', {}, async ({ page }) => {
    await page.goto('/inventory');
    await settled(page);
    await page.getByRole('button', { name: 'Columns' }).click();
    await page.getByRole('checkbox', { name: 'Host', exact: true }).check();
    await page.getByRole('checkbox', { name: 'Credential', exact: true }).uncheck();
    await page.reload();
    await settled(page);
    const heads = await page.locator('.data-table th').allTextContents();
    expect(heads).toContain('Host');
    expect(heads).not.toContain('Credential');
  });

  both('a new name shows at once, another takes its place and is taken back', { role: 'responder' }, async ({ page, say, lang }) => {
    const title = say('中奖名单', 'Winners of the draw');
    const path = lang === 'zh' ? '/mall/activity/winners' : '/mall/goods/list';
    await page.goto(`/inventory?q=${encodeURIComponent(path)}`);
    const rename = async (to: string) => {
      await row(page, path).first().click();
      await page.getByRole('button', { name: say('修正识别…', 'Correct…') }).click();
      const form = page.getByRole('dialog', { name: say('修正接口识别', 'Correct how the API is known') });
      await form.getByLabel(say('名称', 'Title'), { exact: true }).fill(to);
      await form.getByText(say(`显示为“${to}”`, `show “${to}”`)).waitFor(); // what it will do
      await form.getByLabel(say('理由', 'Reason')).fill('as the shop calls it');
      await form.getByRole('button', { name: say('确认', 'Confirm') }).click();
      return form;
    };
    await (await rename(title)).waitFor({ state: 'hidden' });
    const drawer = page.getByRole('dialog').first();
    await drawer.locator('.api-title', { hasText: title }).waitFor();
    await drawer.locator('.edit-line', { hasText: say('已生效', 'in effect') }).waitFor();
    await drawer.getByRole('button', { name: say('关闭', 'Close'), exact: true }).click();
    await page.locator('.path-title', { hasText: title }).waitFor();
    await (await rename(`${title} 2`)).waitFor({ state: 'hidden' });
    await drawer.locator('.api-title', { hasText: `${title} 2` }).waitFor();
    const line = drawer.locator('.edit-line', { hasText: say('已生效', 'in effect') });
    expect(await line.count()).toBe(1); // the former holds no more
    await line.getByRole('button', { name: say('撤销', 'Undo') }).click();
    const ask = page.getByRole('dialog', { name: say('撤销这项修正？', 'Undo this correction?') });
    await ask.getByLabel(say('理由', 'Reason')).fill('the shop calls it otherwise');
    await ask.getByRole('button', { name: say('撤销', 'Undo') }).click();
    await line.waitFor({ state: 'detached' });
    await drawer.getByRole('button', { name: say('关闭', 'Close'), exact: true }).click();
    await page.locator('.path-title', { hasText: title }).waitFor({ state: 'detached' });
  });

  both('a description is compared and shows a shadow API', {}, async ({ page, say }) => {
    await page.goto('/inventory?site=taohui&view=shadow');
    await settled(page);
    await page.getByRole('button', { name: say('导入 OpenAPI 并对比…', 'Import OpenAPI and compare…') }).click();
    const dialog = page.getByRole('dialog', { name: say('导入接口文档并与流量对比', 'Compare a description with the traffic') });
    const document = { openapi: '3.0.3', info: { title: 'shop', version: '1' }, paths: { '/mall/goods/list': { get: { responses: { 200: { description: 'ok' } } } }, '/mall/never/called': { get: { responses: { 200: { description: 'ok' } } } } } };
    await dialog.locator('input[type=file]').setInputFiles({ name: 'shop.json', mimeType: 'application/json', buffer: Buffer.from('{') });
    await dialog.getByRole('button', { name: say('对比', 'Compare'), exact: true }).click();
    await dialog.getByRole('alert').waitFor(); // what is no description is refused, in place
    await dialog.locator('input[type=file]').setInputFiles({ name: 'shop.json', mimeType: 'application/json', buffer: Buffer.from(JSON.stringify(document)) });
    await dialog.getByRole('button', { name: say('对比', 'Compare'), exact: true }).click();
    await dialog.getByText('/mall/activity/winners').first().waitFor();
    await dialog.getByText(say('孤儿接口 1', 'orphan 1')).click(); // described, never called
    await dialog.getByText('/mall/never/called').waitFor();
    await page.keyboard.press('Escape');
    await page.locator('.inventory-list .row', { hasText: '/mall/activity/winners' }).waitFor();
    expect(await page.locator('.inventory-list .row', { hasText: '/mall/goods/list' }).count()).toBe(0);
    await page.reload(); // it is kept by the service, not by the page
    await page.locator('.inventory-list .row', { hasText: '/mall/activity/winners' }).waitFor();
    await page.getByRole('button', { name: say('查看完整对比', 'See the whole comparison') }).click();
    await dialog.getByRole('button', { name: say('移除', 'Take out') }).click();
    await page.locator('.ant-popconfirm').getByRole('button', { name: say('移除', 'Take out') }).click();
    await dialog.locator('input[type=file]').waitFor({ state: 'attached' });
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: say('导入 OpenAPI 并对比…', 'Import OpenAPI and compare…') }).waitFor();
  });

  flow('what was learned of a site leaves as OpenAPI', {}, async ({ page }) => {
    await page.goto('/inventory?site=taohui');
    await settled(page);
    const get = async (form: string) => {
      await page.getByRole('button', { name: 'Descriptions' }).click();
      const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('menuitem', { name: form }).click()]);
      return readFileSync((await file.path())!, 'utf8');
    };
    const json = JSON.parse(await get('JSON')) as { openapi: string; paths: Record<string, unknown> };
    expect(json.openapi).toMatch(/^3\.1/);
    expect(Object.keys(json.paths)).toContain('/mall/goods/list');
    const yaml = await get('YAML');
    expect(yaml).toContain('"/mall/goods/list":');
  });

  flow('the list leaves as CSV, as it was narrowed', {}, async ({ page }) => {
    await page.goto('/inventory?site=taohui');
    await settled(page);
    const total = Number(/(\d+) in all/.exec((await page.locator('.table-foot').first().textContent())!)![1]);
    const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Export CSV' }).click()]);
    const text = readFileSync((await file.path())!, 'utf8');
    expect(text.startsWith('\ufeffMethod,Path,')).toBe(true);
    expect(text.trim().split('\r\n')).toHaveLength(total + 1);
  });

  flow('a viewer is offered no correction', { role: 'viewer', lang: 'zh' }, async ({ page }) => {
    await page.goto('/inventory?q=winners');
    await row(page, '/mall/activity/winners').click();
    await page.getByRole('dialog').locator('.api-head').waitFor();
    expect(await page.getByRole('button', { name: '修正识别…' }).count()).toBe(0);
  });
});

describe('an API that was split', () => {
  let fed: Fed;
  let people: Record<Role, Person>;
  beforeAll(async () => {
    fed = await feed();
    people = await addPeople(fed.url, { name: 'first-of-flows', password: 'a long password of the first' }, fed.link);
  });
  afterAll(async () => {
    await fed?.stop();
  });

  // An edit holds from when it was made: what follows has to come after it.
  const visit = (n: number, path: string, at = Date.now()) => ({ at: at + n * 10, path, client: `198.51.100.${1 + (n % 200)}`, bearer: `token-of-visitor-${n % 40}`, answer: { code: 0, data: { id: n, name: 'thing' } } });

  // The names of the service are its own, so the flow makes it when it runs.
  flow('stays split after a reload and after more traffic', { fresh: true, get url() { return fed.url; }, get people() { return people; } }, async ({ page }) => {
    const before = Date.now() - 600_000;
    const mixed = (from: number, n: number, at: number) => Array.from({ length: n }, (_, i) => visit(i, i % 4 ? `/api/items/${1000 + from + i}` : '/api/items/featured', at));
    await fed.send(mixed(0, 120, before));
    await page.goto('/inventory');
    const paths = async () => {
      await page.reload();
      await settled(page);
      return (await page.locator('.data-table .path-cell').allTextContents()).map((p) => p.replace(/\{.*\}/, '{}')).sort();
    };
    const apart = ['/api/items/featured', '/api/items/{}'];
    const form = page.getByRole('dialog', { name: 'Correct how the API is known' });
    const correct = async (path: string, what: string) => {
      await row(page, path).first().click();
      await page.getByRole('button', { name: 'Correct…' }).click();
      await form.getByText(what, { exact: true }).click();
    };
    const send = async (reason: string) => {
      await form.getByLabel('Reason').fill(reason);
      await form.getByRole('button', { name: 'Confirm' }).click();
      await form.waitFor({ state: 'hidden' });
      // An API that was merged is gone from its drawer, so the policy is asked.
      const state = async () => {
        const { items } = (await (await page.context().request.get('/api/v1/policy?kind=template&limit=100')).json()) as { items: { reason: string; state: string }[] };
        return items.find((e) => e.reason === reason)?.state;
      };
      await expect.poll(state, { timeout: 30_000 }).toBe('live');
      await page.keyboard.press('Escape');
    };
    await expect.poll(paths, { timeout: 60_000 }).toEqual(apart);

    await correct('/api/items/featured', 'Merge');
    await form.getByRole('radio', { name: 'featured' }).check();
    await form.getByLabel('Name of the parameter').fill('item_id');
    await form.locator('.joined li').nth(1).waitFor(); // both become one
    await send('an item like the others');
    await fed.send(mixed(200, 40, Date.now()));
    await expect.poll(paths, { timeout: 60_000 }).toEqual(['/api/items/{}']);

    await correct('/api/items/{', 'Split');
    await form.getByLabel('The fixed value').fill('7777');
    await form.getByText('Numbers and long ids', { exact: false }).waitFor();
    await form.getByLabel('The fixed value').fill('featured');
    await form.locator('.preview', { hasText: '/api/items/featured' }).waitFor();
    await send('a page of its own after all');
    await fed.send(mixed(300, 80, Date.now()));
    await expect.poll(paths, { timeout: 60_000 }).toEqual(apart);
    await fed.send(mixed(400, 400, Date.now())); // traffic does not undo what a person said
    await page.waitForTimeout(8000);
    expect(await paths()).toEqual(apart);
  });
});

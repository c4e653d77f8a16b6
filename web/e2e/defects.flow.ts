import { afterAll, beforeAll, describe, expect, inject } from 'vitest';
import { open as openBrowser, watch } from './browser.mjs';
import { accessible, both, flow, settled, theBrowser, withBrowser, type Seat } from './harness';
import { addPeople, type Person, type Role } from './service';
import { signIn } from './sign-in.mjs';
import { feed, type Fed, type Sent } from './traffic';

withBrowser();

const row = (page: Seat['page'], text: string) => page.locator('.data-table .row', { hasText: text });

/** verdict fills the form that says what defects are. */
async function verdict({ page, say }: Seat, kind: [string, string], reason: string) {
  const form = page.getByRole('dialog', { name: say('判定', 'Say what') });
  await form.getByText(say(...kind), { exact: true }).click();
  await form.getByLabel(say('理由', 'Reason')).fill(reason);
  await form.getByRole('button', { name: say('提交', 'Send') }).click();
  return form;
}

const falsePositive: [string, string] = ['误报', 'False positive'];

describe('defects', () => {
  both('a defect says why, what it cost and what to do, and goes into a ticket', {}, async ({ page, context, say }) => {
    await context.grantPermissions(['clipboard-read', 'clipboard-write']);
    await page.goto('/defects');
    await settled(page);
    await accessible(page);
    await page.goto('/defects?kind=bola');
    await row(page, '/zwfw/api/affairs/{order_id}').first().click();
    const panel = page.getByRole('dialog');
    await panel.getByRole('heading', { name: say('为什么是这个等级', 'Why this severity') }).waitFor();
    expect(await panel.locator('.axis p').allTextContents().then((x) => x.length === 3 && x.every((s) => s.length > 5))).toBe(true);
    expect(await panel.locator('.evidence-line.hot').count()).toBeGreaterThan(0);
    await accessible(page);
    await panel.getByRole('button', { name: say('复制为 curl（脱敏）', 'Copy as curl (redacted)') }).click();
    await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toMatch(/^curl -i 'https:\/\/[\w.-]+\/zwfw\/api\/affairs\/\{order_id\}'/);
    await panel.getByRole('button', { name: say('复制为工单', 'Copy as ticket') }).click();
    await page.getByRole('menuitem', { name: say('中文 Markdown', 'Markdown in English') }).click();
    await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toContain(say('## 要做的事', '## Task'));
  });

  both('classes and the OWASP list narrow the defects', {}, async ({ page, say }) => {
    await page.goto('/defects');
    await settled(page);
    const all = await page.locator('.table-foot').textContent();
    await page.locator('.groups').getByText(say('未授权访问', 'unauthorized access')).click();
    await page.waitForURL(/class=unauthorized_access/);
    await page.locator('.groups .group-kinds').getByText(say('水平越权', 'broken object level authorization')).click();
    await page.waitForURL(/kind=bola/);
    await expect.poll(() => page.locator('.table-foot').textContent()).not.toBe(all);
    await page.locator('.groups').getByText('OWASP', { exact: true }).click();
    await page.locator('.groups').getByText('API1', { exact: true }).click();
    await page.waitForURL(/owasp=API1/);
    await row(page, say('水平越权', 'broken object level authorization')).first().waitFor();
    expect(await row(page, say('JWT 签名密钥过弱', 'weak JWT secret')).count()).toBe(0);
  });

  both('a false positive takes a reason and can be undone', {}, async (seat) => {
    const { page, say } = seat;
    const name = say('JWT 签名密钥过弱', 'weak JWT secret');
    await page.goto('/defects?kind=jwt_weak_secret&view=all');
    await settled(page);
    await row(page, name).first().click();
    const panel = page.getByRole('dialog').first();
    await panel.getByRole('button', { name: say('判定…', 'Verdict…') }).click();
    const form = await verdict(seat, falsePositive, ' ');
    await form.getByText(say('请写明理由', 'Say why'), { exact: true }).waitFor(); // none is no reason
    await form.getByLabel(say('理由', 'Reason')).fill('the key is rotated before launch');
    await form.getByRole('button', { name: say('提交', 'Send') }).click();
    await form.waitFor({ state: 'hidden' });
    await expect.poll(() => panel.locator('.api-head .status').textContent(), { timeout: 40_000 }).toBe(say('误报', 'false positive'));
    const line = panel.locator('.edit-line', { hasText: 'the key is rotated before launch' }).first();
    await line.getByRole('button', { name: say('撤销', 'Undo') }).click();
    const undo = page.getByRole('dialog', { name: say('撤销这项修正？', 'Undo this correction?') });
    await undo.getByLabel(say('理由', 'Reason')).fill('it was not');
    await undo.getByRole('button', { name: say('撤销', 'Undo') }).click();
    await undo.waitFor({ state: 'hidden' });
    // The defect is what traffic shows again with the traffic that follows.
    await panel.locator('.edit-line', { hasText: 'it was not' }).first().getByText(say('已撤销', 'undone')).waitFor();
  });

  both('several defects are judged at once', { role: 'analyst' }, async (seat) => {
    const { page, say, lang } = seat;
    const kind = lang === 'zh' ? 'secret_in_url' : 'verbose_trace';
    await page.goto(`/defects?kind=${kind}`);
    await settled(page);
    const boxes = page.locator('.data-table .row input[type=checkbox]');
    const n = await boxes.count();
    expect(n).toBeGreaterThan(1);
    for (let i = 0; i < n; i++) await boxes.nth(i).check();
    await page.locator('.bulk').getByRole('button', { name: say('判定…', 'Verdict…') }).click();
    const form = await verdict(seat, ['确认', 'Confirmed'], 'seen by hand');
    await form.waitFor({ state: 'hidden' });
    expect(await page.locator('.bulk').count()).toBe(0);
    await row(page, '').first().click();
    await page.getByRole('dialog').locator('.edit-line', { hasText: 'seen by hand' }).waitFor();
  });

  both('a session that ends while one types loses nothing', { fresh: true, role: 'analyst' }, async ({ page, context, say }) => {
    await page.goto('/defects?kind=cors');
    await settled(page);
    await row(page, say('跨域配置过宽', 'permissive CORS')).first().click();
    await page.getByRole('dialog').first().getByRole('heading', { name: say('怎么改', 'What to do') }).waitFor();
    await page.keyboard.press('v');
    const form = page.getByRole('dialog', { name: say('判定缺陷', 'Say what the defect is') });
    await form.getByText(say('确认', 'Confirmed'), { exact: true }).click();
    await form.getByLabel(say('理由', 'Reason')).fill('only the campaign site');
    const csrf = ((await (await context.request.get('/api/v1/session')).json()) as { csrf: string }).csrf;
    await context.request.delete('/api/v1/session', { headers: { 'X-CSRF-Token': csrf } });
    // Whatever asks first, this form or what is behind it, has the password asked for.
    await form.getByRole('button', { name: say('提交', 'Send') }).click({ timeout: 3000 }).catch(() => {});
    const again = page.getByRole('dialog', { name: say('登录已过期', 'Your session is over') });
    await again.getByLabel(new RegExp(say('的密码', 'Password of'))).fill(inject('people').analyst.password);
    await again.getByRole('button', { name: say('继续', 'Go on') }).click();
    await again.waitFor({ state: 'hidden' });
    expect(await form.getByLabel(say('理由', 'Reason')).inputValue()).toBe('only the campaign site');
    await form.getByRole('button', { name: say('提交', 'Send') }).click();
    await form.waitFor({ state: 'hidden' });
    await page.getByRole('dialog').locator('.edit-line', { hasText: 'only the campaign site' }).first().waitFor();
  });

  flow('what somebody else was faster with is told, and nothing typed is lost', {}, async (seat) => {
    const { page } = seat;
    await page.goto('/defects?kind=api_docs');
    await settled(page);
    await row(page, 'exposed API documentation').first().click();
    const panel = page.getByRole('dialog').first();
    await panel.getByRole('button', { name: 'Verdict…' }).click();
    await (await verdict(seat, ['确认', 'Confirmed'], 'one of two')).waitFor({ state: 'hidden' });
    const line = panel.locator('.edit-line', { hasText: 'one of two' }).first();
    await line.getByRole('button', { name: 'Undo' }).click();
    const mine = page.getByRole('dialog', { name: 'Undo this correction?' });
    await mine.getByLabel('Reason').fill('typed while another was faster');

    const other = await openBrowser(theBrowser(), inject('url'), { lang: 'en' });
    const theirs = await other.newPage();
    const faults = watch(theirs);
    await signIn(theirs, inject('people').responder);
    await theirs.goto(page.url());
    await theirs.locator('.edit-line', { hasText: 'one of two' }).first().getByRole('button', { name: 'Undo' }).click();
    const form = theirs.getByRole('dialog', { name: 'Undo this correction?' });
    await form.getByLabel('Reason').fill('faster');
    await form.getByRole('button', { name: 'Undo' }).click();
    await form.waitFor({ state: 'hidden' });
    await other.close();
    expect(faults).toEqual([]);

    await mine.getByRole('button', { name: 'Undo' }).click();
    await mine.getByRole('alert').waitFor();
    expect(await mine.getByLabel('Reason').inputValue()).toBe('typed while another was faster');
    await mine.getByRole('button', { name: 'Load it again' }).click();
    await panel.locator('.edit-line', { hasText: 'faster' }).first().waitFor();
  });

  flow('keys move, judge and claim', { role: 'analyst' }, async ({ page }) => {
    await page.goto('/defects');
    await settled(page);
    await page.keyboard.press('j');
    await page.keyboard.press('j');
    const at = await page.locator('.row-at').textContent();
    await page.keyboard.press('v');
    const form = page.getByRole('dialog', { name: 'Say what the defect is' });
    await form.waitFor();
    expect(at).toContain(await form.locator('b').first().textContent());
    await form.getByRole('button', { name: 'Cancel' }).click();
    await form.waitFor({ state: 'hidden' });
    await page.keyboard.press('f');
    await page.getByRole('dialog', { name: 'Claim a fix' }).getByRole('button', { name: 'Cancel' }).click();
    await page.keyboard.press('Enter');
    await page.waitForURL(/open=defect/);
  });

  flow('a viewer reads and judges nothing', { role: 'viewer', lang: 'zh', width: 390, height: 844 }, async ({ page }) => {
    await page.goto('/defects?kind=bola');
    await settled(page);
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
    await row(page, '水平越权').first().click();
    const panel = page.getByRole('dialog').first();
    await panel.getByRole('heading', { name: '怎么改' }).waitFor();
    expect(await panel.getByRole('button', { name: '判定…' }).isDisabled()).toBe(true);
  });
});

describe('triage', () => {
  let fed: Fed;
  let people: Record<Role, Person>;
  beforeAll(async () => {
    fed = await feed();
    people = await addPeople(fed.url, { name: 'first-of-flows', password: 'a long password of the first' }, fed.link);
  });
  afterAll(async () => {
    await fed?.stop();
  });

  const day = 86_400_000;
  const begin = Math.floor((Date.now() - 30 * day) / day) * day;

  /** Days of an API that shows the hash of a password, or no longer does. */
  function days(from: number, to: number, flawed: boolean): Sent[] {
    const out: Sent[] = [];
    for (let d = from; d < to; d++) {
      for (let i = 0; i < 24; i++) {
        const n = (d * 7 + i) % 30;
        const data = { nickname: `visitor${n}`, level: n % 5, ...(flawed ? { passwordHash: `$2a$10$${String(n).padStart(2, '0')}N9qo8uLOickgx2ZMRZoMye1234567890abcdefghijklmnopqr`.slice(0, 60) } : {}) };
        out.push({ at: begin + d * day + i * 3_000_000, path: '/api/v1/member/me', client: `198.51.100.${10 + n}`, bearer: `session-token-of-visitor-${n}-0123456789`, answer: { code: 0, data } });
      }
    }
    return out;
  }

  flow('leads from a finding to a fix that traffic proved', { fresh: true, get url() { return fed.url; }, get people() { return people; } }, async ({ page }) => {
    await fed.send(days(0, 14, true));
    await page.goto('/defects');
    const found = row(page, 'secret in a response');
    await expect.poll(async () => (await page.reload(), await settled(page), await found.count()), { timeout: 60_000 }).toBe(1);
    await found.click();
    const panel = page.getByRole('dialog').first();
    await panel.getByRole('button', { name: 'Claim a fix…' }).click();
    const form = page.getByRole('dialog', { name: 'Claim a fix' });
    const released = new Date(begin + 14 * day + 8 * 3_600_000).toISOString(); // in the zone of the reader, UTC+8
    await form.getByLabel('Released at').fill(released.slice(0, 16).replace('T', ' '));
    await page.locator('.ant-picker-ok button').click();
    await form.getByLabel('Note (version, ticket)').fill('v2.4.1 leaves passwordHash out');
    await form.getByRole('button', { name: 'Send' }).click();
    await form.waitFor({ state: 'hidden' });

    await fed.send(days(14, 18, false));
    const state = () => panel.locator('.api-head .status').textContent();
    await expect.poll(async () => (await page.reload(), await state()), { timeout: 60_000 }).toBe('verifying the fix');
    await panel.locator('.proof', { hasText: 'days to go' }).waitFor(); // what is still needed
    await fed.send(days(18, 29, false));
    await expect.poll(async () => (await page.reload(), await state()), { timeout: 90_000 }).toBe('fixed');
    await page.goto('/defects?view=fixed');
    await row(page, 'secret in a response').waitFor();
  });
});

import { describe, expect } from 'vitest';
import { open, watch } from './browser.mjs';
import { accessible, both, flow, settled, theBrowser, withBrowser } from './harness';
import { signIn } from './sign-in.mjs';

withBrowser();

const unique = (what: string) => `${what}-${Date.now().toString(36)}`;

describe('people', () => {
  both('a user is made, signs in, may what the role may, and is shut out at once', {}, async ({ page, say, lang }) => {
    const name = unique('李雷');
    await page.goto('/settings/users');
    await settled(page);
    await page.getByRole('button', { name: say('新建用户', 'New user') }).click();
    const form = page.getByRole('dialog');
    await form.getByText(say('至少 12 个字符；', 'At least 12 characters;')).waitFor(); // told before anything is typed
    await form.getByLabel(say('用户名', 'Name')).fill(name);
    await form.getByLabel(say('密码', 'Password')).fill('password1234');
    await form.getByRole('button', { name: say('创建', 'Create') }).click();
    await form.getByText(say('太容易猜到', 'Too easy to guess')).waitFor();
    expect(await form.getByLabel(say('用户名', 'Name')).inputValue()).toBe(name);
    await accessible(page);
    await form.getByLabel(say('密码', 'Password')).fill('lantern orbit velvet 93');
    await form.getByRole('button', { name: say('创建', 'Create') }).click();
    await form.waitFor({ state: 'hidden' });
    const row = page.getByRole('row', { name });
    await row.waitFor();

    const theirs = await open(theBrowser(), new URL(page.url()).origin, { lang });
    try {
      const other = await theirs.newPage();
      const faults = watch(other);
      await signIn(other, { name, password: 'lantern orbit velvet 93' });
      await other.goto('/settings/users');
      await other.getByText(say('此页需要管理员', 'This page is for administrators')).waitFor();
      await other.getByText(say('您的角色是“查看者”', 'You are viewer')).waitFor();
      await row.getByRole('button', { name: say('停用', 'Disable') }).click();
      await page.locator('.ant-popconfirm').getByRole('button', { name: say('停用', 'Disable') }).click();
      await row.getByText(say('已停用', 'disabled')).waitFor();
      await other.goto('/inventory');
      await other.waitForURL((u) => u.pathname === '/login');
      expect(new URL(other.url()).searchParams.get('next')).toBe('/inventory');
      await other.locator('input[name=name]').fill(name);
      await other.locator('input[name=password]').fill('lantern orbit velvet 93');
      await other.locator('button').click();
      await other.getByText(say('账号已停用', 'This account is disabled')).waitFor();
      expect(faults).toEqual([]);
    } finally {
      await theirs.close();
    }
    await row.getByRole('button', { name: say('删除', 'Delete') }).click();
    await page.locator('.ant-popconfirm:visible').getByRole('button', { name: say('删除', 'Delete') }).click();
    await row.waitFor({ state: 'detached' });
  });

  flow('the last administrators cannot shut themselves out', {}, async ({ page, context }) => {
    const users = ((await (await context.request.get('/api/v1/users')).json()) as { items: { id: string; name: string; role: string; disabled: boolean }[] }).items;
    await page.goto('/settings/users');
    await settled(page);
    // What the service refuses is told on the page; the refusal itself is the API's test.
    await page.route('**/api/v1/users/*', (r) =>
      r.request().method() === 'PATCH'
        ? r.fulfill({ status: 409, contentType: 'application/problem+json', body: JSON.stringify({ type: 'urn:x', title: 'The last administrator', status: 409, code: 'last_administrator', detail: 'Make another first.' }) })
        : r.continue(),
    );
    await page.getByRole('combobox', { name: `Role of ${users[0]!.name}`, exact: true }).click();
    const other = users[0]!.role === 'viewer' ? 'analyst' : 'viewer';
    await page.locator('.ant-select-dropdown:visible').getByTitle(other).click();
    await page.getByRole('alert').getByText('Make another first.').waitFor();
  });
});

both('a token is shown once, works, and is refused once it is revoked', { role: 'analyst' }, async ({ page, context, say }) => {
  const name = unique('token');
  await page.goto('/settings/tokens');
  await settled(page);
  await page.getByRole('button', { name: say('新建令牌', 'New token') }).click();
  const form = page.getByRole('dialog');
  await form.getByLabel(say('用途', 'What it is for')).fill(name);
  await form.getByRole('combobox', { name: say('角色', 'Role') }).click();
  const offered = await page.locator('.ant-select-dropdown:visible .ant-select-item-option').allTextContents();
  expect(offered).toEqual(say('查看者,分析员', 'viewer,analyst').split(','));
  await page.keyboard.press('Escape');
  if (!(await form.isVisible())) throw new Error('Escape in the list closed the form');
  await form.getByRole('button', { name: say('创建', 'Create') }).click();
  const secret = (await form.locator('[data-secret]').textContent())!;
  expect(secret).toMatch(/^xz_[0-9a-f]{64}$/);
  await accessible(page);
  const ask = () => fetch(new URL('/api/v1/session', page.url()), { headers: { Authorization: `Bearer ${secret}` } });
  expect((await ask()).status).toBe(200);
  await form.getByRole('button', { name: say('关闭', 'Close') }).last().click();
  await page.getByRole('row', { name }).waitFor();
  expect(await page.content()).not.toContain(secret);
  expect(await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]))).not.toContain(secret);
  await page.getByRole('row', { name }).getByRole('button', { name: say('吊销', 'Revoke') }).click();
  await page.locator('.ant-popconfirm').getByRole('button', { name: say('吊销', 'Revoke') }).click();
  await page.getByRole('row', { name }).waitFor({ state: 'detached' });
  expect((await ask()).status).toBe(401);
  expect((await context.request.get('/api/v1/session')).status()).toBe(200);
});

both('the audit log shows who did what, leads to the decision, and is whole', {}, async ({ page, context, say }) => {
  const path = `/${unique('audit')}`;
  const csrf = ((await (await context.request.get('/api/v1/session')).json()) as { csrf: string }).csrf;
  const made = await context.request.post('/api/v1/policy/public', { headers: { 'X-CSRF-Token': csrf }, data: { template: path, reason: 'for the log' } });
  expect(made.status()).toBe(201);
  await page.goto('/settings/audit?action=policy');
  const row = page.locator('.data-table .row', { hasText: path });
  await row.getByText(say('作出决定', 'decided')).waitFor();
  await row.getByText(say('理由: for the log', 'reason: for the log')).waitFor();
  await page.getByRole('button', { name: say('校验全部日志', 'Verify the whole log') }).click();
  await page.getByText(say('日志完整', 'The log is whole')).waitFor();
  expect(await page.locator('.seal').textContent()).toMatch(/^[0-9a-f]{64}$/);
  await accessible(page);
  await row.getByText(say('作出决定', 'decided')).click();
  await page.getByRole('dialog').getByText(path).first().waitFor();
});

both('language, zone and appearance stay', { role: 'viewer' }, async ({ page, say }) => {
  await page.goto('/settings/account');
  await settled(page);
  await page.getByText(say('深色', 'Dark'), { exact: true }).click();
  await page.getByLabel(say('时区', 'Time zone')).fill('Asia/Tokyo');
  await page.keyboard.press('Enter');
  await page.getByText('UTC+9').waitFor();
  await page.getByText(say('English', '中文'), { exact: true }).last().click();
  await page.reload();
  await page.locator('h1', { hasText: say('Settings', '设置') }).waitFor();
  await page.getByText('UTC+9').waitFor();
  expect(await page.evaluate(() => document.documentElement.dataset.mode)).toBe('dark');
  await accessible(page);
});

flow('a setting that somebody else changed meanwhile is not overwritten', { fresh: true }, async ({ page, context }) => {
  await page.goto('/settings/retention');
  await settled(page);
  const set = async (value: string) => {
    const csrf = ((await (await context.request.get('/api/v1/session')).json()) as { csrf: string }).csrf;
    const all = ((await (await context.request.get('/api/v1/settings')).json()) as { items: { name: string; rev: number }[] }).items;
    const rev = all.find((s) => s.name === 'organisation.name')!.rev;
    expect((await context.request.put('/api/v1/settings/organisation.name', { headers: { 'X-CSRF-Token': csrf }, data: { rev, value } })).status()).toBe(200);
  };
  await set(unique('theirs'));
  const field = page.getByLabel('Name of the organisation');
  await field.fill('mine');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('alert').getByRole('button', { name: 'Load again' }).click();
  await expect.poll(() => field.inputValue()).toContain('theirs-');
  await field.fill('獬豸测试');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Saved').first().waitFor();
  await set('');
});

both('the own password is changed after the current one was given', { fresh: true }, async ({ page, context, say, lang }) => {
  const name = unique('pass');
  const old = 'lantern orbit velvet 93';
  const csrf = ((await (await context.request.get('/api/v1/session')).json()) as { csrf: string }).csrf;
  expect((await context.request.post('/api/v1/users', { headers: { 'X-CSRF-Token': csrf }, data: { name, role: 'viewer', password: old } })).status()).toBe(201);
  const theirs = await open(theBrowser(), new URL(page.url()).origin, { lang });
  try {
    const other = await theirs.newPage();
    await signIn(other, { name, password: old });
    await other.goto('/settings/account');
    const fill = async (current: string, next: string) => {
      await other.getByLabel(say('当前密码', 'Current password')).fill(current);
      await other.getByLabel(say('新密码', 'New password'), { exact: true }).fill(next);
      await other.getByLabel(say('再次输入新密码', 'New password again')).fill(next);
      await other.getByRole('button', { name: say('更改密码', 'Change the password') }).click();
    };
    await fill('not the password', 'saddle comet thirteen lakes');
    await other.getByText(say('当前密码不正确', 'The current password is wrong')).waitFor();
    await fill(old, 'saddle comet thirteen lakes');
    await other.getByText(say('密码已更改', 'The password was changed')).first().waitFor();
    await other.reload(); // this session goes on
    await other.locator('h1', { hasText: say('设置', 'Settings') }).waitFor();
  } finally {
    await theirs.close();
  }
});

both('health says in words what works and what needs attention', { role: 'viewer' }, async ({ page, say }) => {
  await page.goto('/settings/health');
  await page.getByText(/(一切正常|部分功能需要关注|Everything works|Something needs attention)/).waitFor();
  await page.getByRole('heading', { name: say('流量来源与传感器', 'Sources and sensors') }).waitFor();
  await page.getByText(/\d\/(秒|s)$/).first().waitFor({ timeout: 20_000 });
  await accessible(page);
});

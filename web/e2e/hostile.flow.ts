import { inflateRawSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { BrowserContext, Page, Route } from 'playwright-core';
import { open, watch, demoAdministrator } from './browser.mjs';
import { accessible, settled, theBrowser, withBrowser, type Lang } from './harness';
import { corpus, exchanges, hiddenMarks } from './hostile';
import { start, type Running } from './service';
import { signIn } from './sign-in.mjs';

withBrowser();

const screens = [
  '/', '/inventory', '/exposure', '/defects', '/attacks', '/attacks/campaigns', '/attacks/requests', '/intelligence',
  '/response/decisions', '/response/allow', '/response/rules', '/response/actions', '/reports',
  '/settings/health', '/settings/users', '/settings/tokens', '/settings/audit', '/settings/retention', '/settings/account', '/settings/about',
];

let running: Running;
let cookies: Awaited<ReturnType<BrowserContext['cookies']>>;
let first = true;

beforeAll(async () => {
  running = await start(['serve', '--listen', '127.0.0.1:0', '--hold', '1s']);
});
afterAll(async () => {
  await running?.stop();
});

type Seat = { page: Page; context: BrowserContext; faults: string[]; csrf: string };

/** seated walks as the administrator; faults are judged by the walk. */
async function seated(lang: Lang, walk: (s: Seat) => Promise<void>) {
  const context = await open(theBrowser(), running.url, { lang });
  try {
    const page = await context.newPage();
    const faults = watch(page);
    page.on('dialog', (d) => {
      faults.push(`dialog: ${d.message()}`);
      void d.dismiss();
    });
    if (first) {
      await signIn(page, demoAdministrator, running.link);
      cookies = await context.cookies();
      first = false;
    } else await context.addCookies(cookies);
    const { csrf } = (await (await context.request.get('/api/v1/session')).json()) as { csrf: string };
    await walk({ page, context, faults, csrf });
  } finally {
    await context.close();
  }
}

/** inspect looks for anything of a page that came to life. */
async function inspect(page: Page): Promise<string[]> {
  return page.evaluate((source) => {
    const hidden = new RegExp(source);
    const out: string[] = [];
    if ((window as unknown as { __ran?: number }).__ran) out.push('a script ran');
    for (const e of document.querySelectorAll('script')) if (!e.src.startsWith(location.origin)) out.push(`script: ${e.outerHTML.slice(0, 100)}`);
    for (const e of document.querySelectorAll('img[src="x"], iframe:not([src^="blob:"], [sandbox]), object, embed, svg[onload], [onerror], [onload], [onclick]')) out.push(`made: ${e.outerHTML.slice(0, 100)}`);
    for (const e of document.querySelectorAll('a[href]')) if (!/^(https?:|blob:|\/|#)/.test((e as HTMLAnchorElement).getAttribute('href')!)) out.push(`link: ${e.outerHTML.slice(0, 100)}`);
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT);
    for (let n = walk.nextNode(); n; n = walk.nextNode()) {
      if (n.nodeType === Node.TEXT_NODE) {
        if (hidden.test(n.nodeValue!) && !(n.parentElement as HTMLElement).closest('textarea, style')) out.push(`hidden in: ${JSON.stringify(n.nodeValue!.slice(0, 80))}`);
      } else {
        for (const a of (n as Element).attributes) if (['title', 'aria-label', 'alt', 'placeholder'].includes(a.name) && hidden.test(a.value)) out.push(`hidden in ${a.name}: ${JSON.stringify(a.value.slice(0, 80))}`);
      }
    }
    if (hidden.test(document.title)) out.push('hidden in the title');
    return [...new Set(out)];
  }, hiddenMarks.source);
}

describe('no data at all', () => {
  for (const lang of ['zh', 'en'] as const) {
    test(`every screen teaches (${lang})`, () =>
      seated(lang, async ({ page, faults }) => {
        for (const path of screens) {
          await page.goto(path);
          await settled(page);
          await page.locator('h1').first().waitFor();
          expect([path, await page.locator('.trouble').allTextContents()]).toEqual([path, []]);
          const text = (await page.locator('#content').textContent()) ?? '';
          expect([path, text.length > 20]).toEqual([path, true]);
          try {
            await accessible(page);
          } catch (e) {
            throw new Error(`${path}: ${(e as Error).message} ${JSON.stringify((e as { actual?: unknown }).actual)}`);
          }
        }
        expect(faults).toEqual([]);
      }));
  }
});

const lists = ['apis', 'defects', 'attacks', 'campaigns'] as const;
const places = { apis: ['/inventory', 'api'], defects: ['/defects', 'defect'], attacks: ['/attacks', 'attack'], campaigns: ['/attacks/campaigns', 'campaign'] } as const;

describe('names that are chosen to do harm', () => {
  beforeAll(async () => {
    await running.until(/listening on (http:\S+)/);
    const collector = /listening on (http:\S+)/.exec(running.said())![1]!;
    const sent = await fetch(`${collector}/v1/harl`, { method: 'POST', body: exchanges(Date.now()) });
    const told = (await sent.json()) as { accepted: number; rejected: unknown[] };
    expect([sent.status, told.rejected]).toEqual([200, []]);
    expect(told.accepted).toBeGreaterThan(1000);
    await seated('en', async ({ context, csrf }) => {
      const found = async () => ((await (await context.request.get('/api/v1/defects')).json()) as { items: unknown[] }).items.length;
      for (const end = Date.now() + 90_000; (await found()) === 0; ) {
        if (Date.now() > end) throw new Error('nothing was found in hostile traffic');
        await new Promise((r) => setTimeout(r, 1000));
      }
      const send = (path: string, data: object) => context.request.post(path, { headers: { 'X-CSRF-Token': csrf }, data });
      const defects = ((await (await context.request.get('/api/v1/defects?limit=50')).json()) as { items: { id: string }[] }).items;
      for (const [i, word] of corpus.entries()) {
        // A text that is refused is not shown; most are taken.
        await send('/api/v1/policy/public', { template: `/p${i}/**`, reason: word });
        await send('/api/v1/policy/approvals', { approval: 'partner', template: '/q/**', reason: word });
        await send('/api/v1/tokens', { name: word.slice(0, 100), role: 'viewer', days: 3 });
        await send('/api/v1/templates', { edit: 'rename', method: 'POST', template: `/w${i}/save`, title: word.slice(0, 60), reason: word });
        const d = defects[i % Math.max(1, defects.length)];
        if (d) await send(`/api/v1/defects/${d.id}/verdict`, { verdict: 'confirmed', reason: word });
      }
    });
  }, 240_000);

  for (const lang of ['zh', 'en'] as const) {
    test(`nothing of them comes to life on any screen, and what hides is named (${lang})`, { timeout: 240_000 }, () =>
      seated(lang, async ({ page, faults }) => {
        let marks = 0;
        for (const path of screens) {
          await page.goto(path);
          await settled(page);
          expect([path, await inspect(page)]).toEqual([path, []]);
          marks += await page.locator('.hidden-mark').count();
        }
        expect(marks).toBeGreaterThan(0);
        for (const word of corpus) {
          await page.goto(`/intelligence?q=${encodeURIComponent(word)}`);
          await settled(page);
          expect([word, await inspect(page)]).toEqual([word, []]);
        }
        expect(faults).toEqual([]);
      }));
  }

  test('nor in any drawer, on any of its tabs', { timeout: 300_000 }, () =>
    seated('en', async ({ page, context, faults }) => {
      let looked = 0;
      for (const list of lists) {
        const all = ((await (await context.request.get(`/api/v1/${list}?limit=200`)).json()) as { items: { id: string }[] }).items;
        const [path, kind] = places[list];
        const step = Math.max(1, Math.ceil(all.length / 8));
        for (const item of all.filter((_, i) => i % step === 0)) {
          await page.goto(`${path}?open=${kind}~${encodeURIComponent(item.id)}`);
          await settled(page);
          const tabs = page.locator('.ant-drawer [role=tab]');
          const n = await tabs.count();
          for (let i = 0; i < Math.max(1, n); i++) {
            if (n > 0) {
              await tabs.nth(i).click();
              await settled(page);
            }
            expect([item.id, i, await inspect(page)]).toEqual([item.id, i, []]);
            looked++;
          }
        }
      }
      const decisions = ((await (await context.request.get('/api/v1/policy?limit=100')).json()) as { items: { id: string }[] }).items;
      expect(decisions.length).toBeGreaterThan(20);
      for (const d of decisions.filter((_, i) => i % 5 === 0)) {
        await page.goto(`/response/decisions?open=decision~${d.id}`);
        await settled(page);
        expect([d.id, await inspect(page)]).toEqual([d.id, []]);
        looked++;
      }
      expect(looked).toBeGreaterThan(20);
      expect(faults).toEqual([]);
    }));

  test('nor in rules that are written, nor in a workbook', () =>
    seated('en', async ({ page, context, faults }) => {
      await page.goto('/response/rules');
      for (const word of corpus) {
        await page.getByLabel('Rules (YAML)').fill(`version: 1\nrules:\n  - id: ${JSON.stringify(word)}\n    when: ${JSON.stringify(word)}\n`);
        await page.locator('.complaints li').first().waitFor();
        expect([word, await inspect(page)]).toEqual([word, []]);
      }
      expect(faults).toEqual([]);
      const sheet = await context.request.get('/api/v1/report?format=xlsx');
      expect(sheet.status()).toBe(200);
      const parts = unzip(await sheet.body());
      expect(parts.size).toBeGreaterThan(3);
      for (const [name, text] of parts) {
        if (!/worksheets\/[^/]+\.xml$|sharedStrings\.xml$/.test(name)) continue;
        expect([name, /<f[ >]/.test(text)]).toEqual([name, false]); // no formula
        expect([name, hiddenMarks.test(text)]).toEqual([name, false]);
      }
    }));
});

/** unzip reads what a workbook holds. */
function unzip(zip: Buffer): Map<string, string> {
  const out = new Map<string, string>();
  let end = zip.length - 22;
  while (end > 0 && zip.readUInt32LE(end) !== 0x06054b50) end--;
  let at = zip.readUInt32LE(end + 16);
  for (let n = zip.readUInt16LE(end + 10); n > 0; n--) {
    const method = zip.readUInt16LE(at + 10);
    const size = zip.readUInt32LE(at + 20);
    const [name, extra, comment] = [zip.readUInt16LE(at + 28), zip.readUInt16LE(at + 30), zip.readUInt16LE(at + 32)];
    const local = zip.readUInt32LE(at + 42);
    const from = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
    const data = zip.subarray(from, from + size);
    out.set(zip.toString('utf8', at + 46, at + 46 + name), (method === 8 ? inflateRawSync(data) : data).toString('utf8'));
    at += 46 + name + extra + comment;
  }
  return out;
}

/** Ways in which an API can fail, and whether a page has to name the trouble in the words of the console. */
const problem = (status: number) => (r: Route) =>
  r.fulfill({ status, contentType: 'application/problem+json', headers: status === 429 ? { 'Retry-After': '1' } : {}, body: JSON.stringify({ type: 'urn:x', title: `Trouble ${status}`, status, code: 'x', detail: 'Do this.' }) });

const failures: Record<string, (r: Route) => Promise<void>> = {
  '403': problem(403),
  '409': problem(409),
  '429': problem(429),
  '500': problem(500),
  'a page of a proxy': (r) => r.fulfill({ status: 502, contentType: 'text/html', body: '<html><script>window.__ran=1</script>Bad gateway</html>' }),
  garbage: (r) => r.fulfill({ status: 200, contentType: 'application/json', body: '{"items":[{"id' }),
  'another shape': (r) => r.fulfill({ status: 200, contentType: 'application/json', body: '{"surprise":[1,2,3]}' }),
  'an empty answer': (r) => r.fulfill({ status: 200, contentType: 'application/json', body: '' }),
  'no answer': (r) => r.abort('connectionrefused'),
};

/** Screens that show nothing but what the API gives; one of each that is made alike. */
const asking = ['/', '/inventory', '/exposure', '/defects', '/attacks', '/attacks/requests', '/response/decisions', '/response/actions', '/settings/health', '/settings/users', '/settings/audit'];

describe('an API in trouble', () => {
  for (const [what, fail] of Object.entries(failures)) {
    test(`${what}: no white page, and a sentence that says what to do`, { timeout: 240_000 }, () =>
      seated(what.length % 2 ? 'zh' : 'en', async ({ page }) => {
        await page.route(/\/api\/v1\/(?!session|events|setup)/, fail);
        for (const path of asking) {
          await page.goto(path);
          await page.waitForFunction(() => !document.querySelector('.page-loading'), undefined, { timeout: 15_000 });
          await page.locator('nav').first().waitFor(); // the frame stays: one gets elsewhere
          // Where the shape is another, a page may take it for nothing and teach; else the trouble is told.
          const told = page.getByRole('alert').or(page.locator('.teach, .ant-alert')).or(page.locator(what === 'another shape' ? '#content h1' : '.ant-result'));
          try {
            await told.first().waitFor({ timeout: 15_000 });
          } catch {
            throw new Error(`${path} says nothing: ${(await page.locator('#content').textContent())?.slice(0, 300)}`);
          }
          expect(((await page.locator('#content').textContent()) ?? '').length).toBeGreaterThan(20);
          expect([path, await page.evaluate(() => (window as unknown as { __ran?: number }).__ran)]).toEqual([path, undefined]);
        }
      }));
  }

  test('it comes back: the page goes on when one tries again', () =>
    seated('en', async ({ page }) => {
      let down = true;
      await page.route(/\/api\/v1\/status/, (r) => (down ? problem(500)(r) : r.continue()));
      await page.goto('/settings/health');
      await page.getByRole('alert').getByText('Do this.').waitFor({ timeout: 20_000 });
      down = false;
      await page.getByRole('button', { name: 'Try again' }).click();
      await page.getByRole('heading', { name: 'Sources and sensors' }).waitFor();
    }));

  test('the stream of events drops: it is said, the page works, and it comes back', () =>
    seated('en', async ({ page }) => {
      let down = true;
      await page.route('**/api/v1/events', (r) => (down ? r.abort() : r.continue()));
      await page.goto('/inventory');
      await page.locator('.live-waiting').waitFor();
      await page.getByText('Connection lost').first().waitFor();
      await page.locator('h1').first().waitFor();
      down = false;
      await page.locator('.live-live').waitFor({ timeout: 60_000 });
    }));
});

describe('the clock of who looks', () => {
  for (const [hours, lang] of [[1, 'en'], [-1, 'zh']] as const) {
    test(`is ${hours} h off: ages are right all the same, and it is said (${lang})`, () =>
      seated(lang, async ({ page }) => {
        await page.clock.setFixedTime(Date.now() + hours * 3_600_000);
        await page.goto('/settings/about');
        await page.getByText(lang === 'en' ? /clock of your computer is 1 h off/ : /您的电脑时钟与服务器相差 1 小时/).waitFor();
        await page.locator('time').first().hover();
        const said = (await page.getByRole('tooltip').textContent())!;
        expect(said).toMatch(lang === 'en' ? /· (just now|\d+(\.\d)? (s|min) ago)$/ : /· (刚刚|\d+(\.\d)? (秒|分钟)前)$/);
      }));
  }
});

// FLOW_APIS=100000 goes through as many as a site may have, in some minutes.
const many = Number(process.env.FLOW_APIS ?? 10_000);

test('very many APIs: the first rows come at once, and one scrolls to the last', { timeout: 300_000 }, () =>
  seated('en', async ({ page, faults }) => {
    const total = many;
    const one = ((await (await page.context().request.get('/api/v1/apis?limit=1')).json()) as { items: Record<string, unknown>[] }).items[0]!;
    expect(one).toBeDefined();
    await page.route(/\/api\/v1\/apis\?/, (r) => {
      const q = new URL(r.request().url()).searchParams;
      const from = Number(q.get('cursor') ?? 0);
      const limit = Number(q.get('limit') ?? 100);
      const items = Array.from({ length: Math.min(limit, total - from) }, (_, i) => ({ ...one, id: `a${from + i}`, template: `/generated/${from + i}` }));
      return r.fulfill({ contentType: 'application/json', body: JSON.stringify({ items, next: from + limit < total ? String(from + limit) : undefined, total }) });
    });
    await page.goto('/defects');
    await settled(page);
    const begun = Date.now();
    await page.goto('/inventory');
    await page.getByText('/generated/0', { exact: true }).waitFor();
    const firstRows = Date.now() - begun;
    await page.evaluate(() => {
      const w = window as unknown as { __long: number };
      w.__long = 0;
      new PerformanceObserver((l) => l.getEntries().forEach((e) => (w.__long = Math.max(w.__long, e.duration)))).observe({ entryTypes: ['longtask'] });
    });
    const body = page.locator('.data-table .ant-table-tbody-virtual-holder, .data-table .ant-table-body').first();
    const scrolling = Date.now();
    const last = page.getByText(`/generated/${total - 1}`, { exact: true });
    while ((await last.count()) === 0 && Date.now() - scrolling < 240_000) {
      await body.evaluate((e) => {
        e.scrollTop = e.scrollHeight;
      });
      await page.waitForTimeout(15);
    }
    await last.waitFor();
    const longest = await page.evaluate(() => (window as unknown as { __long: number }).__long);
    console.log(`${total} APIs: first rows after ${firstRows} ms, the last after ${Math.round((Date.now() - scrolling) / 1000)} s of scrolling, longest task ${Math.round(longest)} ms`);
    expect(await page.locator('.data-table .row').count()).toBeLessThan(200); // only what is seen is drawn
    expect(longest).toBeLessThan(5000);
    expect(faults).toEqual([]);
  }));

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { launch, open, watch } from './browser.mjs';
import { signIn } from './sign-in.mjs';
import type { Person, Role } from './service';

export type Lang = 'zh' | 'en';

export type Seat = {
  page: Page;
  context: BrowserContext;
  /** What must not happen and did; a flow that provokes something takes it out. */
  faults: string[];
  lang: Lang;
  /** say picks the text of the language that the flow runs in. */
  say: (zh: string, en: string) => string;
};

let browser: Browser;

/** Every file of flows calls this once, at its top. */
export function withBrowser() {
  beforeAll(async () => {
    browser = await launch();
  });
  afterAll(async () => {
    await browser?.close();
  });
}

export const theBrowser = () => browser;

/** Sessions are kept per person and language, so that a flow needs no sign-in of its own. */
const states = new Map<string, Awaited<ReturnType<BrowserContext['storageState']>>>();

export type Where = { role?: Role; lang?: Lang; mode?: 'light' | 'dark'; width?: number; height?: number; url?: string; people?: Record<Role, Person>; fresh?: boolean; may?: readonly RegExp[] };

/**
 * flow is one thing that a person does, in one language, from signed in to done.
 * Errors of the page and breaches of the policy fail it; may names those that it
 * provokes.
 */
export function flow(name: string, where: Where, walk: (seat: Seat) => Promise<void>) {
  const lang = where.lang ?? 'en';
  test(`${name} (${lang}${where.role && where.role !== 'administrator' ? `, ${where.role}` : ''})`, async () => {
    const url = where.url ?? inject('url');
    const person = (where.people ?? inject('people'))[where.role ?? 'administrator'];
    const key = `${url} ${person.name}`;
    const context = await open(browser, url, { lang, mode: where.mode, width: where.width, height: where.height });
    try {
      const page = await context.newPage();
      const faults = watch(page);
      const state = where.fresh ? undefined : states.get(key);
      if (state) await context.addCookies(state.cookies);
      else {
        await signIn(page, person);
        if (!where.fresh) states.set(key, await context.storageState());
      }
      await walk({ page, context, faults, lang, say: (zh, en) => (lang === 'zh' ? zh : en) });
      expect(faults.filter((f) => !where.may?.some((m) => m.test(f)))).toEqual([]);
    } catch (e) {
      const shots = process.env.FLOW_SHOTS;
      const page = context.pages()[0];
      if (shots && page) await page.screenshot({ path: `${shots}/${name.replace(/\W+/g, '-')}-${lang}.png` });
      throw e;
    } finally {
      // An answer that a flow meant to change may still be on its way.
      await Promise.all(context.pages().map((p) => p.unrouteAll({ behavior: 'ignoreErrors' })));
      await context.close();
    }
  });
}

/** both runs a flow in both languages. */
export function both(name: string, where: Omit<Where, 'lang'>, walk: (seat: Seat) => Promise<void>) {
  flow(name, { ...where, lang: 'zh' }, walk);
  flow(name, { ...where, lang: 'en' }, walk);
}

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

type Violation = { id: string; impact: string | null; help: string; nodes: { target: unknown[]; failureSummary?: string }[] };

/** accessible checks what is on the screen against WCAG 2.2 A and AA. */
export async function accessible(page: Page) {
  // Evaluated by the driver, which the page's policy does not concern.
  await page.evaluate(axe);
  const found = (await page.evaluate(async () => {
    // @ts-expect-error axe was put there above
    const r = await window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'], resultTypes: ['violations'] });
    return r.violations;
  })) as Violation[];
  expect(found.map((v) => `${v.id}: ${v.help}: ${v.nodes.slice(0, 3).map((n) => n.target.join(' ')).join(' | ')}`)).toEqual([]);
}

/** settled waits until a page shows what it asked for. */
export async function settled(page: Page) {
  await page.waitForFunction(() => !document.querySelector('.ant-skeleton-active, .ant-spin-spinning, .page-loading'), undefined, { timeout: 30_000 });
  await page.waitForTimeout(150);
}

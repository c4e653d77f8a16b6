import { chromium } from 'playwright-core';

/** @import { Browser, BrowserContext, Page } from 'playwright-core' */

/** Where Debian and others put the browser; CHROMIUM names another. */
export const executable = process.env.CHROMIUM ?? '/usr/bin/chromium';

/** Who the flows are where there is nobody yet. */
export const demoAdministrator = { name: 'admin', password: 'correct horse battery staple' };

/**
 * launch starts a browser that talks to nothing but what the flows ask for.
 * @returns {Promise<Browser>}
 */
export const launch = () =>
  chromium.launch({
    executablePath: executable,
    args: [
      ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
      '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync',
      '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
    ],
  });

/** @typedef {{ lang: 'zh' | 'en', mode?: 'light' | 'dark', width?: number, height?: number, zone?: string }} Look */

/**
 * open gives a fresh browser profile that prefers a language and a mode.
 * @param {Browser} browser
 * @param {string} url
 * @param {Look} look
 * @returns {Promise<BrowserContext>}
 */
export async function open(browser, url, look) {
  return browser.newContext({
    baseURL: url,
    locale: look.lang === 'zh' ? 'zh-CN' : 'en-GB',
    colorScheme: look.mode ?? 'light',
    timezoneId: look.zone ?? 'Asia/Shanghai',
    viewport: { width: look.width ?? 1440, height: look.height ?? 900 },
    reducedMotion: 'reduce',
  });
}

/**
 * watch collects what must not happen on any page: errors and breaches of the policy.
 * @param {Page} page
 */
export function watch(page) {
  /** @type {string[]} */
  const faults = [];
  page.on('pageerror', (e) => faults.push(`page error: ${e.message}`));
  page.on('console', (m) => {
    if (m.type() !== 'error' && !/Content Security Policy|Warning: \[antd/.test(m.text())) return;
    if (/Failed to load resource/.test(m.text())) return; // said by the status of the answer, which flows provoke
    faults.push(`console ${m.type()}: ${m.text()}`);
  });
  return faults;
}

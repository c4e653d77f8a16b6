import { readFileSync } from 'node:fs';
import { describe, expect } from 'vitest';
import type { Page } from 'playwright-core';
import { accessible, both, flow, settled, withBrowser } from './harness';

withBrowser();

/** The last month that is over. */
async function lastMonth(page: Page): Promise<string> {
  const days = (await (await page.context().request.get('/api/v1/observations/days')).json()) as { days: { day: string }[] };
  const last = days.days.at(-1)!.day;
  const d = new Date(`${last.slice(0, 7)}-01T00:00:00Z`);
  d.setUTCMonth(d.getUTCMonth() - 1);
  return d.toISOString().slice(0, 7);
}

type Report = { statistics: { attacked_apis_by_month: Record<string, number> }; attacks: unknown[]; apis: unknown[] };

describe('reports', () => {
  both('a month is previewed with its styles and prints to PDF with its figures', {}, async ({ page, lang, say, context }) => {
    const month = await lastMonth(page);
    await page.goto(`/reports?period=${month}`);
    await settled(page);
    const frame = page.frameLocator('iframe');
    await frame.locator('h1').first().waitFor({ timeout: 60_000 });
    expect(await frame.locator('h1').first().textContent()).toContain(say('API 安全月报', 'Monthly API Security Report'));
    // Its style is there, nothing runs in it.
    expect(await frame.locator('body').evaluate((b) => getComputedStyle(b).fontFamily)).not.toMatch(/^"?Times/);
    await page.getByRole('button', { name: say('打印 / 存为 PDF', 'Print / save as PDF') }).isEnabled();
    await accessible(page);

    const r = (await (await context.request.get(`/api/v1/report?period=${month}&format=json`)).json()) as Report;
    const sheet = await context.newPage();
    const answer = await sheet.goto(`/report/view?period=${month}&lang=${lang}`);
    expect(answer!.headers()['content-security-policy']).toContain("default-src 'none'");
    const said = (await sheet.locator('body').textContent())!;
    expect(said).toContain(String(r.statistics.attacked_apis_by_month[month]));
    const pdf = (await sheet.pdf({ format: 'A4' })).toString('latin1');
    expect(pdf.startsWith('%PDF-')).toBe(true);
    expect([...pdf.matchAll(/\/Type\s*\/Page\b/g)].length).toBeGreaterThan(1);
    await sheet.close();
  });

  both('a workbook is downloaded', {}, async ({ page, say }) => {
    const month = await lastMonth(page);
    await page.goto(`/reports?period=${month}`);
    await settled(page);
    await page.getByRole('button', { name: say('下载', 'Download') }).click();
    const [file] = await Promise.all([page.waitForEvent('download', { timeout: 60_000 }), page.getByRole('menuitem', { name: /XLSX/ }).click()]);
    expect(file.suggestedFilename()).toMatch(/\.xlsx$/);
    const b = readFileSync((await file.path())!);
    expect(b.subarray(0, 2).toString()).toBe('PK');
    expect(b.includes('xl/workbook.xml')).toBe(true);
  });

  flow('one goes from month to month, to quarters and years, and Back', {}, async ({ page }) => {
    await page.goto('/reports?period=2026-01');
    await page.getByRole('button', { name: 'The one before' }).click();
    await page.waitForURL((u) => u.searchParams.get('period') === '2025-12');
    await page.getByText('Quarter', { exact: true }).click();
    await page.waitForURL((u) => u.searchParams.get('period') === '2025-Q4');
    await page.getByRole('button', { name: 'The one after' }).click();
    await page.waitForURL((u) => u.searchParams.get('period') === '2026-Q1');
    await page.goBack();
    await page.waitForURL((u) => u.searchParams.get('period') === '2025-Q4');
    await page.getByText('Year', { exact: true }).click();
    await page.waitForURL((u) => u.searchParams.get('period') === '2025');
    await page.frameLocator('iframe').locator('h1').first().waitFor({ timeout: 60_000 });
  });

  flow('what the service refuses is said in place of the report', { may: [/503/] }, async ({ page }) => {
    await page.route('**/report/view?*', (route) =>
      route.fulfill({ status: 503, contentType: 'application/problem+json', body: JSON.stringify({ type: 'urn:x', title: 'Too many reports at once', status: 503, code: 'busy', detail: 'Wait a moment.' }) }),
    );
    await page.goto('/reports');
    await page.getByText('Too many reports at once').waitFor();
    await page.unroute('**/report/view?*');
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.frameLocator('iframe').locator('h1').first().waitFor({ timeout: 60_000 });
  });

  flow('the order of GB/T 46796-2025 is there, in the other language, too', {}, async ({ page }) => {
    await page.goto('/reports?period=all&outline=gbt&lang=zh');
    const frame = page.frameLocator('iframe');
    await frame.locator('h1').first().waitFor({ timeout: 60_000 });
    expect(await frame.locator('body').textContent()).toContain('GB/T 46796-2025');
  });
});

/** @import { Page } from 'playwright-core' */

/**
 * signIn signs a person in, as the first administrator if there is none yet.
 * @param {Page} page
 * @param {{ name: string, password: string }} who
 * @param {string} [token] of the set-up
 */
export async function signIn(page, who, token) {
  await page.goto(token ? `/setup?token=${token}` : '/login');
  if (page.url().includes('/setup')) {
    if (token) await page.locator('input[name=token]').fill(token);
    await page.locator('input[name=name]').fill(who.name);
    await page.locator('input[name=password]').fill(who.password);
    await page.locator('input[name=repeat]').fill(who.password);
  } else {
    await page.locator('input[name=name]').fill(who.name);
    await page.locator('input[name=password]').fill(who.password);
  }
  await page.locator('button').click();
  await page.waitForURL((u) => !u.pathname.startsWith('/login') && !u.pathname.startsWith('/setup'));
}

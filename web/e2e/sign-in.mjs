/** @import { Page } from 'playwright-core' */

/**
 * signIn signs a person in, as the first administrator if there is none yet.
 * @param {Page} page
 * @param {{ name: string, password: string }} who
 * @param {string} [link] that the program printed
 */
export async function signIn(page, who, link) {
  await page.goto(link ?? '/login');
  const path = new URL(page.url()).pathname;
  if (path === '/enter') {
    // One button, nothing to type.
  } else if (path === '/setup') {
    await page.locator('input[name=name]').fill(who.name);
    await page.locator('input[name=password]').fill(who.password);
    await page.locator('input[name=repeat]').fill(who.password);
  } else {
    await page.locator('input[name=name]').fill(who.name);
    await page.locator('input[name=password]').fill(who.password);
  }
  await page.locator('button').click();
  await page.waitForURL((u) => !['/login', '/setup', '/enter'].includes(u.pathname));
}

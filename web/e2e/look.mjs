/**
 * look takes pictures of pages: node e2e/look.mjs
 *   URL FOLDER [--user NAME:PASSWORD] [--link LINK] [--lang zh,en] [--mode light,dark] [--width N] PATH...
 */
import { mkdirSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { launch, open, watch } from './browser.mjs';
import { signIn } from './sign-in.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    user: { type: 'string', default: 'admin:correct horse battery staple' },
    link: { type: 'string' }, // that the program printed, for the first time
    lang: { type: 'string', default: 'zh,en' },
    mode: { type: 'string', default: 'light' },
    width: { type: 'string', default: '1440' },
    height: { type: 'string', default: '900' },
    full: { type: 'boolean', default: false },
    wait: { type: 'string', default: '1500' },
  },
});
const [url, folder, ...paths] = positionals;
if (!url || !folder || paths.length === 0) throw new Error('name the URL, a folder and at least one path');
mkdirSync(folder, { recursive: true });
const cut = values.user.indexOf(':');
const who = { name: values.user.slice(0, cut), password: values.user.slice(cut + 1) };
const browser = await launch();
let bad = 0;
for (const lang of values.lang.split(',')) {
  for (const mode of values.mode.split(',')) {
    const context = await open(browser, url, { lang, mode, width: Number(values.width), height: Number(values.height) });
    const page = await context.newPage();
    const faults = watch(page);
    await signIn(page, who, values.link);
    values.link = undefined; // works once
    for (const path of paths) {
      await page.goto(path);
      await page.waitForTimeout(Number(values.wait));
      const name = path.replace(/[^a-z0-9]+/gi, '-').replace(/^-|-$/g, '') || 'overview';
      const file = `${folder}/${name}-${lang}-${mode}${values.width === '1440' ? '' : `-${values.width}`}.png`;
      await page.screenshot({ path: file, fullPage: values.full });
      console.log(file);
    }
    for (const f of new Set(faults)) {
      bad++;
      console.error(f);
    }
    await context.close();
  }
}
await browser.close();
process.exitCode = bad ? 1 : 0;

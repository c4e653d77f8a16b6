/** size holds the build to its budget: what is loaded first, and the charts. */
import { readFileSync, readdirSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const folder = new URL('./dist/', import.meta.url);
const packed = (name) => gzipSync(readFileSync(new URL(name, folder)), { level: 9 }).length;

// First load: what the page names, what that imports at once, and the largest screen with what it imports.
const assets = readdirSync(new URL('assets/', folder));
const imports = new Map(
  assets.map((name) => {
    const text = name.endsWith('.js') ? readFileSync(new URL(`assets/${name}`, folder), 'utf8') : '';
    return [name, [...text.matchAll(/(?:from|import)\s*["']\.\/([^"']+)["']/g)].map((m) => m[1])];
  }),
);
const reach = (name, seen = new Set()) => {
  if (seen.has(name) || !imports.has(name)) return seen;
  seen.add(name);
  imports.get(name).forEach((n) => reach(n, seen));
  return seen;
};
const page = readFileSync(new URL('index.html', folder), 'utf8');
const named = [...page.matchAll(/\/assets\/([^"']+)/g)].map((m) => m[1]);
const shell = new Set(named.flatMap((n) => [...reach(n)]).concat(named));
const sum = (names) => [...names].reduce((n, name) => n + packed(`assets/${name}`), packed('index.html'));
const charts = assets.filter((n) => n.startsWith('draw-'));
const overview = new Set([...shell, ...assets.filter((n) => n.startsWith('Overview-')).flatMap((n) => [...reach(n)])]);
charts.forEach((n) => overview.delete(n));

const budget = [
  ['shell', sum(shell), 500_000],
  ['first load with the overview', sum(overview), 600_000],
  ['charts', charts.reduce((n, name) => n + packed(`assets/${name}`), 0), 270_000],
];
let over = false;
for (const [what, size, most] of budget) {
  console.log(`${what}: ${(size / 1000).toFixed(0)} kB gzip of ${most / 1000} kB`);
  over ||= size > most;
}
if (over) {
  console.error('size: over the budget');
  process.exit(1);
}

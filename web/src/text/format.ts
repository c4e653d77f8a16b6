import type { Lang } from './text';

/** number writes a count as people of the language do: 1.2万, 3.4亿; 12,345, 1.2M. */
export function number(n: number, lang: Lang): string {
  const size = Math.abs(n);
  if (lang === 'zh') {
    if (size >= 1e8) return `${short(n / 1e8)}亿`;
    if (size >= 1e4) return `${short(n / 1e4)}万`;
    return exact(n, lang);
  }
  if (size >= 1e9) return `${short(n / 1e9)}B`;
  if (size >= 1e6) return `${short(n / 1e6)}M`;
  if (size >= 1e5) return `${short(n / 1e3)}k`;
  return exact(n, lang);
}

const short = (n: number) => (Math.abs(n) >= 100 ? Math.round(n).toString() : n.toFixed(1).replace(/\.0$/, ''));

/** exact writes all digits. */
export const exact = (n: number, lang: Lang): string => new Intl.NumberFormat(locale(lang), { maximumFractionDigits: 2 }).format(n);

export const locale = (lang: Lang) => (lang === 'zh' ? 'zh-CN' : 'en-GB');

export function percent(share: number, lang: Lang): string {
  const digits = share > 0 && share < 0.1 ? 1 : 0;
  return new Intl.NumberFormat(locale(lang), { style: 'percent', maximumFractionDigits: digits }).format(share);
}

export function bytes(n: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  let i = 0;
  while (n >= 1000 && i < units.length - 1) {
    n /= 1000;
    i++;
  }
  return `${i ? short(n) : n} ${units[i]}`;
}

/** How exactly a time is written. */
export type Detail = 'second' | 'minute' | 'day' | 'month';

/** time writes a point in time in a zone; with 'zone' it says which. */
export function time(t: string | number | Date, zone: string, detail: Detail = 'minute', showZone = false): string {
  const date = new Date(t);
  if (Number.isNaN(date.getTime())) return '–';
  const parts = Object.fromEntries(
    formatter(zone)
      .formatToParts(date)
      .map((p) => [p.type, p.value]),
  );
  let s = `${parts.year}-${parts.month}`;
  if (detail !== 'month') s += `-${parts.day}`;
  if (detail === 'minute' || detail === 'second') s += ` ${parts.hour}:${parts.minute}`;
  if (detail === 'second') s += `:${parts.second}`;
  return showZone ? `${s} ${zoneName(date, zone)}` : s;
}

const formatters = new Map<string, Intl.DateTimeFormat>();

function formatter(zone: string): Intl.DateTimeFormat {
  let f = formatters.get(zone);
  if (!f) {
    f = new Intl.DateTimeFormat('en-GB', {
      timeZone: zone, hourCycle: 'h23',
      year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit',
    });
    formatters.set(zone, f);
  }
  return f;
}

/** offset gives the minutes that clocks of a zone are ahead of UTC at a time. */
export function offset(date: Date, zone: string): number {
  const p = Object.fromEntries(formatter(zone).formatToParts(date).map((x) => [x.type, x.value]));
  const wall = Date.parse(`${p.year}-${p.month}-${p.day}T${p.hour}:${p.minute}:${p.second}Z`);
  return Math.round((wall - date.getTime()) / 60_000);
}

/** zoneName is the offset of a zone at a time, as UTC+8. */
export function zoneName(date: Date, zone: string): string {
  const part = new Intl.DateTimeFormat('en-GB', { timeZone: zone, timeZoneName: 'shortOffset' })
    .formatToParts(date)
    .find((p) => p.type === 'timeZoneName');
  return (part?.value ?? zone).replace('GMT', 'UTC');
}

/** duration writes a span: 45 s, 3 min, 5 h, 2 d. */
export function duration(ms: number, lang: Lang): string {
  const units: [number, string, string][] = [
    [86_400_000, 'd', '天'],
    [3_600_000, 'h', '小时'],
    [60_000, 'min', '分钟'],
    [1000, 's', '秒'],
  ];
  for (const [size, en, zh] of units) {
    const n = ms / size;
    // What would be rounded to 60 of the unit below is one of this.
    if (n >= 0.9917) {
      const value = n >= 10 ? Math.round(n).toString() : short(n);
      return lang === 'zh' ? `${value} ${zh}` : `${value} ${en}`;
    }
  }
  return lang === 'zh' ? '不到 1 秒' : '< 1 s';
}

/** ago writes how long before now a time was. */
export function ago(t: string | number | Date, now: number, lang: Lang): string {
  const ms = now - new Date(t).getTime();
  if (Number.isNaN(ms)) return '–';
  if (ms < 5000) return lang === 'zh' ? '刚刚' : 'just now';
  return lang === 'zh' ? `${duration(ms, lang)}前` : `${duration(ms, lang)} ago`;
}

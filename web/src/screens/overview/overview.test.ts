import { describe, expect, test } from 'vitest';
import { bounds, stepOf } from '../../parts/period';
import { offset } from '../../text/format';
import { links } from './links';
import { monthsOf } from './months';
import { notes } from './quality';
import { chosen } from './traffic';

describe('the overview', () => {
  test('a period has two ends and no more than the API takes', () => {
    const at = Date.parse('2026-11-27T06:00:30Z');
    expect(bounds({ from: '2026-11-26T06:00:00Z', to: '2026-11-27T06:00:00Z' }, at)).toEqual({ from: '2026-11-26T06:00:00.000Z', to: '2026-11-27T06:00:00.000Z' });
    expect(bounds({}, at, '2026-11-01T00:00:00Z')).toEqual({ from: '2026-11-01T00:00:00.000Z', to: '2026-11-27T06:01:00.000Z' });
    const long = bounds({}, at, '2001-01-01T00:00:00Z');
    expect(Date.parse(long.to) - Date.parse(long.from)).toBe(400 * 86_400_000);
    const turned = bounds({ from: '2026-12-01T00:00:00Z', to: '2026-11-01T00:00:00Z' }, at);
    expect(Date.parse(turned.to)).toBeGreaterThan(Date.parse(turned.from));
    expect([stepOf('2026-11-27T00:00:00Z', '2026-11-27T06:00:00Z'), stepOf('2026-11-26T00:00:00Z', '2026-11-27T06:00:00Z'), stepOf('2026-10-26T00:00:00Z', '2026-11-27T06:00:00Z')]).toEqual(['minute', 'hour', 'day']);
  });
  test('the clock of a zone is known, also in summer', () => {
    expect([offset(new Date('2026-01-01T00:00:00Z'), 'Asia/Shanghai'), offset(new Date('2026-07-01T00:00:00Z'), 'Europe/Berlin'), offset(new Date('2026-01-01T00:00:00Z'), 'America/St_Johns')]).toEqual([480, 120, -210]);
  });
  test('a brushed stretch becomes the whole steps that it touches', () => {
    const starts = ['2026-11-27T00:00:00Z', '2026-11-27T01:00:00Z', '2026-11-27T02:00:00Z'];
    const ms = (t: string) => Date.parse(`2026-11-27T${t}Z`);
    expect(chosen(ms('00:30:00'), ms('01:10:00'), starts, 'hour')).toEqual({ from: '2026-11-27T00:00:00.000Z', to: '2026-11-27T02:00:00.000Z' });
    expect(chosen(ms('05:00:00'), ms('06:00:00'), starts, 'hour')).toBeUndefined();
  });
  test('months have the means of their quarters and years', () => {
    const m = monthsOf([{ month: '2025-11', apis: 4 }, { month: '2026-01', apis: 6 }], '2026-02');
    expect(m.map((x) => [x.month, x.n, x.quarter, x.year])).toEqual([['2025-11', 4, 2, 2], ['2025-12', 0, 2, 2], ['2026-01', 6, 3, 3], ['2026-02', 0, 3, 3]]);
    expect(monthsOf([], '2026-02')).toEqual([]);
  });
  test('each figure leads to the list that it counts', () => {
    const s = { from: '2026-11-26T00:00:00Z', to: '2026-11-27T00:00:00Z', site: 'a&b' };
    expect(links.apis(s)).toBe('/inventory?from=2026-11-26T00%3A00%3A00Z&first_to=2026-11-27T00%3A00%3A00Z&site=a%26b');
    expect(new URLSearchParams(links.blocked({ from: s.from, to: s.to }).split('?')[1]).getAll('verdict')).toEqual(['suspicious', 'attack']);
  });
  test('what could not be seen is told with what to do, the gravest first', () => {
    const said = { zh: '中', en: 'e' };
    const list = notes(
      {
        exchanges: 100, analysed: 80, late: 3, ahead: 1, not_warm: true, limits: [{ reason: 'x.y', count: 2 }],
        dropped: [{ reason: 'overload', count: 9 }, { reason: 'late', count: 3 }, { reason: 'corrupt', count: 0 }],
        codes: [{ code: 'tls_decrypted', count: 1, text: said }, { code: 'no_bodies', count: 5, text: said }],
        blind: [{ server: '192.0.2.1:443', name: '', protocol: 'tls', connections: 7, bytes: 1 }],
        sites: [{ site: 's', exchanges: 1, state: 'failing', text: said }, { site: 'ok', exchanges: 1, state: 'ok' }],
      } as never,
      (_kind, id) => ({ zh: id, en: id }),
    );
    expect(list.map((n) => n.id)).toEqual(['site-s', 'drop-overload', 'drop-late', 'blind', 'ahead', 'no_bodies', 'limit-x.y', 'tls_decrypted']);
    for (const n of list) expect(Boolean(n.said ?? n.todo), n.id).toBe(true);
  });
});

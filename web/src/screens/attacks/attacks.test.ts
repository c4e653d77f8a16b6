import { describe, expect, test } from 'vitest';
import { fromDays, fromSeries } from './attack/Course';
import { figure } from './attack/figure';
import { addresses, nginx } from './attack/selector';
import { place } from './campaigns/graph';
import { lanesOf, periodOf, stepAt } from './campaigns/lanes';
import { inOrder } from './campaigns/Mend';
import { dayAfter, daysFrom, daysShown } from './days';
import { underWay } from './going';
import { fault, rowQuery } from './requests/query';
import { around, offsetOf, stepOf } from './steps';
import { sum } from './useFacets';

const hour = 3_600_000;
const at = Date.parse('2026-03-01T00:00:00Z');
const iso = (ms: number) => new Date(ms).toISOString();

test('an attack is under way as long as the agenda says so', () => {
  expect(underWay(iso(at), iso(at), at + hour)).toBe(true);
  expect(underWay(iso(at), iso(at), at + hour + 1)).toBe(false);
  expect(underWay(iso(at), iso(at + 100 * hour), at + 109 * hour)).toBe(true);
  expect(underWay(iso(at), iso(at + 1000 * hour), at + 1025 * hour)).toBe(false);
});

describe('days', () => {
  test('have no gaps, over the ends of months', () => {
    expect(daysFrom('2026-02-27', 3)).toEqual(['2026-02-27', '2026-02-28', '2026-03-01']);
    expect(daysFrom(undefined, 3)).toEqual([]);
    expect(dayAfter('2026-12-31')).toBe('2027-01-01');
  });
  test('of a period are all there, values in their places', () => {
    const s = daysShown(['2026-03-03', '2026-03-04'], '2026-03-02T05:00:00Z', '2026-03-05T01:00:00Z');
    expect(s.days).toEqual(['2026-03-02', '2026-03-03', '2026-03-04', '2026-03-05']);
    expect(s.pick([7, 8])).toEqual([0, 7, 8, 0]);
    expect(daysShown([], 'x', 'y').days).toEqual([]);
    expect(daysShown(['2026-03-03'], 'nonsense').days).toEqual(['2026-03-03']);
  });
});

describe('lanes', () => {
  const line = (key: string, requests: number[]) => ({ key, rest: false, requests, succeeded: requests, blocked: requests });
  test('take days together where there are many', () => {
    const l = lanesOf({ first: '2026-01-01', days: 300, attacks: 1, left_out: 0, lines: [line('a', Array.from({ length: 300 }, () => 1))] });
    expect([l.days, l.starts.length, l.lanes[0]!.total]).toEqual([3, 100, 300]);
    expect(l.lanes[0]!.values.every((v) => v === 3)).toBe(true);
    expect(periodOf(l, 1, 2)).toEqual({ first: '2026-01-04', last: '2026-01-09' });
    expect(periodOf(l, -5, 0.4)).toEqual({ first: '2026-01-01', last: '2026-01-03' });
    expect([stepAt(l, '2026-01-03'), stepAt(l, '2026-01-04'), stepAt(l, '2025-12-31'), stepAt(l, '2027-01-01')]).toEqual([0, 1, -1, -1]);
  });
  test('of nothing are none', () => {
    const l = lanesOf({ days: 0, attacks: 0, left_out: 0, lines: [] });
    expect([l.lanes, periodOf(l, 0, 1), stepAt(l, '2026-01-01')]).toEqual([[], undefined, -1]);
  });
});

test('the graph of a campaign is the same each time and ties attacks to what they share', () => {
  const links = [
    { key: 'ip', rarity: 12, attacks: ['a', 'b'] },
    { key: 'ja4', rarity: 10, attacks: ['b'] },
  ];
  const g = place(['a', 'b', 'c'], links);
  expect(g).toEqual(place(['a', 'b', 'c'], links));
  expect(g.nodes.map((n) => n.kind)).toEqual(['trait', 'trait', 'attack', 'attack', 'attack']);
  expect(g.nodes.slice(2).map((n) => n.id)).toEqual(['b', 'a', 'c']);
  expect(g.edges).toEqual([{ source: 'trait 0', target: 'a' }, { source: 'trait 0', target: 'b' }, { source: 'trait 1', target: 'b' }]);
  expect(new Set(g.nodes.map((n) => `${n.x} ${n.y}`)).size).toBe(5);
});

test('the gravest open defect is mended first', () => {
  const d = (id: string, severity: 'critical' | 'high', status: 'confirmed' | 'fixed') => ({ id, severity, status });
  expect(inOrder([d('a', 'critical', 'fixed'), d('b', 'high', 'confirmed'), d('c', 'critical', 'confirmed')]).map((x) => x.id)).toEqual(['c', 'b', 'a']);
});

test('the course of an attack tells successes from what was blocked', () => {
  const s = fromSeries({
    starts: [iso(at), iso(at + hour)],
    lines: [
      { key: 'success', rest: false, total: 3, values: [1, 2] },
      { key: 'denied', rest: false, total: 1, values: [1, 0] },
      { key: 'throttled', rest: false, total: 1, values: [0, 1] },
      { key: 'rejected', rest: false, total: 5, values: [5, 0] },
    ],
  });
  expect([s.ok, s.blocked, s.rest]).toEqual([[1, 2], [1, 1], [5, 0]]);
  const d = fromDays({
    activity: [
      { day: '2026-03-03', api: 'x', requests: 5, blocked: 1, succeeded: 2 },
      { day: '2026-03-01', api: 'x', requests: 4, blocked: 0, succeeded: 4 },
      { day: '2026-03-03', api: 'y', requests: 1, blocked: 0, succeeded: 0 },
    ],
  });
  expect(d).toEqual({ starts: ['2026-03-01', '2026-03-02', '2026-03-03'], ok: [4, 0, 2], blocked: [0, 0, 1], rest: [0, 0, 3] });
});

test('evidence has figures where it has any', () => {
  expect([figure('24.13'), figure('0'), figure('<nil>'), figure('1e5'), figure(''), figure('0x10')]).toEqual([24.13, 0, undefined, 100000, undefined, undefined]);
});

test('a selector gives addresses and nothing else to a gateway', () => {
  const s = { apis: [], keys: { ip: ['192.0.2.1', '2001:db8::1', '1.1.1.1; evil'], prefix: ['10.0.0.0/8'], ja4: ['t13'] }, from: iso(at), to: iso(at) };
  expect(addresses(s)).toEqual(['192.0.2.1', '2001:db8::1', '10.0.0.0/8']);
  expect(nginx(['192.0.2.1', '10.0.0.0/8'])).toBe('deny 192.0.2.1;\ndeny 10.0.0.0/8;');
});

describe('conditions of requests', () => {
  const url = (query: string) => {
    const p = new URLSearchParams(query);
    return { get: (n: string) => p.get(n) ?? undefined, all: (n: string) => p.getAll(n), set: () => {} };
  };
  test('are read from the URL, what makes no sense is left aside', () => {
    const q = rowQuery(url('client=10.0.0.0/8&account=zz&status=200&verdict=attack&verdict=evil&not.client=192.0.2.1&not.status=abc&not.type=cn_mobile&class=5&class=9&finding=ab'), { from: 'f', to: 't' });
    expect(q).toMatchObject({ from: 'f', to: 't', client: '10.0.0.0/8', account: undefined, status: 200, verdict: ['attack'], class: ['5'], not: ['client:192.0.2.1', 'type:cn_mobile'], finding: 'ab' });
  });
  test('say what is wrong with a value', () => {
    expect([fault('client', 'x y'), fault('client', '::1'), fault('country', 'cn'), fault('status', '99'), fault('agent', '12'), fault('agent', '0123456789abcdef'), fault('finding', 'any')]).toEqual(
      ['badAddress', undefined, 'badCountry', 'badStatus', 'badToken', undefined, undefined]);
  });
});

test('steps fit their period', () => {
  expect([stepOf(iso(at), iso(at + 4 * hour)), stepOf(iso(at), iso(at + 5 * hour)), stepOf(iso(at), iso(at + 11 * 24 * hour))]).toEqual(['minute', 'hour', 'day']);
  expect(around(iso(at), iso(at))).toEqual({ from: iso(at - 60_000), to: iso(at + 60_000) });
  expect([offsetOf('Asia/Shanghai', at), offsetOf('UTC', at), offsetOf('Asia/Kolkata', at), offsetOf('America/New_York', at)]).toEqual([480, 0, 330, -300]);
});

test('counts are summed up by what is asked', () => {
  const g = (site: string, type: string, count: number) => ({ site, type, state: 's', severity: '', count });
  expect([...sum([g('a', 'x', 1), g('b', 'x', 2), g('a', 'y', 4)], 'site')]).toEqual([['a', 5], ['b', 2]]);
});

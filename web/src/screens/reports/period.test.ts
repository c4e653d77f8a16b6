import { describe, expect, test } from 'vitest';
import { as, firstMonth, kindOf, over, step, stretchOf } from './period';

describe('stretches of a report', () => {
  test('are read from the URL', () => {
    const read = (q: string) => stretchOf((n) => new URLSearchParams(q).get(n) ?? undefined, '2026-11');
    expect(read('')).toEqual({ kind: 'month', period: '2026-11' });
    expect(read('period=2026-Q4')).toEqual({ kind: 'quarter', period: '2026-Q4' });
    expect(read('period=2026')).toEqual({ kind: 'year', period: '2026' });
    expect(read('period=all&from=x')).toEqual({ kind: 'all' });
    expect(read('from=a&to=b')).toEqual({ kind: 'range', from: 'a', to: 'b' });
    expect(read('period=2026-13')).toEqual({ kind: 'month', period: '2026-11' });
  });
  test('follow one another across years', () => {
    expect([step('2026-01', -1), step('2025-12', 1), step('2026-Q1', -1), step('2026-Q4', 1), step('2026', -1)]).toEqual(['2025-12', '2026-01', '2025-Q4', '2027-Q1', '2025']);
    for (let m = '2020-01', n = 0; n < 60; n++) {
      expect(step(step(m, 1), -1)).toBe(m);
      expect(kindOf((m = step(m, 1)))).toBe('month');
    }
  });
  test('hold one another', () => {
    expect([as('quarter', '2026-09'), as('quarter', '2026-10'), as('year', '2026-10'), firstMonth('2026-Q3'), firstMonth('2026')]).toEqual(['2026-Q3', '2026-Q4', '2026', '2026-07', '2026-01']);
  });
  test('are over when the next begins', () => {
    expect([over('2026-10', '2026-11'), over('2026-11', '2026-11'), over('2026-Q4', '2026-12'), over('2026-Q4', '2027-01'), over('2026', '2026-12')]).toEqual([true, false, false, true, false]);
  });
});

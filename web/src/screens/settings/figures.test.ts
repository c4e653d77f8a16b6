import { describe, expect, test } from 'vitest';
import { bad, rate, underWay, worst, type Part, type Status } from './figures';

const part = (name: string, state: Part['state']): Part => ({ name, state, figures: {} });
const status = (more: Partial<Status>): Status => ({
  status: 'ok', version: 'v', started: '', now: '', exchanges: 10, analysed: 7, dropped: [{ reason: 'overload', count: 2 }],
  sources: [], stream: part('stream', 'ok'), judges: [], stores: [], events: part('events', 'ok'), ...more,
});

describe('status', () => {
  test('the worst comes first', () => expect(worst([part('a', 'ok'), part('b', 'failing'), part('c', 'degraded')]).map((p) => p.name)).toEqual(['b', 'c', 'a']));
  test('off is no trouble', () => expect(bad(status({ stores: [part('rows', 'off')], judges: [part('j', 'degraded')] })).map((p) => p.name)).toEqual(['j']));
  test('what is under way is what is neither judged nor dropped', () => expect(underWay(status({}))).toBe(1));
});

describe('rate', () => {
  test('is by the time between answers', () => expect(rate({ at: 0, exchanges: 100 }, { at: 5000, exchanges: 600 })).toBe(100));
  test('is none after a restart', () => expect(rate({ at: 0, exchanges: 100 }, { at: 5000, exchanges: 6 })).toBeUndefined());
  test('is none of one answer', () => expect(rate(undefined, { at: 1, exchanges: 6 })).toBeUndefined());
});

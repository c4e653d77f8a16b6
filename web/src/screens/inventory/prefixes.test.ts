import { describe, expect, it } from 'vitest';
import { prefixes } from './prefixes';
import { countOf, sums, viewOf } from './views';

describe('prefixes', () => {
  it('draws steps together that one path leads through', () => {
    expect(prefixes(['/api/v1/shop/items', '/api/v1/shop/items/{id}', '/api/v1/user/me', '/api/v1/user/{id}/orders'])).toEqual([
      {
        path: '/api/v1/', label: '/api/v1', count: 4,
        below: [
          { path: '/api/v1/shop/', label: '/shop', count: 2, below: [] },
          { path: '/api/v1/user/', label: '/user', count: 2, below: [] },
        ],
      },
    ]);
  });
  it('takes no parameter and no single path for a step', () => {
    expect(prefixes(['/{tenant}/a/b', '/x/y', '/'])).toEqual([]);
  });
  it('leaves operations out', () => {
    expect(prefixes(['/rpc/do#a.b', '/rpc/do#c/d'])).toEqual([{ path: '/rpc/', label: '/rpc', count: 2, below: [] }]);
  });
});

describe('views', () => {
  const counts = {
    total: 5,
    groups: [
      { site: 'a', type: 'list', state: 'new', severity: '', count: 2 },
      { site: 'b', type: 'list', state: 'active', severity: '', count: 3 },
    ],
    tags: [{ name: 'auth', value: 'none', count: 4 }],
  };
  it('counts by what the server says', () => {
    expect((['all', 'new', 'changed', 'shadow', 'open'] as const).map((v) => countOf(v, counts))).toEqual([5, 2, 0, undefined, 4]);
  });
  it('adds groups up', () => {
    expect(sums(counts, 'type')).toEqual([{ value: 'list', count: 5 }]);
    expect(sums(counts, 'site')[0]).toEqual({ value: 'b', count: 3 });
  });
  it('knows no other view', () => expect(viewOf('constructor')).toBe('all'));
});

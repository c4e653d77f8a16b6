import { describe, expect, test } from 'vitest';
import { covers, prefix } from './covers';
import { endable, stageOf, target } from './decision';

const api = { site: 'shop', host: 'www.shop.example', method: 'GET', template: '/goods/{id}' };

describe('covers', () => {
  test.each([
    [{}, true],
    [{ site: 'shop', method: 'get', template: '/goods/{name}' }, true],
    [{ site: 'other' }, false],
    [{ host: '*.shop.example' }, true],
    [{ host: 'shop.example' }, false],
    [{ template: '/goods/**' }, true],
    [{ template: '/good/**' }, false],
    [{ template: '/goods' }, false],
    [{ template: '/goods/{id}/x' }, false],
    [{ template: '/goods/7' }, false],
    [{ template: '/**' }, true],
  ])('%j: %s', (t, want) => expect(covers(t, api)).toBe(want));

  test('prefix is what can be searched for', () => {
    expect(prefix('/goods/{id}')).toBe('/goods/');
    expect(prefix('/goods/**')).toBe('/goods');
    expect(prefix('/a')).toBe('/a');
  });
});

describe('a decision', () => {
  const at = Date.parse('2026-11-01T00:00:00Z');
  test('is over when its time is', () => {
    expect(stageOf({ state: 'live', expires: '2026-10-31T00:00:00Z' }, at)).toBe('expired');
    expect(stageOf({ state: 'live', expires: '2026-11-02T00:00:00Z' }, at)).toBe('live');
    expect(stageOf({ state: 'ended', expires: '2026-10-31T00:00:00Z' }, at)).toBe('ended');
  });
  test('of history cannot be ended', () => {
    expect(endable({ kind: 'fix' })).toBe(false);
    expect(endable({ kind: 'public' })).toBe(true);
  });
  test('names its target', () => {
    expect(target({ method: 'GET', host: 'a.example', template: '/x' })).toBe('GET a.example/x');
    expect(target({})).toBe('');
  });
});

import { describe, expect, it } from 'vitest';
import { concerns, joined, literalFault, mergeAt, names, nameFault, shape, splitAt, titleIn, type Entry } from './edits';

const place = (template: string, method = 'GET', site = 's', host = 'a.example') => ({ template, method, site, host });
const entry = (e: Partial<Entry>): Entry => ({ id: 'p-1', kind: 'template', state: 'live', rev: 1, by: 'u', at: '2026-01-01T00:00:00Z', reason: 'r', ...e });

describe('templates', () => {
  it('have a shape whatever their parameters are called', () => {
    expect(shape('/a/{id}/b/{x}:cancel#op')).toBe('/a/{}/b/{}:cancel');
  });
  it('are split before what stands behind the literal', () => {
    expect(splitAt('/users/{id}/orders', 1, 'me')).toBe('/users/me');
  });
  it('are merged up to the parameter', () => {
    expect(mergeAt('/shop/red/items', 1, 'colour')).toBe('/shop/{colour}');
  });
});

describe('edits', () => {
  const rename = entry({ edit: 'rename', template: '/users/{name}', title: 'Users', method: 'get' });
  it('name an API by its shape, scope and method', () => {
    expect(names(rename, place('/users/{id}'))).toBe(true);
    expect(names(rename, place('/users/{id}', 'POST'))).toBe(false);
    expect(names({ ...rename, site: 'other' }, place('/users/{id}'))).toBe(false);
    expect(names({ ...rename, host: '*.example' }, place('/users/{id}'))).toBe(true);
    expect(names({ ...rename, host: '*.test' }, place('/users/{id}'))).toBe(false);
  });
  it('give the newest title at once', () => {
    expect(titleIn([rename], place('/users/{id}'))).toBe('Users');
    expect(titleIn([{ ...rename, state: 'ending' }], place('/users/{id}'))).toBeUndefined();
  });
  it('concern what they were split from, and what lies below', () => {
    const split = entry({ edit: 'split', template: '/users/me' });
    expect(concerns(split, place('/users/{id}'))).toBe(true);
    expect(concerns(split, place('/users/{id}/orders'))).toBe(true);
    expect(concerns(split, place('/users/me'))).toBe(true);
    expect(concerns(split, place('/orders/{id}'))).toBe(false);
    expect(concerns(rename, place('/users/{id}/orders'))).toBe(false);
  });
});

describe('joined', () => {
  it('lists what becomes one', () => {
    const all = [place('/shop/red/items'), place('/shop/blue/items'), place('/shop/{c}/items'), place('/shop/red'), place('/shop/red/items', 'POST'), place('/x/blue/items')];
    expect(joined(all, all[0]!, 1).map((a) => a.template)).toEqual(['/shop/red/items', '/shop/blue/items', '/shop/{c}/items']);
  });
});

it.each([['', 'empty'], ['a b', 'signs'], ['a/b', 'signs'], ['{x}', 'signs'], ['长'.repeat(70), 'long'], ['7777', 'number'], ['8d4e27c1-90ab-4c3d', 'number'], ['top10', undefined], ['me', undefined]])('%j is a literal or not', (s, want) => expect(literalFault(s)).toBe(want));
it('knows names of parameters', () => expect([nameFault('user_id'), nameFault('a b'), nameFault('')]).toEqual([undefined, 'name', 'name']));

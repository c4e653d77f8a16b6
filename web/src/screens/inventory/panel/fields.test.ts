import { expect, it } from 'vitest';
import { fieldTree, steps } from './fields';

const f = (path: string) => ({ path, types: ['string' as const], required: true, count: 1 });

it('cuts paths', () => {
  expect(steps('result.items[].tags[][].{}.x')).toEqual(['result', 'items', '[]', 'tags', '[]', '[]', '{}', 'x']);
  expect(steps('[].id')).toEqual(['[]', 'id']);
});

it('puts fields under what they are part of', () => {
  const tree = fieldTree([f('code'), f('data.list[].id'), f('data.list[].name'), f('data.total')]);
  expect(tree.map((n) => [n.label, n.field?.path])).toEqual([['code', 'code'], ['data', undefined]]);
  expect(tree[1]!.children!.map((n) => n.label)).toEqual(['list', 'total']);
  expect(tree[1]!.children![0]!.children![0]!.children!.map((n) => n.label)).toEqual(['id', 'name']);
});

it('takes names of prototypes for names', () => {
  expect(fieldTree([f('__proto__.x'), f('constructor')]).map((n) => n.label)).toEqual(['__proto__', 'constructor']);
});

import { describe, expect, test } from 'vitest';
import { abroadOf } from './abroad';
import { columnsOf, heat, maskOf } from './cell';

describe('the matrix of exposed data', () => {
  test('tells plain, masked and both apart', () => {
    expect([maskOf({ fields: 2, masked_fields: 0 }), maskOf({ fields: 2, masked_fields: 1 }), maskOf({ fields: 2, masked_fields: 2 })]).toEqual(['plain', 'both', 'masked']);
  });
  test('is hotter the more records one answer holds', () => {
    expect([0, 1, 2, 9, 10, 99, 100, 5000].map(heat)).toEqual([0, 1, 2, 2, 3, 3, 4, 4]);
  });
  test('has the types first that most APIs carry, of equals the gravest', () => {
    expect(columnsOf(new Map([['email', 9], ['password', 1], ['cn_mobile', 50], ['custom.3.member', 2], ['zzz', 1]]))).toEqual(['cn_mobile', 'email', 'custom.3.member', 'password', 'zzz']);
  });
});

describe('what went abroad', () => {
  test('is what did not go where most goes', () => {
    const a = abroadOf([{ key: 'CN', value: 90 }, { key: '', value: 5 }, { key: 'SG', value: 4 }, { key: 'US', value: 1 }], 100);
    expect(a).toEqual({ total: 100, home: 'CN', abroad: 5, unknown: 5, lands: [{ key: 'SG', value: 4 }, { key: 'US', value: 1 }] });
  });
  test('is not told where no country is known', () => {
    expect(abroadOf([{ key: '', value: 7 }], 7)).toEqual({ total: 7, home: undefined, abroad: 0, unknown: 7, lands: [] });
  });
});

import { describe, expect, test } from 'vitest';
import { complaints, offset } from './ruleErrors';
import { yamlOf } from './ruleText';

describe('complaints', () => {
  test('of the compiler', () => {
    expect(complaints(["rules:3:41: rule a: when: undeclared reference to 'nothing'"])).toEqual([
      { line: 3, column: 41, text: "rule a: when: undeclared reference to 'nothing'" },
    ]);
  });
  test('of the reader of YAML, with the lines it shows', () => {
    const c = complaints(['rules: [3:11] unknown field "surprise"', '   1 | version: 1', '>  3 | - {id: a, surprise: 1}', '                 ^']);
    expect(c).toHaveLength(1);
    expect(c[0]).toMatchObject({ line: 3, column: 11 });
    expect(c[0]!.text).toContain('unknown field');
    expect(c[0]!.text).toContain('^');
  });
  test('of the whole file', () => {
    expect(complaints(['rules: version: 9 is not 1'])).toEqual([{ text: 'rules: version: 9 is not 1' }]);
    expect(complaints(['rules: rules[0]: id: "A" is not of the form'])).toEqual([{ text: 'rules: rules[0]: id: "A" is not of the form' }]);
  });
});

test('offset finds a place', () => {
  expect(offset('ab\ncd\n', 2, 2)).toBe(4);
  expect(offset('ab', 9, 9)).toBe(2);
});

test('a rule in use is written as YAML that holds whatever is in it', () => {
  const y = yamlOf({ id: 'a', title: { zh: '甲"', en: 'A: #' }, when: 'x == "\n"', harm: 'high', site: 's' });
  expect(y).toContain('title: {zh: "甲\\"", en: "A: #"}');
  expect(y).toContain('when: "x == \\"\\n\\""');
  expect(y).toContain('scope: {site: "s"}');
});

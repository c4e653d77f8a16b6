import { expect, it } from 'vitest';
import { yaml } from './yaml';

it('writes maps, lists and what is empty', () => {
  expect(yaml({ openapi: '3.1.0', paths: { '/a/{id}': { get: { tags: ['x', 'no'], deprecated: false } } }, none: {}, list: [], '200': null }).trimStart()).toBe(
    `"200": null
openapi: "3.1.0"
paths:
  "/a/{id}":
    get:
      tags:
        - "x"
        - "no"
      deprecated: false
none: {}
list: []
`,
  );
});

it('quotes what could be meant otherwise', () => {
  expect(yaml({ no: 'a: b # c\n"' }).trimStart()).toBe('"no": "a: b # c\\n\\""\n');
});

it('puts maps in lists on lines of their own', () => {
  expect(yaml([{ a: 1, b: 2 }])).toBe('\n-\n  a: 1\n  b: 2\n');
});

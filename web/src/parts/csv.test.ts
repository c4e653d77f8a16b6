import { describe, expect, it } from 'vitest';
import { cell, csv } from './csv';

describe('csv', () => {
  it.each([
    ['plain', 'plain'],
    ['a,b', '"a,b"'],
    ['say "hi"', '"say ""hi"""'],
    ['two\nlines', '"two\nlines"'],
    ['=HYPERLINK("http://x")', `"'=HYPERLINK(""http://x"")"`],
    ['+1', `"'+1"`],
    ['-2+3', `"'-2+3"`],
    ['@SUM(A1)', `"'@SUM(A1)"`],
    [' =1', `"' =1"`],
    ['\t=1', `"'\t=1"`],
    ['\uff1d1', `"'\uff1d1"`],
    ['/a=b', '/a=b'],
  ])('%j becomes inert', (value, want) => expect(cell(value)).toBe(want));
  it('writes numbers as they are, and nothing for what is absent', () => {
    expect(csv([['a', -3, undefined]])).toBe('\ufeffa,-3,\r\n');
  });
});

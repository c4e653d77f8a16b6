import { describe, expect, it } from 'vitest';
import { ago, duration, exact, number, percent, time } from './format';
import { inert, pieces } from './inert';
import { fill, nameOf } from './text';

describe('numbers', () => {
  it.each([
    [0, '0', '0'],
    [9999, '9,999', '9,999'],
    [12_345, '1.2万', '12,345'],
    [100_000, '10万', '100k'],
    [1_234_567, '123万', '1.2M'],
    [345_678_901, '3.5亿', '346M'],
    [2_000_000_000, '20亿', '2B'],
  ])('%d', (n, zh, en) => {
    expect(number(n, 'zh')).toBe(zh);
    expect(number(n, 'en')).toBe(en);
  });
  it('keeps all digits where asked', () => expect(exact(1_234_567, 'zh')).toBe('1,234,567'));
  it('shows small shares', () => expect([percent(0.004, 'en'), percent(0.5, 'zh')]).toEqual(['0.4%', '50%']));
});

describe('times', () => {
  it('are in the zone of the reader and say which', () => {
    expect(time('2026-11-01T16:30:00Z', 'Asia/Shanghai', 'minute', true)).toBe('2026-11-02 00:30 UTC+8');
    expect(time('2026-11-01T16:30:05Z', 'UTC', 'second')).toBe('2026-11-01 16:30:05');
    expect(time('2026-11-01T16:30:05Z', 'UTC', 'month')).toBe('2026-11');
  });
  it('that are none are a dash', () => expect(time('soon', 'UTC')).toBe('–'));
  it('are told as spans', () => {
    expect(duration(90_000, 'en')).toBe('1.5 min');
    expect(duration(90_000, 'zh')).toBe('1.5 分钟');
    expect(duration(3_599_000, 'en')).toBe('1 h');
    expect(duration(3_540_000, 'en')).toBe('59 min');
    expect(ago(0, 3_600_000 * 26, 'en')).toBe('1.1 d ago');
    expect(ago(0, 1000, 'zh')).toBe('刚刚');
  });
});

describe('hostile texts', () => {
  it('show what would reorder or hide', () => {
    expect(inert('a\u202egnp.exe')).toBe('a⟨U+202E⟩gnp.exe');
    expect(inert('pay\u200bpal')).toBe('pay⟨U+200B⟩pal');
    expect(inert('x\u0000y\n')).toBe('x⟨U+0000⟩y⟨U+000A⟩');
    expect(inert('tag\u{e0041}')).toBe('tag⟨U+E0041⟩');
    expect(inert('half\ud800')).toBe('half⟨U+D800⟩');
  });
  it('are otherwise as they are', () => {
    expect(pieces('<img src=x onerror=alert(1)> 用户/名称 😀')).toEqual([{ text: '<img src=x onerror=alert(1)> 用户/名称 😀', hidden: false }]);
    expect(pieces('')).toEqual([]);
  });
});

describe('names', () => {
  it('come from the taxonomy in both languages', () => {
    expect(nameOf('attack_kind', 'credential_stuffing', 'zh')).toBe('撞库');
    expect(nameOf('attack_kind', 'credential_stuffing', 'en')).toBe('credential stuffing');
    expect(nameOf('attack_kind', 'not_there', 'en')).toBe('not_there');
  });
  it('tells one from many', () => {
    expect(fill('{n} {n|person was|people were} asked', { n: 1 })).toBe('1 person was asked');
    expect(fill('{n} {n|person was|people were} asked', { n: '2,100' })).toBe('2,100 people were asked');
    expect(fill('{n} {n|attack|attacks}', { n: 0 })).toBe('0 attacks');
  });
  it('fills in what is given only', () => expect(fill('{a} of {b}', { a: 1 })).toBe('1 of {b}'));
});

import { expect, test } from 'vitest';
import { level } from './level';

test('what follows of what is known', () => {
  expect(level({ score: 0, blockable: false, never: 'people' })).toBe('never');
  expect(level({ score: 81, blockable: true })).toBe('block');
  expect(level({ score: 69, blockable: false })).toBe('tell');
  expect(level({ score: 20, blockable: false })).toBe('tell');
  expect(level({ score: 19, blockable: false })).toBe('weak');
  expect(level({ score: 0, blockable: false })).toBe('nothing');
});

import { describe, expect, test } from 'vitest';
import { Trouble } from '../api/client';
import { problemFields } from './problemFields';

const problem = (errors: { field: string; detail: string }[], status = 400) =>
  new Trouble(status, { type: 'urn:x', title: 'Wrong', status, code: 'invalid', errors });

describe('problemFields', () => {
  test('puts what is wrong at its field', () => {
    const t = problemFields(problem([{ field: 'clients[0]', detail: 'no network' }, { field: 'expires', detail: 'is past' }]), ['clients', 'expires'], 'en');
    expect(t).toEqual({ fields: { clients: ['no network'], expires: ['is past'] }, whole: '', stale: false });
  });
  test('tells the rest of the whole', () => {
    const t = problemFields(problem([{ field: '', detail: 'it contradicts' }], 409), ['template'], 'en');
    expect(t.whole).toContain('it contradicts');
    expect(t.stale).toBe(true);
  });
  test('says something when nothing came', () => {
    expect(problemFields(new Trouble(0), [], 'zh').whole).toContain('服务没有应答');
  });
});

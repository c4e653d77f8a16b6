import { describe, expect, it } from 'vitest';
import { curlOf, linesOf, nest, type Evidence } from './evidence';
import { countOf, degree, groupsOf, viewOf, type Defect } from './groups';
import { escape, ticketOf } from './ticket';

const say = (s: string) => ({ zh: s, en: s });
const evidence = (e: Partial<Evidence>): Evidence => ({ exchange: 'x', what: say(''), value: '', ...e });
const defect = (d: Partial<Defect>): Defect => ({
  id: '1', class: 'misconfiguration', kind: 'cors', component: '', api: 'a', severity: 'high', harm: 'high', exploitability: 'critical', prevalence: 'moderate', rating: say(''),
  confidence: 1, status: 'confirmed', first_seen: '2026-01-01T00:00:00Z', last_seen: '2026-02-01T00:00:00Z', count: 3, evidence: [], reason: say('why'), advice: say('do'), owasp: ['API8:2023'], cwe: ['CWE-942'], exploited_by: [], ...d,
});

describe('groups', () => {
  it('puts the worst class first and counts kinds', () => {
    const g = groupsOf([defect({}), defect({ kind: 'api_docs' }), defect({}), defect({ class: 'weak_password', kind: 'weak_in_use', severity: 'critical' })], 'class');
    expect(g.map((x) => [x.id, x.count, x.worst])).toEqual([['weak_password', 1, 'critical'], ['misconfiguration', 3, 'high']]);
    expect(g[1]!.kinds).toEqual([{ id: 'cors', count: 2 }, { id: 'api_docs', count: 1 }]);
  });
  it('counts a defect under each number of the list, in its order', () => {
    expect(groupsOf([defect({ owasp: ['API10:2023', 'API2:2023'] }), defect({})], 'owasp').map((x) => x.id)).toEqual(['API2:2023', 'API8:2023', 'API10:2023']);
  });
  it('counts views by states', () => {
    const group = (state: string, count: number) => ({ site: '', type: '', severity: '', state, count });
    const counts = { total: 10, groups: [group('confirmed', 3), group('regressed', 1), group('verifying', 2), group('fixed', 4)] };
    expect((['open', 'verifying', 'fixed', 'dismissed', 'all'] as const).map((v) => countOf(v, counts))).toEqual([6, 2, 4, 0, 10]);
    expect(viewOf('nonsense')).toBe('open');
  });
  it('knows degrees', () => expect(['critical', 'high', 'elevated', 'moderate'].map(degree)).toEqual([4, 3, 2, 1]));
});

describe('evidence', () => {
  it('marks what the finding is about', () => {
    const e = evidence({ what: say('response field data.mobile holds plain numbers'), value: '13*******72', request: ['GET /a', 'authorization: –'], response: ['200, 3 B', 'data.mobile = 13*******72 (cn_mobile)', 'data.mobileX = 1 (x)', '+ data.token: bearer ab*(3)*c'] });
    expect(linesOf(e, 'request', true).map((l) => l.hot)).toEqual([false, true]);
    expect(linesOf(e, 'request', false).map((l) => l.hot)).toEqual([false, false]);
    expect(linesOf(e, 'response', true).map((l) => l.hot)).toEqual([false, true, false, true]);
  });
  it('makes a command of a request, with shapes only', () => {
    const e = evidence({ request: ['POST /login', 'authorization: bearer ey*(9)*k', '_uid: cookie 5*e', 'query v = 2', "json user.name = o'*r (account_name)", 'json password =  (password)', '! probe.x'] });
    expect(curlOf(e, 'a.example')).toBe(
      ["curl -i -X POST 'https://a.example/login?v=2'", "-H 'authorization: Bearer ey*(9)*k'", "-b '_uid=5*e'", "-H 'Content-Type: application/json'", String.raw`--data '{"user":{"name":"o'\''*r"},"password":"***"}'`].join(' \\\n  '),
    );
  });
  it('makes no command of what is not known', () => {
    expect(curlOf(evidence({ request: ['authorization: –'] }), 'a')).toBeUndefined();
    expect(curlOf(evidence({ request: ['GET /a'] }), undefined)).toBeUndefined();
    expect(curlOf(evidence({ request: ["GET /a';id;'"] }), 'h')).toBe(String.raw`curl -i 'https://h/a'\'';id;'\'''`);
  });
  it('takes names of prototypes for names', () => expect(JSON.stringify(nest([['__proto__.a', '1'], ['b[].c', '2']]))).toBe('{"__proto__":{"a":"1"},"b":[{"c":"2"}]}'));
});

describe('tickets', () => {
  const brief = { id: 'a', site: 's', host: 'a.example', method: 'GET', template: '/a/{id}', title: undefined };
  it('say what, why, how and when it is done, in both languages', () => {
    const d = defect({ evidence: [evidence({ what: say('seen'), request: ['GET /a/{id}'], response: ['200, 1 B'] })], exploited_by: ['x'] });
    for (const lang of ['zh', 'en'] as const) {
      const text = ticketOf(d, brief, lang, 'http://x/defects?open=defect~1');
      expect(text).toContain('`GET a.example/a/{id}`');
      expect(text).toContain("curl -i 'https://a.example/a/{id}'");
      expect(text).toContain('OWASP API8:2023');
      expect(text).toContain('- [ ]');
      expect(text).not.toMatch(/\{\w\}/);
    }
  });
  it('lets nothing of the traffic be markup', () => {
    expect(escape('[x](javascript:1) <img> `a`\n# b')).toBe('\\[x\\](javascript:1) \\<img\\> \\`a\\` \\# b');
    const text = ticketOf(defect({ reason: say('![x](http://evil)'), evidence: [evidence({ response: ['```\n# out'] })] }), undefined, 'en', 'l');
    expect(text).toContain('\\!\\[x\\](http://evil)');
    expect(text).toContain('````\n  ```\n# out\n````');
  });
});

import type { Schemas } from '../../api/client';

/** What the editor begins with: a rule that compiles and says something. */
export const example = `version: 1
rules:
  - id: debug-parameter
    title: {zh: 接受调试参数, en: Debug parameter accepted}
    advice: {zh: 生产环境关闭 debug。, en: Switch debug off in production.}
    scope: {template: /api/**}        # site, host, method, template
    given: request.params.exists(p, p.name == "debug")
    when: response.status == 200 && response.sensitive.exists(s, s.level >= 2 && !s.masked)
    minimum: 3                        # firings before it is reported
    harm: high                        # moderate, elevated, high, critical
    cwe: [CWE-489]
`;

// JSON strings are YAML strings, whatever is in them.
const s = (v: string) => JSON.stringify(v);

/** yamlOf writes a rule that is in use as the editor has it. */
export function yamlOf(r: Schemas['Rule']): string {
  const scope = (['site', 'host', 'method', 'template'] as const).filter((k) => r[k]).map((k) => `${k}: ${s(r[k]!)}`);
  const lines = [
    `id: ${r.id}`,
    `title: {zh: ${s(r.title.zh)}, en: ${s(r.title.en)}}`,
    r.advice && `advice: {zh: ${s(r.advice.zh)}, en: ${s(r.advice.en)}}`,
    scope.length > 0 && `scope: {${scope.join(', ')}}`,
    r.given && `given: ${s(r.given)}`,
    `when: ${s(r.when)}`,
    r.minimum && `minimum: ${r.minimum}`,
    r.harm && `harm: ${r.harm}`,
    r.exploitability && `exploitability: ${r.exploitability}`,
    r.cwe?.length && `cwe: [${r.cwe.join(', ')}]`,
  ].filter(Boolean);
  return `version: 1\nrules:\n  - ${lines.join('\n    ')}\n`;
}

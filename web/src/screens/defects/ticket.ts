import { nameOf, type Lang } from '../../text/text';
import type { Brief } from './useBrief';
import { curlOf, linesOf } from './evidence';
import { degree, type Defect } from './groups';
import { owasp } from './owasp';

const words = {
  where: { zh: '接口', en: 'API' },
  severity: { zh: '严重度', en: 'Severity' },
  rating: { zh: '危害 {h}/4 · 可利用 {e}/4 · 普遍 {p}/4', en: 'harm {h}/4 · exploitability {e}/4 · prevalence {p}/4' },
  problem: { zh: '问题', en: 'Problem' },
  evidence: { zh: '证据（值已脱敏）', en: 'Evidence (values redacted)' },
  request: { zh: '请求', en: 'Request' },
  response: { zh: '响应', en: 'Response' },
  task: { zh: '要做的事', en: 'Task' },
  done: { zh: '完成标准', en: 'Done when' },
  'done.1': { zh: '同类请求不再出现上述证据。', en: 'Requests of this kind no longer show the evidence above.' },
  'done.2': { zh: '上线后在獬豸中“声称已修复”，由真实流量验证通过。', en: 'After the release a fix is claimed in Xiezhi and real traffic proves it.' },
  refs: { zh: '参考', en: 'References' },
  exploited: { zh: '已被 {n} 起攻击利用', en: 'exploited by {n} attacks' },
  seen: { zh: '自 {first} 起触发 {n} 次，最近 {last}', en: 'seen {n} times since {first}, last {last}' },
};

/** escape keeps what traffic chose from being markup of the ticket. */
export const escape = (s: string) => s.replace(/([\\`*_{}[\]<>#|!])/g, '\\$1').replace(/\r?\n/g, ' ');

/** fence gives a fence longer than any in the text. */
function fenced(s: string): string {
  const longest = Math.max(2, ...[...s.matchAll(/`+/g)].map((m) => m[0].length));
  const f = '`'.repeat(longest + 1);
  return `${f}\n${s}\n${f}`;
}

/** ticketOf writes a defect as a task for developers, in Markdown. */
export function ticketOf(d: Defect, api: Brief | undefined, lang: Lang, link: string): string {
  const w = (id: keyof typeof words, args: Record<string, string | number> = {}) =>
    words[id][lang].replace(/\{(\w+)\}/g, (all, n: string) => (n in args ? String(args[n]) : all));
  const where = api ? `\`${api.method} ${api.host}${api.template}\`` : '–';
  const out = [
    `# ${nameOf('defect_kind', d.kind, lang)}${api ? ` — ${escape(`${api.method} ${api.template}`)}` : ''}`,
    '',
    `- ${w('where')}: ${where}`,
    `- ${w('severity')}: **${nameOf('severity', d.severity, lang)}** (${w('rating', { h: degree(d.harm), e: degree(d.exploitability), p: degree(d.prevalence) })})`,
    `- ${w('seen', { n: d.count, first: d.first_seen.slice(0, 10), last: d.last_seen.slice(0, 10) })}`,
    ...(d.exploited_by.length ? [`- **${w('exploited', { n: d.exploited_by.length })}**`] : []),
    '',
    `## ${w('problem')}`,
    '',
    escape(d.reason[lang]),
    '',
    `## ${w('task')}`,
    '',
    escape(d.advice[lang]),
    '',
    `## ${w('done')}`,
    '',
    `- [ ] ${w('done.1')}`,
    `- [ ] ${w('done.2')}`,
  ];
  const e = d.evidence[0];
  if (e) {
    out.push('', `## ${w('evidence')}`, '', escape(e.what[lang]));
    const curl = curlOf(e, api?.host);
    const side = (s: 'request' | 'response') => linesOf(e, s, d.class === 'unauthorized_access').map((l) => `${l.hot ? '> ' : '  '}${l.text}`).join('\n');
    if (curl ?? e.request?.length) out.push('', `${w('request')}:`, '', fenced(curl ?? side('request')));
    if (e.response?.length) out.push('', `${w('response')}:`, '', fenced(side('response')));
  }
  const refs = [...d.owasp.map((o) => `OWASP ${o} ${owasp[o]?.[lang] ?? ''}`.trim()), ...d.cwe];
  out.push('', `${w('refs')}: ${refs.join(', ')}`, '', `Xiezhi: ${link}`, '');
  return out.join('\n');
}

import type { Said } from '../../text/text';
import type { Figures } from './useOverview';

type Quality = Figures['quality'];

export type Note = {
  id: string;
  tone: 'good' | 'note' | 'warn' | 'bad';
  title: Said;
  count?: number;
  said?: Said; // what the service says
  todo?: Said;
};

/** What to do about exchanges that could not be analysed, by reason. */
const remedies: Record<string, Said> = {
  corrupt: { zh: '来源发来的数据已损坏：检查探针版本和网络。', en: 'What a source sent is damaged: look at its version and the network.' },
  truncated: { zh: '抓包被截短：用 -s 0，镜像口关闭截断。', en: 'Captures are cut short: use -s 0 and mirror without truncation.' },
  unsupported_protocol: { zh: '这些协议不是 HTTP：用 --bpf 缩小抓包范围。', en: 'These protocols are not HTTP: narrow the capture with --bpf.' },
  encrypted: { zh: '在 TLS 卸载的内侧镜像，或用 --keylog 给出密钥。', en: 'Mirror behind the TLS terminator, or give keys with --keylog.' },
  gap: { zh: '抓包丢包：加大 --live-buffer 或增加 --rings。', en: 'Packets were lost: raise --live-buffer or use more --rings.' },
  oversize: { zh: '超长报文按上限截取，通常无需处理。', en: 'Messages beyond the cap; usually nothing has to be done.' },
  overload: { zh: '处理不过来：增加 CPU 或 --workers，或缩小接入范围。', en: 'More came than could be taken: give more CPU or --workers, or connect less.' },
  late: { zh: '到得太晚：核对探针时钟，或加大 --hold。', en: 'Came too late: check the clocks of sensors, or raise --hold.' },
  duplicate: { zh: '收到两次：镜像只复制一个方向或一处。', en: 'Came twice: mirror one direction, or at one place.' },
  limit: { zh: '超过数量上限：见“限制”文档，可拆分站点。', en: 'Beyond a cap: see LIMITS; sites can be split.' },
};

/** Codes that tell of something that went well or that costs nothing. */
const harmless = new Set(['tls_decrypted', 'out_of_order', 'duplicate_packets']);
/** Codes that hide whole kinds of findings. */
const grave = new Set(['encrypted_not_inspected', 'no_bodies', 'no_responses', 'one_sided', 'packets_dropped', 'state_evicted', 'messages_lost']);

/** notes says what was lost or could not be seen, the gravest first. */
export function notes(q: Quality, name: (kind: string, id: string) => Said): Note[] {
  const out: Note[] = [];
  const down = q.sites.filter((s) => s.state === 'failing' || s.state === 'degraded' || s.state === 'off');
  for (const s of down) {
    out.push({ id: `site-${s.site}`, tone: s.state === 'failing' ? 'bad' : 'warn', title: { zh: `站点 ${s.site}`, en: `Site ${s.site}` }, said: s.text });
  }
  for (const d of q.dropped) {
    if (d.count > 0) {
      out.push({
        id: `drop-${d.reason}`, tone: d.reason === 'overload' || d.reason === 'gap' ? 'bad' : 'warn', count: d.count, todo: remedies[d.reason],
        title: { zh: `未分析：${name('drop_reason', d.reason).zh}`, en: `Not analysed: ${name('drop_reason', d.reason).en}` },
      });
    }
  }
  if (q.blind.length > 0) {
    const connections = q.blind.reduce((n, b) => n + b.connections, 0);
    const servers = q.blind.slice(0, 3).map((b) => b.name || b.server);
    out.push({
      id: 'blind', tone: 'warn', count: connections, todo: remedies.encrypted,
      title: { zh: `加密看不到的服务器：${servers.join('、')}${q.blind.length > 3 ? ` 等 ${q.blind.length} 个` : ''}`, en: `Servers hidden by encryption: ${servers.join(', ')}${q.blind.length > 3 ? ` and ${q.blind.length - 3} more` : ''}` },
    });
  }
  if (q.late > 0 && !q.dropped.some((d) => d.reason === 'late')) out.push({ id: 'late', tone: 'warn', count: q.late, title: { zh: '到达过晚', en: 'Came too late' }, todo: remedies.late });
  if (q.ahead > 0) {
    out.push({
      id: 'ahead', tone: 'warn', count: q.ahead, title: { zh: '时钟超前', en: 'Clock ahead' },
      todo: { zh: '有来源的时钟快了：请对时，否则次序不可靠。', en: 'The clock of a source is ahead: set it, or the order cannot be relied on.' },
    });
  }
  for (const c of q.codes) {
    if (c.code === 'encrypted_not_inspected' && q.blind.length > 0) continue;
    out.push({ id: c.code, tone: harmless.has(c.code) ? 'good' : grave.has(c.code) ? 'warn' : 'note', count: c.count, title: name('quality', c.code), said: c.text });
  }
  for (const l of q.limits) {
    if (l.count > 0) {
      out.push({
        id: `limit-${l.reason}`, tone: 'note', count: l.count,
        title: { zh: '达到上限', en: 'Cap reached' },
        said: l.text ?? { zh: l.reason, en: l.reason },
      });
    }
  }
  const order = { bad: 0, warn: 1, note: 2, good: 3 };
  return out.sort((a, b) => order[a.tone] - order[b.tone]);
}

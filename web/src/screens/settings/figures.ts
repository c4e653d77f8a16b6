import type { Schemas } from '../../api/client';

export type Part = Schemas['Part'];
export type Status = Schemas['Status'];

/** Names of figures; one that is not here is shown by its own name. */
export const figureNames = {
  accepted: { zh: '已接收', en: 'taken' },
  sources: { zh: '来源数', en: 'sources' },
  bytes: { zh: '字节', en: 'bytes' },
  last: { zh: '最新序号', en: 'newest number' },
  kept: { zh: '留存批次', en: 'batches kept' },
  behind: { zh: '待研判批次', en: 'batches to judge' },
  judged: { zh: '已研判批次', en: 'batches judged' },
  lost: { zh: '丢失', en: 'lost' },
  late: { zh: '到得太晚', en: 'came too late' },
  clock_ahead: { zh: '时钟超前', en: 'clock ahead' },
  duplicates: { zh: '重复', en: 'duplicates' },
  forced: { zh: '因缓冲满提前放行', en: 'let go early for room' },
  held_bytes: { zh: '等待排序（字节）', en: 'held for order (bytes)' },
  waiting_bytes: { zh: '等待应答（字节）', en: 'waiting for answers (bytes)' },
  exchanges: { zh: '请求', en: 'exchanges' },
  listeners: { zh: '在线页面', en: 'pages that listen' },
  sent: { zh: '已推送', en: 'sent' },
  dropped: { zh: '丢弃', en: 'dropped' },
  feeds: { zh: '情报源', en: 'feeds' },
  indicators: { zh: '指标', en: 'indicators' },
  forgotten: { zh: '因容量忘掉的攻击', en: 'attacks forgotten for room' },
  faults: { zh: '内部错误', en: 'faults' },
} as const;

/** Figures of bytes are written as sizes. */
export const isSize = (name: string) => name === 'bytes' || name.endsWith('_bytes');

const order = { failing: 0, degraded: 1, warming: 2, off: 3, ok: 4 } as const;

/** worst puts first what needs attention. */
export const worst = (parts: readonly Part[]): Part[] => [...parts].sort((a, b) => order[a.state] - order[b.state]);

/** Parts that are not as they should be; one that is off is so by choice. */
export const bad = (s: Status): Part[] => worst([...s.sources, s.stream, ...s.judges, ...s.stores, s.events].filter((p) => p.state === 'failing' || p.state === 'degraded'));

/** What was taken and is neither judged nor dropped. */
export const underWay = (s: Status) => Math.max(0, s.exchanges - s.analysed - s.dropped.reduce((n, d) => n + d.count, 0));

export type Sample = { at: number; exchanges: number };

/** rate gives what came in per second between two answers, by the service's clock. */
export function rate(before: Sample | undefined, after: Sample): number | undefined {
  if (!before || after.at - before.at < 1000 || after.exchanges < before.exchanges) return undefined;
  return (1000 * (after.exchanges - before.exchanges)) / (after.at - before.at);
}

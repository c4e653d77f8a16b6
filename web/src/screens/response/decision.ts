import type { Schemas } from '../../api/client';

export type Entry = Schemas['PolicyEntry'];

/** What a reader is told of a decision; one whose time is over holds no more, whatever its state. */
export type Stage = Entry['state'] | 'expired';

export function stageOf(e: Pick<Entry, 'state' | 'expires'>, now: number): Stage {
  if ((e.state === 'live' || e.state === 'pending') && e.expires && Date.parse(e.expires) <= now) return 'expired';
  return e.state;
}

/** Splits, merges and claims are history: what came of them is undone by another, not by an end. */
export const endable = (e: Pick<Entry, 'kind' | 'edit'>) => e.kind !== 'fix' && (e.kind !== 'template' || e.edit === 'rename' || e.edit === 'role');

/** target writes which APIs a decision names; empty parts stand for any. */
export function target(e: Pick<Entry, 'site' | 'host' | 'method' | 'template'>): string {
  return [e.method, [e.host, e.template].filter(Boolean).join('')].filter(Boolean).join(' ');
}

import { useCallback, useMemo } from 'react';
import { useSearchParams } from 'react-router';
import { now } from '../api/client';

/** The state of a screen lives in the URL, so that a link shows what was seen. */
export type Change = Record<string, string | readonly string[] | null | undefined>;

export type Url = {
  get: (name: string) => string | undefined;
  all: (name: string) => string[];
  /** set changes parameters; null or '' takes one away. */
  set: (change: Change, how?: { push?: boolean }) => void;
};

export function useUrl(): Url {
  const [params, setParams] = useSearchParams();
  const set = useCallback(
    (change: Change, how?: { push?: boolean }) =>
      setParams((before) => apply(before, change), { replace: !how?.push }),
    [setParams],
  );
  return useMemo(
    () => ({ get: (name) => params.get(name) ?? undefined, all: (name) => params.getAll(name), set }),
    [params, set],
  );
}

export function apply(before: URLSearchParams, change: Change): URLSearchParams {
  const next = new URLSearchParams(before);
  for (const [name, value] of Object.entries(change)) {
    next.delete(name);
    if (Array.isArray(value)) value.forEach((v) => next.append(name, v));
    else if (value) next.set(name, value as string);
  }
  return next;
}

/** Ranges of time that are named; ms back from now. */
export const ranges = {
  '1h': 3_600_000,
  '24h': 86_400_000,
  '7d': 7 * 86_400_000,
  '30d': 30 * 86_400_000,
  '90d': 90 * 86_400_000,
  '1y': 365 * 86_400_000,
} as const;

export type RangeName = keyof typeof ranges | 'all';

export type Span = { from?: string; to?: string; name?: RangeName };

/** How coarsely now is taken, so that a range is the same question for a while. */
const grain = 60_000;

/** spanOf gives the period that a URL names. */
export function spanOf(get: Url['get'], standard: RangeName): Span {
  const from = get('from');
  const to = get('to');
  if (from || to) return { from, to };
  const asked = get('range');
  const name = (asked && (asked in ranges || asked === 'all') ? asked : standard) as RangeName;
  if (name === 'all') return { name };
  const end = Math.ceil(now() / grain) * grain;
  return { name, from: new Date(end - ranges[name]).toISOString(), to: new Date(end).toISOString() };
}

/** useSpan gives the period of the screen. */
export function useSpan(standard: RangeName): Span {
  const url = useUrl();
  const key = `${url.get('from') ?? ''}|${url.get('to') ?? ''}|${url.get('range') ?? ''}|${Math.ceil(now() / grain)}`;
  // eslint-disable-next-line react-hooks/exhaustive-deps
  return useMemo(() => spanOf(url.get, standard), [key, standard]);
}

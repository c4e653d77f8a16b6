import { keepPreviousData } from '@tanstack/react-query';
import { api, now } from '../api/client';
import { usePreferences } from '../preferences';
import { offset } from '../text/format';
import { ranges, useSpan, type RangeName, type Span } from './url';

/** The API sums up no more than this; all of time is cut to it. */
const most = 400 * ranges['24h'];

/** bounds gives a period two ends: now, and the first day of which anything is kept. */
export function bounds(span: Span, at: number, first?: string): { from: string; to: string } {
  const to = span.to ? Date.parse(span.to) : Math.ceil(at / 60_000) * 60_000;
  const known = span.from ?? first;
  const from = known ? Math.max(Date.parse(known), to - most) : to - most;
  return { from: new Date(Math.min(from, to - 60_000)).toISOString(), to: new Date(to).toISOString() };
}

export type Period = {
  from: string;
  to: string;
  offset: number; // minutes that the reader's clock is ahead of UTC
  step: 'minute' | 'hour' | 'day';
  ready: boolean; // it is known how far back there is anything
};

/** stepOf is how finely a period is drawn. */
export function stepOf(from: string, to: string): Period['step'] {
  const length = Date.parse(to) - Date.parse(from);
  return length <= 6 * ranges['1h'] ? 'minute' : length <= 4 * ranges['24h'] ? 'hour' : 'day';
}

/** usePeriod gives the period of the screen for questions that need both ends. */
export function usePeriod(standard: RangeName): Period {
  const span = useSpan(standard);
  const { zone } = usePreferences();
  const open = !span.from;
  const days = api.useQuery('get', '/api/v1/observations/days', {}, { enabled: open, staleTime: 300_000, retry: false, placeholderData: keepPreviousData });
  const first = days.data?.days[0]?.day;
  const { from, to } = bounds(span, now(), first && `${first}T00:00:00Z`);
  return { from, to, offset: offset(new Date(to), zone), step: stepOf(from, to), ready: !open || !days.isPending };
}

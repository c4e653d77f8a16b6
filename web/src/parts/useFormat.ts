import { useMemo } from 'react';
import { now } from '../api/client';
import { usePreferences } from '../preferences';
import { ago, bytes, duration, exact, number, percent, time, zoneName, type Detail } from '../text/format';

/** useFormat writes numbers and times for the reader: language and zone are the reader's. */
export function useFormat() {
  const { lang, zone } = usePreferences();
  return useMemo(
    () => ({
      lang,
      zone,
      number: (n: number) => number(n, lang),
      exact: (n: number) => exact(n, lang),
      percent: (share: number) => percent(share, lang),
      bytes,
      duration: (ms: number) => duration(ms, lang),
      ago: (t: string | number | Date) => ago(t, now(), lang),
      time: (t: string | number | Date, detail?: Detail) => time(t, zone, detail),
      timeIn: (t: string | number | Date, detail?: Detail) => time(t, zone, detail, true),
      zoneName: () => zoneName(new Date(now()), zone),
    }),
    [lang, zone],
  );
}

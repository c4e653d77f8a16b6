const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

export type Step = 'minute' | 'hour' | 'day';

/** stepOf gives the step in which a period makes a readable chart. */
export function stepOf(from: string, to: string): Step {
  const span = Date.parse(to) - Date.parse(from);
  if (span <= 4 * hour) return 'minute';
  return span <= 10 * day ? 'hour' : 'day';
}

export const lengthOf = (step: Step): number => ({ minute, hour, day })[step];

/** around widens a period a little, so that what lies at its ends is seen. */
export function around(from: string, to: string): { from: string; to: string } {
  const a = Date.parse(from);
  const b = Date.parse(to);
  const edge = Math.max(minute, (b - a) / 50);
  return { from: new Date(a - edge).toISOString(), to: new Date(b + edge).toISOString() };
}

/** offsetOf gives the minutes that clocks of a zone are ahead of UTC at a time. */
export function offsetOf(zone: string, at: number): number {
  const part = new Intl.DateTimeFormat('en-GB', { timeZone: zone, timeZoneName: 'longOffset' }).formatToParts(new Date(at)).find((p) => p.type === 'timeZoneName')?.value ?? '';
  const m = /([+-])(\d\d):?(\d\d)?/.exec(part);
  return m ? (m[1] === '-' ? -1 : 1) * (Number(m[2]) * 60 + Number(m[3] ?? 0)) : 0;
}

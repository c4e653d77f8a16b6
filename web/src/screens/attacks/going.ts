const hour = 3_600_000;

/**
 * underWay reports whether an attack goes on, as the service's agenda has it:
 * silent for an hour at most, or for a tenth of its life, but no more than a day.
 */
export function underWay(first: string, last: string, now: number): boolean {
  const end = Date.parse(last);
  return now - end <= Math.max(hour, Math.min((end - Date.parse(first)) / 10, 24 * hour));
}

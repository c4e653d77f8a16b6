import type { Schemas } from '../../../api/client';

const address = /^[0-9a-f:.]+(\/\d{1,3})?$/i;

/** addresses gives the addresses and networks of a selector, and nothing that is none. */
export function addresses(s: Schemas['Attack']['selector']): string[] {
  return [...(s.keys.ip ?? []), ...(s.keys.prefix ?? [])].filter((a) => address.test(a));
}

/** nginx writes what nginx refuses addresses by. */
export const nginx = (list: readonly string[]): string => list.map((a) => `deny ${a};`).join('\n');

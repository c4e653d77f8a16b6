import type { Schemas } from '../../api/client';

export type Level = 'never' | 'block' | 'tell' | 'weak' | 'nothing';

/** From here on a thing may be acted upon by itself; and from here on detection is told of it. */
export const blocks = 70;
export const tells = 20;

/** level is what follows of what is known. */
export function level(k: Pick<Schemas['Known'], 'score' | 'blockable' | 'never'>): Level {
  if (k.never) return 'never';
  if (k.blockable) return 'block';
  if (k.score >= tells) return 'tell';
  return k.score > 0 ? 'weak' : 'nothing';
}

type Entry = { key: string; value: number };

export type Abroad = {
  total: number;
  home?: string; // the country that takes most; absent where no country is known
  abroad: number;
  unknown: number;
  lands: Entry[]; // abroad, the largest first
};

/** A country is two letters; rows whose country is not known have none. */
const known = (e: Entry) => /^[A-Z]{2}$/.test(e.key) && e.key !== 'ZZ';

/** abroadOf tells home from abroad: home is where most goes, as the detectors learn it. */
export function abroadOf(entries: readonly Entry[], total: number): Abroad {
  const lands = entries.filter((e) => known(e) && e.value > 0);
  const home = lands[0]?.key;
  const at = lands.filter((e) => e.key !== home);
  const abroad = at.reduce((n, e) => n + e.value, 0);
  const here = lands[0]?.value ?? 0;
  return { total, home, abroad, unknown: Math.max(0, total - here - abroad), lands: at.slice(0, 6) };
}

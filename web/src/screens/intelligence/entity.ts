/** What intelligence can be asked about. */
export const kinds = ['client', 'prefix', 'asn', 'country', 'network', 'actor', 'account', 'session', 'agent'] as const;
export type Kind = (typeof kinds)[number];

export type Entity = { kind: Kind; value: string };

/** entityOf reads what a link names an entity by: kind~value. */
export function entityOf(id: string): Entity | undefined {
  const cut = id.indexOf('~');
  const kind = kinds.find((k) => k === id.slice(0, cut));
  const value = id.slice(cut + 1);
  return kind && value ? { kind, value: kind === 'asn' ? value.replace(/^AS/i, '') : value } : undefined;
}

/** shown is how an entity is written. */
export const shown = (e: Entity): string => (e.kind === 'asn' ? `AS${e.value}` : e.value);

/** evident gives the entity that a text is without a question: an address, a network, an autonomous system. */
export function evident(q: string): Entity | undefined {
  const s = q.trim();
  const v4 = /^(\d{1,3}\.){3}\d{1,3}$/;
  const as = /^AS(\d{1,10})$/i.exec(s);
  if (as) return { kind: 'asn', value: as[1]! };
  const [address, bits, rest] = s.split('/');
  const plain = v4.test(address!) ? address!.split('.').every((x) => Number(x) < 256) : /^[0-9a-f:]+$/i.test(address!) && (address!.match(/:/g)?.length ?? 0) >= 2;
  if (!plain || rest !== undefined) return undefined;
  if (bits === undefined) return { kind: 'client', value: s };
  return /^\d{1,3}$/.test(bits) ? { kind: 'prefix', value: s } : undefined;
}

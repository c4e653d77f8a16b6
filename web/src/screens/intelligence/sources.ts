import type { Schemas } from '../../api/client';

export type Source = { key: string; name?: string; ips: number; attacks: number };

type Named = { key: string; name?: string; ips: number };

type Attack = { actors: Pick<Schemas['Attack']['actors'], 'ips' | 'fingerprints' | 'networks' | 'countries' | 'network_types'> };

/**
 * sources adds up where attacks come from. Networks, countries and types of
 * network with most addresses come first, addresses and software that most
 * attacks name.
 */
export function sources(attacks: readonly Attack[]): Record<'addresses' | 'software' | 'networks' | 'countries' | 'types', Source[]> {
  const sum = (of: (a: Attack) => readonly Named[], often = false) => {
    const all = new Map<string, Source>();
    for (const a of attacks) {
      for (const x of of(a)) {
        const s = all.get(x.key) ?? { key: x.key, name: x.name, ips: 0, attacks: 0 };
        s.ips += x.ips;
        s.attacks++;
        all.set(x.key, s);
      }
    }
    return [...all.values()].sort((a, b) => (often ? 0 : b.ips - a.ips) || b.attacks - a.attacks || (a.key < b.key ? -1 : 1));
  };
  return {
    addresses: sum((a) => a.actors.ips.map((ip) => ({ key: ip, ips: 1 })), true),
    software: sum((a) => a.actors.fingerprints.map((x) => ({ key: x, ips: 0 })), true),
    networks: sum((a) => (a.actors.networks ?? []).map((n) => ({ key: `AS${n.asn}`, name: n.organisation, ips: n.ips }))),
    countries: sum((a) => (a.actors.countries ?? []).map((c) => ({ key: c.country, ips: c.ips }))),
    types: sum((a) => (a.actors.network_types ?? []).map((n) => ({ key: n.type, ips: n.ips }))),
  };
}

import type { Schemas } from '../../api/client';

export type Source = { key: string; name?: string; ips: number; attacks: number };

type Attack = { actors: Pick<Schemas['Attack']['actors'], 'networks' | 'countries' | 'network_types'> };

/** sources adds up where attacks come from: networks, countries and types of network, the largest first. */
export function sources(attacks: readonly Attack[]): { networks: Source[]; countries: Source[]; types: Source[] } {
  const sum = (of: (a: Attack) => readonly { key: string; name?: string; ips: number }[]) => {
    const all = new Map<string, Source>();
    for (const a of attacks) {
      for (const x of of(a)) {
        const s = all.get(x.key) ?? { key: x.key, name: x.name, ips: 0, attacks: 0 };
        s.ips += x.ips;
        s.attacks++;
        all.set(x.key, s);
      }
    }
    return [...all.values()].sort((a, b) => b.ips - a.ips || b.attacks - a.attacks || (a.key < b.key ? -1 : 1));
  };
  return {
    networks: sum((a) => (a.actors.networks ?? []).map((n) => ({ key: `AS${n.asn}`, name: n.organisation, ips: n.ips }))),
    countries: sum((a) => (a.actors.countries ?? []).map((c) => ({ key: c.country, ips: c.ips }))),
    types: sum((a) => (a.actors.network_types ?? []).map((n) => ({ key: n.type, ips: n.ips }))),
  };
}

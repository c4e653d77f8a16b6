import { expect, test } from 'vitest';
import { entityOf, evident, shown } from './entity';
import { sources } from './sources';

test('a text that is an address, a network or an autonomous system is known as one', () => {
  expect([evident('192.0.2.7'), evident(' 2001:db8::1 '), evident('10.0.0.0/8'), evident('as64633')]).toEqual([
    { kind: 'client', value: '192.0.2.7' }, { kind: 'client', value: '2001:db8::1' }, { kind: 'prefix', value: '10.0.0.0/8' }, { kind: 'asn', value: '64633' },
  ]);
  for (const q of ['192.0.2.700', '/api/v1', 'deadbeef', 'a:b', '10.0.0.0/8/8', '10.0.0.0/x', '', 'AS', '0123456789abcdef']) expect(evident(q), q).toBeUndefined();
});

test('a link names an entity', () => {
  expect(entityOf('asn~AS64633')).toEqual({ kind: 'asn', value: '64633' });
  expect(entityOf('prefix~10.0.0.0/8')).toEqual({ kind: 'prefix', value: '10.0.0.0/8' });
  expect([entityOf('thing~x'), entityOf('client~'), entityOf('client')]).toEqual([undefined, undefined, undefined]);
  expect([shown({ kind: 'asn', value: '1' }), shown({ kind: 'client', value: '::1' })]).toEqual(['AS1', '::1']);
});

test('sources of attacks are added up, the largest first', () => {
  const a = (asn: number, country: string, ips: number) => ({ actors: { ips: [`192.0.2.${asn}`], fingerprints: ['curl'], networks: [{ asn, organisation: `o${asn}`, ips }], countries: [{ country, ips }], network_types: [{ type: 'vpn' as const, ips }] } });
  const s = sources([a(1, 'CN', 2), a(2, 'DE', 9), a(1, 'CN', 3), { actors: { ips: ['192.0.2.2'], fingerprints: [] } }, { actors: { ips: ['192.0.2.2'], fingerprints: [] } }]);
  expect(s.addresses.map((x) => [x.key, x.attacks])).toEqual([['192.0.2.2', 3], ['192.0.2.1', 2]]);
  expect(s.software.map((x) => [x.key, x.attacks])).toEqual([['curl', 3]]);
  expect(s.networks).toEqual([{ key: 'AS2', name: 'o2', ips: 9, attacks: 1 }, { key: 'AS1', name: 'o1', ips: 5, attacks: 2 }]);
  expect(s.countries.map((c) => [c.key, c.ips])).toEqual([['DE', 9], ['CN', 5]]);
  expect(s.types).toEqual([{ key: 'vpn', name: undefined, ips: 14, attacks: 3 }]);
});

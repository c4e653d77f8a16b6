import type { Schemas } from '../../api/client';

export type Attack = Schemas['Attack'];
export type Key = keyof Attack['selector']['keys'];

/** Keys whose values are tokens of this installation: nobody else can match them. */
export const tokenKeys: ReadonlySet<Key> = new Set<Key>(['credential', 'account']);

/** keysOf gives what has to match, with the values of each. */
export const keysOf = (a: Attack): [Key, readonly string[]][] =>
  (Object.entries(a.selector.keys) as [Key, readonly string[] | undefined][]).flatMap(([k, v]) => (v?.length ? [[k, v]] : []));

const address = /^[0-9a-fA-F.:]+(\/\d{1,3})?$/;

/** addressesOf gives what a firewall can take as it is; tokens of addresses are none. */
export const addressesOf = (a: Attack): string[] => [...(a.selector.keys.ip ?? []), ...(a.selector.keys.prefix ?? [])].filter((v) => address.test(v));

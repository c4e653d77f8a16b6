import type { paths } from '../../../api/schema.gen';
import type { Url } from '../../../parts/url';
import { outcomes, rowVerdicts } from '../words';

/** What single requests can be asked by; the same for rows, series, tops and pivots. */
export type RowQuery = Omit<NonNullable<paths['/api/v1/observations']['get']['parameters']['query']>, 'cursor' | 'limit'>;

/** Conditions that take one value, in the order in which they are offered. */
export const singles = ['client', 'api', 'account', 'actor', 'session', 'agent', 'country', 'network', 'status', 'exchange', 'attack', 'finding'] as const;
export type Single = (typeof singles)[number];

/** Of those the ones that can be left out. */
export const leavable: readonly Single[] = ['client', 'api', 'account', 'actor', 'session', 'agent', 'country', 'network', 'status', 'attack'];

const token = /^[0-9a-f]{16}$/;
const parts = { client: /^[0-9a-f:.]+(\/\d{1,3})?$/i, country: /^[A-Z]{2}$/, status: /^[1-9]\d\d$/ };

/** fault says what is wrong with a value, as the name of a text; none if it will do. */
export function fault(name: Single, value: string): 'badAddress' | 'badToken' | 'badStatus' | 'badCountry' | undefined {
  switch (name) {
    case 'client':
      return parts.client.test(value) ? undefined : 'badAddress';
    case 'country':
      return parts.country.test(value) ? undefined : 'badCountry';
    case 'status':
      return parts.status.test(value) ? undefined : 'badStatus';
    case 'account':
    case 'actor':
    case 'session':
    case 'agent':
      return token.test(value) ? undefined : 'badToken';
  }
  return undefined;
}

const classes = ['1', '2', '3', '4', '5'];

/** rowQuery reads from a URL which requests are meant. What could not be asked for is left aside. */
export function rowQuery(url: Url, span: { from?: string; to?: string }): RowQuery {
  const one = (name: Single) => {
    const v = url.get(name);
    return v && !fault(name, v) ? v : undefined;
  };
  const several = (name: string, known: readonly string[]) => {
    const list = url.all(name).filter((v) => known.includes(v));
    return list.length > 0 ? list : undefined;
  };
  const not = [
    ...leavable.flatMap((name) => url.all(`not.${name}`).filter((v) => !fault(name, v)).map((v) => `${name}:${v}`)),
    ...url.all('not.site').map((v) => `site:${v}`),
    ...url.all('not.type').map((v) => `type:${v}`),
  ].slice(0, 16);
  const status = one('status');
  return {
    from: span.from, to: span.to, site: url.get('site'),
    client: one('client') ?? url.get('prefix'), api: one('api'), account: one('account'), actor: one('actor'), session: one('session'), agent: one('agent'),
    country: one('country'), network: one('network'), status: status ? Number(status) : undefined, exchange: one('exchange'), attack: one('attack'), finding: one('finding'),
    verdict: several('verdict', Object.keys(rowVerdicts)), outcome: several('outcome', Object.keys(outcomes)), class: several('class', classes),
    type: url.all('type').length > 0 ? url.all('type') : undefined,
    not: not.length > 0 ? not : undefined,
  };
}

/** narrow reports whether a URL asks for something that may have been at any time. */
export const anyTime = (url: Url): boolean => singles.some((s) => url.get(s)) || Boolean(url.get('prefix'));

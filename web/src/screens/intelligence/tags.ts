import type { Schemas } from '../../api/client';

/** tags are the words of the market for what a thing is. */
export const tags: readonly Schemas['IndicatorTag'][] = [
  'proxy', 'rotating', 'hijacked', 'vpn', 'cloud', 'idc', 'crawler', 'tor', 'cloud_phone', 'osint', 'sim_farm', 'code_receiving', 'intercept_card', 'decoy', 'gang', 'scanner', 'disposable',
];

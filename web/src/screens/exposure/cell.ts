import type { Schemas } from '../../api/client';

export type Row = Schemas['Exposure'];
export type Cell = Schemas['ExposedData'];
export type Direction = 'response' | 'request';

export type Mask = 'plain' | 'masked' | 'both';

/** maskOf says whether what was seen of a type was masked: in all fields, in none, or in some. */
export const maskOf = (c: Pick<Cell, 'fields' | 'masked_fields'>): Mask =>
  c.masked_fields === 0 ? 'plain' : c.masked_fields < c.fields ? 'both' : 'masked';

export const cellOf = (row: Row, type: string, dir: Direction) => row.data.find((d) => d.type === type && d.in === dir);

/** heat is how grave a cell is by the records in one message: 0 none, 1 one, 2 a few, 3 some, 4 many. */
export function heat(max: number): 0 | 1 | 2 | 3 | 4 {
  if (max >= 100) return 4;
  if (max >= 10) return 3;
  if (max >= 2) return 2;
  return max >= 1 ? 1 : 0;
}

/** What a type tells about somebody, gravest first; types that are not named here stand after them. */
const order = [
  'password', 'private_key', 'secret_key', 'access_token', 'verification_code', 'session_id',
  'cn_resident_id', 'bank_card', 'passport', 'military_id', 'hk_macau_permit', 'social_security_no', 'biometric', 'medical_record', 'minor_info', 'whereabouts',
  'cn_mobile', 'phone', 'person_name', 'address', 'email', 'plate_number', 'birth_date', 'location', 'account_name', 'cn_uscc',
];

/** columnsOf orders the types that are there: those that most APIs carry first, so that rows show what they give; the gravest of equals. */
export function columnsOf(counted: ReadonlyMap<string, number>): string[] {
  const rank = (t: string) => {
    const i = order.indexOf(t);
    return i >= 0 ? i : t.startsWith('custom.') ? 15.5 : order.length;
  };
  return [...counted.keys()].sort((a, b) => counted.get(b)! - counted.get(a)! || rank(a) - rank(b) || (a < b ? -1 : 1));
}

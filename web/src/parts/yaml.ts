/**
 * yaml writes what JSON can hold as YAML 1.2. Strings are quoted as in JSON, which
 * is YAML too, so that no text is taken for anything else.
 */
export function yaml(value: unknown, indent = ''): string {
  if (Array.isArray(value)) {
    if (value.length === 0) return ' []\n';
    return '\n' + value.map((v) => `${indent}-${under(v, indent)}`).join('');
  }
  if (value !== null && typeof value === 'object') {
    const all = Object.entries(value);
    if (all.length === 0) return ' {}\n';
    return '\n' + all.map(([k, v]) => `${indent}${key(k)}:${under(v, indent)}`).join('');
  }
  return ` ${JSON.stringify(value ?? null)}\n`;
}

const under = (v: unknown, indent: string) => yaml(v, `${indent}  `);

/** Keys without quotes only where nothing else could be meant. */
const key = (k: string) => (/^[a-zA-Z][\w-]*$/.test(k) && !/^(true|false|null|yes|no|on|off|y|n)$/i.test(k) ? k : JSON.stringify(k));

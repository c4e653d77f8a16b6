import type { Defect } from './groups';

export type Evidence = Defect['evidence'][number];

/** A line of what a request or its answer looked like; hot: it is what the finding is about. */
export type Line = { text: string; hot: boolean };

/** What the beginning of a line says that it is about. */
const pathOf = (line: string) => /^(?:json|form|query|path|header|cookie|multipart|xml|graphql)? ?([^\s=:]+)(?: =|: )/.exec(line)?.[1];

/**
 * linesOf marks what to look at: marks of the machine (+ issued, ! matched),
 * fields that the finding names, the shape that it shows, and, where the flaw is
 * that nobody had to say who asks, the absence of a credential.
 */
export function linesOf(e: Evidence, side: 'request' | 'response', unauthorized: boolean): Line[] {
  return (e[side] ?? []).map((text) => {
    const path = pathOf(text);
    const hot =
      /^[+!] /.test(text) ||
      (path !== undefined && path.length > 2 && mentions(e.what.en, path)) ||
      (e.value.length > 3 && text.includes(e.value)) ||
      (side === 'request' && unauthorized && /^authorization: –/.test(text));
    return { text, hot };
  });
}

/** mentions reports whether a text names a path as a whole word. */
function mentions(text: string, path: string): boolean {
  const at = text.indexOf(path);
  if (at < 0) return false;
  const edge = (c: string | undefined) => c === undefined || !/[\w.[\]-]/.test(c) || c === '.';
  return edge(text[at - 1]) && edge(text[at + path.length]);
}

const quote = (s: string) => `'${s.replaceAll("'", String.raw`'\''`)}'`;

/**
 * curlOf gives a request as a command, with what was seen of values: shapes, not
 * values. undefined where the request is not known well enough.
 */
export function curlOf(e: Evidence, host: string | undefined): string | undefined {
  const lines = e.request ?? [];
  const first = /^([A-Z]+) (\/\S*)$/.exec(lines[0] ?? '');
  if (!first || !host) return undefined;
  const [, method, path] = first;
  const headers: string[] = [];
  const cookies: string[] = [];
  const query: string[] = [];
  const form: string[] = [];
  const json: [string, string][] = [];
  for (const line of lines.slice(1)) {
    const value = /^(\w+) ([^\s=]+) = (.*?)(?: \([a-z_]+\))?$/.exec(line);
    const credential = /^([^\s:]+): (\w+) (.*)$/.exec(line);
    if (value) {
      const [, where, name, shown] = value as unknown as [string, string, string, string];
      const shape = shown.trim() || '***';
      if (where === 'query') query.push(`${encodeURIComponent(name)}=${encodeURIComponent(shape)}`);
      else if (where === 'form' || where === 'multipart') form.push(`${name}=${shape}`);
      else if (where === 'json') json.push([name, shape]);
      else if (where === 'header') headers.push(`${name}: ${shape}`);
      else if (where === 'cookie') cookies.push(`${name}=${shape}`);
    } else if (credential) {
      const [, name, kind, shape] = credential as unknown as [string, string, string, string];
      if (query.some((q) => q.startsWith(`${encodeURIComponent(name)}=`))) continue;
      if (kind === 'cookie') cookies.push(`${name}=${shape}`);
      else headers.push(`${name}: ${kind === 'bearer' || kind === 'basic' ? `${kind === 'bearer' ? 'Bearer' : 'Basic'} ${shape}` : shape}`);
    }
  }
  const named = new Set(query.map((q) => decodeURIComponent(q.split('=')[0]!)));
  const out = [`curl -i${method === 'GET' ? '' : ` -X ${method}`} ${quote(`https://${host}${path}${query.length ? `?${query.join('&')}` : ''}`)}`];
  for (const h of headers) if (!named.has(h.split(':')[0]!)) out.push(`-H ${quote(h)}`);
  if (cookies.length) out.push(`-b ${quote(cookies.join('; '))}`);
  if (json.length) {
    out.push(`-H 'Content-Type: application/json'`, `--data ${quote(JSON.stringify(nest(json)))}`);
  } else if (form.length) for (const f of form) out.push(`--data-urlencode ${quote(f)}`);
  return out.join(' \\\n  ');
}

/** nest makes an object of dotted paths; arrays become lists of one. */
export function nest(fields: readonly (readonly [string, string])[]): unknown {
  type Tree = Map<string, Tree | string>;
  const root: Tree = new Map();
  for (const [path, value] of fields) {
    let at = root;
    const steps = path.split('.');
    for (const [i, step] of steps.entries()) {
      if (i === steps.length - 1) at.set(step, value);
      else {
        const next = at.get(step);
        if (next instanceof Map) at = next;
        else {
          const made: Tree = new Map();
          at.set(step, made);
          at = made;
        }
      }
    }
  }
  const write = (t: Tree): Record<string, unknown> =>
    Object.fromEntries(
      [...t].map(([k, v]) => {
        const inner = v instanceof Map ? write(v) : v;
        return k.endsWith('[]') ? [k.slice(0, -2), [inner]] : [k, inner];
      }),
    );
  return write(root);
}

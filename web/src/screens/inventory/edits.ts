import type { Schemas } from '../../api/client';

export type Entry = Schemas['PolicyEntry'];

type Place = Pick<Schemas['API'], 'site' | 'host' | 'method' | 'template'>;

/** pathOf is a template without the operation behind it. */
export const pathOf = (template: string) => template.split('#')[0]!;

/** segments cuts a template into what stands between its slashes. */
export const segments = (template: string): string[] => pathOf(template).split('/').filter(Boolean);

export const isParameter = (segment: string) => /^\{[^}]*\}/.test(segment);

export const parameterName = (segment: string) => /^\{([^}]*)\}/.exec(segment)?.[1] ?? '';

export const join = (list: readonly string[]) => `/${list.join('/')}`;

/** shape is a template whatever its parameters are called. */
export const shape = (template: string) => join(segments(template).map((s) => s.replace(/^\{[^}]*\}/, '{}')));

const onHost = (wanted: string | undefined, host: string) =>
  !wanted || wanted === host || (wanted.startsWith('*.') && host.endsWith(wanted.slice(1)));

const sameScope = (e: Entry, a: Place) =>
  (!e.site || e.site === a.site) && onHost(e.host, a.host) && (!e.method || e.method.toUpperCase() === a.method.toUpperCase());

/** names reports whether an edit is about exactly this API. */
export const names = (e: Entry, a: Place) => sameScope(e, a) && e.template !== undefined && shape(e.template) === shape(a.template);

/**
 * concerns reports whether an edit has to do with an API: it names the API, or a
 * place on its path, or what was split from it.
 */
export function concerns(e: Entry, a: Place): boolean {
  if (e.template === undefined || !sameScope({ ...e, method: e.edit === 'rename' || e.edit === 'role' ? e.method : undefined }, a)) return false;
  const of = segments(e.template);
  const at = segments(a.template);
  if (of.length > at.length || (of.length < at.length && (e.edit === 'rename' || e.edit === 'role'))) return false;
  return of.every((s, i) => isParameter(s) || isParameter(at[i]!) || s === at[i]);
}

/** titleIn gives the title that the newest edit gives an API. */
export const titleIn = (edits: readonly Entry[], a: Place) => edits.find((e) => e.edit === 'rename' && e.title && e.state !== 'ending' && names(e, a))?.title;

/** splitAt is the template of an edit that says that a value at a parameter is none. */
export const splitAt = (template: string, index: number, literal: string) => join([...segments(template).slice(0, index), literal]);

/** mergeAt is the template of an edit that says that what stands at a segment is a value. */
export const mergeAt = (template: string, index: number, name: string) => join([...segments(template).slice(0, index), `{${name}}`]);

/** joined lists what becomes one API with this one when a segment is a value. */
export function joined<A extends Place>(all: readonly A[], of: Place, index: number): A[] {
  const like = (t: string) => {
    const s = segments(t).map((x) => x.replace(/^\{[^}]*\}/, '{}'));
    s[index] = '{}';
    return join(s);
  };
  const wanted = like(of.template);
  const before = shape(join(segments(of.template).slice(0, index)));
  return all.filter((a) => {
    const at = segments(a.template);
    return a.site === of.site && a.host === of.host && a.method === of.method && at.length > index && shape(join(at.slice(0, index))) === before && like(a.template) === wanted;
  });
}

/** literalFault says what is wrong with a literal for a split. */
export function literalFault(literal: string): 'empty' | 'signs' | 'long' | 'number' | undefined {
  if (!literal) return 'empty';
  // Numbers and long identifiers may be somebody's: they are never kept as text, so nothing can be told by them.
  if (/^\d+$/.test(literal) || /^[0-9a-f-]{16,}$/i.test(literal)) return 'number';
  if (/[{}?*/#\s]/.test(literal)) return 'signs';
  if (new TextEncoder().encode(literal).length > 200) return 'long';
  return undefined;
}

/** nameFault says what is wrong with the name of a parameter. */
export const nameFault = (name: string): 'name' | undefined => (/^[A-Za-z0-9_-]{1,40}$/.test(name) ? undefined : 'name');

import { client, type Schemas } from '../../api/client';
import { csv, save } from '../../parts/csv';
import { yaml } from '../../parts/yaml';
import type { Lang } from '../../text/text';
import { nameOf } from '../../text/text';
import { exposed, type Sort } from './Table';
import { text } from './text';
import type { ColumnID } from './useColumns';
import type { Marks } from './useMarks';
import type { Question } from './useQuestion';

type API = Schemas['API'];

/** The most APIs that one file takes. */
export const mostRows = 100_000;

/** exportCSV writes what the question leaves, with the columns that are shown. */
export async function exportCSV(o: {
  question: Question; sort?: Sort; order?: 'asc' | 'desc'; shown: readonly ColumnID[]; marks: Marks; lang: Lang; progress: (n: number, total: number) => void; signal: AbortSignal;
}): Promise<{ rows: number; capped: boolean }> {
  const columns: readonly ColumnID[] = o.shown;
  const out: (string | number | undefined)[][] = [[...columns.map((c) => text[head[c]][o.lang]), 'ID']];
  let cursor: string | undefined;
  do {
    const { data } = await client.GET('/api/v1/apis', { params: { query: { ...o.question, sort: o.sort, order: o.order, limit: 500, cursor } }, signal: o.signal });
    for (const a of data!.items) out.push([...columns.map((c) => valueOf(a, c, o.marks, o.lang)), a.id]);
    o.progress(out.length - 1, data!.total);
    cursor = data!.next;
  } while (cursor && out.length <= mostRows);
  save(`xiezhi-apis-${new Date().toISOString().slice(0, 10)}.csv`, csv(out), 'text/csv');
  return { rows: out.length - 1, capped: cursor !== undefined };
}

const head: Record<ColumnID, keyof typeof text> = {
  method: 'method', template: 'template', site: 'site', host: 'host', role: 'role', exposure: 'exposure', auth: 'auth', data: 'data', exposed: 'exposed',
  exchanges: 'exchanges', actors: 'actors', lifecycle: 'lifecycle', defects: 'defects', attacks: 'attacks', first_seen: 'firstSeen', last_seen: 'lastSeen',
};

export function valueOf(a: API, c: ColumnID, marks: Marks, lang: Lang): string | number | undefined {
  switch (c) {
    case 'role':
    case 'exposure':
    case 'lifecycle':
    case 'auth':
      return nameOf(c, a[c], lang);
    case 'data':
      return [...new Set(a.sensitive.map((s) => nameOf('sensitive', s.type, lang)))].join('; ');
    case 'exposed':
      return exposed(a) ?? 0;
    case 'defects':
      return marks.defects.get(a.id)?.count ?? (marks.more ? undefined : 0);
    case 'attacks':
      return marks.attacks.get(a.id) ?? 0;
    default:
      return a[c];
  }
}

/** exportOpenAPI saves what was learned of a site; it gives how many paths that were. */
export async function exportOpenAPI(site: string, form: 'json' | 'yaml'): Promise<number> {
  const { data } = await client.GET('/api/v1/sites/{site}/openapi', { params: { path: { site } } });
  const document = data as Record<string, unknown>;
  if (form === 'json') save(`${site}-openapi.json`, JSON.stringify(document, null, 2), 'application/json');
  else save(`${site}-openapi.yaml`, yaml(document).trimStart(), 'application/yaml');
  return Object.keys((document.paths as Record<string, unknown> | undefined) ?? {}).length;
}

import { Trouble } from '../api/client';
import type { Lang } from '../text/text';
import { describe } from './TroubleView';

export type Told = {
  /** What is wrong with which field that the form has. */
  fields: Record<string, string[]>;
  /** What concerns the whole form; empty where the fields say it all. */
  whole: string;
  /** Somebody else changed it: load it again. */
  stale: boolean;
};

/** problemFields parts what a refusing answer says into what belongs at a field and the rest. */
export function problemFields(error: unknown, names: readonly string[], lang: Lang): Told {
  const fields: Record<string, string[]> = {};
  const problem = error instanceof Trouble ? error.problem : undefined;
  let rest = 0;
  for (const e of problem?.errors ?? []) {
    const name = names.find((n) => e.field === n || e.field.startsWith(`${n}.`) || e.field.startsWith(`${n}[`));
    if (name) (fields[name] ??= []).push(e.detail);
    else rest++;
  }
  const { title, detail, status } = describe(error, lang);
  const told = Object.keys(fields).length > 0 && rest === 0;
  return { fields, whole: told ? '' : `${title} ${detail}`.trim(), stale: status === 409 || status === 412 };
}

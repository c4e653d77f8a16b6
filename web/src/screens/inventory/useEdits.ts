import { useMemo } from 'react';
import { api, type Schemas } from '../../api/client';
import { titleIn, type Entry } from './edits';

const none: Entry[] = [];

/**
 * useEdits gives the edits of the catalogue that people made and that hold, the
 * newest first. A title is shown as soon as it is given; the catalogue itself
 * takes it with the traffic that follows.
 */
export function useEdits(): { edits: readonly Entry[]; titleOf: (a: Schemas['API']) => string | undefined } {
  const q = api.useQuery('get', '/api/v1/policy', { params: { query: { kind: ['template'], state: ['pending', 'live', 'ending'], limit: 500 } } }, { staleTime: 15_000 });
  const edits = q.data?.items ?? none;
  return useMemo(() => ({ edits, titleOf: (a) => titleIn(edits, a) ?? a.title }), [edits]);
}

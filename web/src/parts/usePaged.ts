import { useInfiniteQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import type { Paged } from './DataTable';

/** A page of a list as every list of the API gives it. */
export type Page<T> = { items: T[]; next?: string; total?: number };

/**
 * usePaged reads a list page by page. path is the operation's, for what events
 * make old; question is all that the answer depends on; ask fetches one page.
 */
export function usePaged<T>(
  path: string,
  question: unknown,
  ask: (cursor: string | undefined, signal: AbortSignal) => Promise<Page<T>>,
  enabled = true,
): Paged<T> {
  const q = useInfiniteQuery({
    queryKey: ['get', path, question],
    queryFn: async ({ pageParam, signal }) => {
      const page = await ask(pageParam, signal);
      // What comes from somebody in between may have another shape.
      if (!Array.isArray(page?.items)) throw new SyntaxError('a page without items');
      return page;
    },
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next,
    placeholderData: (before) => before,
    enabled,
  });
  const rows = useMemo(() => q.data?.pages.flatMap((p) => p.items) ?? [], [q.data]);
  return {
    rows,
    total: q.data?.pages[0]?.total,
    more: q.hasNextPage,
    next: () => void q.fetchNextPage(),
    loading: q.isPending || q.isFetchingNextPage,
    error: q.error,
    retry: () => void q.refetch(),
  };
}

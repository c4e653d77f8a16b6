import { useQuery } from '@tanstack/react-query';
import { Input, Tree, type TreeDataNode } from 'antd';
import { useMemo, useState } from 'react';
import { api, client, type Schemas } from '../../api/client';
import { Inert } from '../../parts/Inert';
import { useUrl } from '../../parts/url';
import { useFormat } from '../../parts/useFormat';
import { useName, useText } from '../../text/text';
import { prefixes, type Prefix } from './prefixes';
import { text } from './text';
import { sums } from './views';

/** How many paths of a site its branches are made of: pages of 500. */
const pages = 4;

type Node = TreeDataNode & { site?: string; path?: string };

/** SiteTree leads from an industry to its sites and to what their paths begin with. */
export function SiteTree({ counts }: { counts?: Schemas['Counts'] }) {
  const t = useText(text);
  const name = useName();
  const url = useUrl();
  const f = useFormat();
  const [find, setFind] = useState('');
  const sites = api.useQuery('get', '/api/v1/sites', { params: { query: { limit: 500 } } }, { staleTime: 60_000 });
  const site = url.get('site');
  const path = url.get('path');
  const [open, setOpen] = useState<readonly string[]>([]);
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set());
  // Of the site that is looked at, what its paths begin with.
  const paths = useQuery({
    queryKey: ['paths', site],
    enabled: Boolean(site),
    staleTime: 60_000,
    queryFn: async ({ signal }) => {
      const all: string[] = [];
      let cursor: string | undefined;
      for (let i = 0; i < pages; i++) {
        const { data } = await client.GET('/api/v1/apis', { params: { query: { site, sort: 'template', limit: 500, cursor } }, signal });
        all.push(...data!.items.map((a) => a.template));
        if (!(cursor = data!.next)) break;
      }
      return { tree: prefixes(all), more: cursor !== undefined };
    },
  });

  const byIndustry = useMemo(() => {
    const n = new Map(sums(counts, 'site').map((x) => [x.value, x.count]));
    const groups = new Map<string, { name: string; count: number }[]>();
    const wanted = find.trim().toLowerCase();
    for (const s of sites.data?.items ?? []) {
      if (wanted && !s.site.name.toLowerCase().includes(wanted)) continue;
      const list = groups.get(s.site.industry) ?? [];
      list.push({ name: s.site.name, count: n.get(s.site.name) ?? 0 });
      groups.set(s.site.industry, list);
    }
    return [...groups].sort((a, b) => name('industry', a[0]).localeCompare(name('industry', b[0]), f.lang));
  }, [sites.data, counts, find, name, f.lang]);

  const label = (what: string, count: number, code?: boolean) => (
    <span className="tree-label">
      <Inert code={code} text={what} />
      <span className="soft">{f.number(count)}</span>
    </span>
  );
  const branches = (list: readonly Prefix[]): Node[] =>
    list.map((p) => ({ key: `p:${site}:${p.path}`, site, path: p.path, title: label(p.label, p.count, true), children: branches(p.below), isLeaf: p.below.length === 0 }));
  const data: Node[] = byIndustry.map(([industry, list]) => ({
    key: `i:${industry}`,
    selectable: false,
    title: label(name('industry', industry), list.reduce((n, s) => n + s.count, 0)),
    children: list.map((s) => {
      const here = s.name === site ? paths.data : undefined;
      const below = here ? branches(here.tree) : [];
      if (here?.more) below.push({ key: `m:${s.name}`, selectable: false, isLeaf: true, title: <span className="soft">{t('treeMore')}</span> });
      return { key: `s:${s.name}`, site: s.name, title: label(s.name, s.count), children: below, isLeaf: here !== undefined && below.length === 0 };
    }),
  }));
  const expanded = [...data.map((n) => String(n.key)), ...(site ? [`s:${site}`] : []), ...open].filter((k) => !closed.has(k));
  const selected = path && site ? [`p:${site}:${path}`] : site ? [`s:${site}`] : [];
  return (
    <div className="site-tree">
      <Input allowClear size="small" placeholder={t('treeFind')} aria-label={t('treeFind')} value={find} onChange={(e) => setFind(e.target.value)} maxLength={100} />
      <button type="button" className="as-link tree-all" aria-current={!site} onClick={() => url.set({ site: null, path: null })}>
        {t('treeAll')} <span className="soft">{counts ? f.number(counts.total) : ''}</span>
      </button>
      <Tree<Node>
        blockNode
        aria-label={t('tree')}
        treeData={data}
        height={Math.max(240, window.innerHeight - 300)}
        expandedKeys={expanded}
        selectedKeys={selected}
        onExpand={(keys, { node, expanded: now }) => {
          const key = String(node.key);
          setOpen(keys.map(String));
          setClosed((before) => {
            const next = new Set(before);
            if (now) next.delete(key);
            else next.add(key);
            return next;
          });
          if (now && node.site && !node.path) url.set({ site: node.site, path: null });
        }}
        onSelect={(_, { node }) => {
          if (node.site) url.set({ site: node.site, path: node.path ?? null });
        }}
      />
    </div>
  );
}

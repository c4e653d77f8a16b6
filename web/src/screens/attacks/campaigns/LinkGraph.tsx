import { Segmented, Table } from 'antd';
import { useMemo, useState } from 'react';
import type { Schemas } from '../../../api/client';
import { Chart } from '../../../charts/Chart';
import { palette } from '../../../charts/palette';
import { usePreferences } from '../../../preferences';
import { AttackChip } from '../../../parts/Known';
import { useFormat } from '../../../parts/useFormat';
import { useOpen } from '../../../shell/drawer';
import { useLang, useText } from '../../../text/text';
import { text } from '../text';
import { traits, wordOf } from '../words';
import { place } from './graph';

/** LinkGraph shows by what attacks belong together, as a graph or as a table. */
export function LinkGraph({ of: c }: { of: Schemas['Campaign'] }) {
  const t = useText(text);
  const [as, setAs] = useState<'graph' | 'table'>('graph');
  return (
    <section className="card">
      <h2>{t('links')}</h2>
      <p className="atk-sub">{t('linksIntro')}</p>
      <Segmented
        className="no-print"
        aria-label={t('links')}
        value={as}
        onChange={setAs}
        options={[
          { value: 'graph', label: t('graph') },
          { value: 'table', label: t('table') },
        ]}
      />
      {as === 'graph' ? <Graph of={c} /> : <Links of={c} />}
    </section>
  );
}

function Graph({ of: c }: { of: Schemas['Campaign'] }) {
  const t = useText(text);
  const f = useFormat();
  const lang = useLang();
  const open = useOpen();
  const { dark } = usePreferences();
  const p = palette(dark);
  const option = useMemo(() => {
    const { nodes, edges } = place(c.attacks, c.links);
    return {
      tooltip: { trigger: 'item' },
      series: [
        {
          type: 'graph', layout: 'none', preserveAspect: true, roam: 'move', top: 20, bottom: 20, left: 20, right: 20,
          data: nodes.map((n, i) => {
            const link = n.kind === 'trait' ? c.links[i] : undefined;
            return {
              id: n.id, name: link ? wordOf(traits, link.key, lang) : n.id.slice(0, 8), attack: link ? undefined : n.id, x: n.x, y: n.y, symbolSize: n.size, symbol: link ? 'diamond' : 'circle',
              itemStyle: { color: link ? p.series[2] : p.attack },
              label: { show: Boolean(link), position: 'bottom', color: p.ink, textBorderColor: p.paper, textBorderWidth: 3 },
              tooltip: { formatter: link ? `${wordOf(traits, link.key, lang)} · ${t('bits', { n: f.exact(link.rarity) })}\n${t('nAttacks', { n: f.exact(link.attacks.length) })}` : n.id },
            };
          }),
          links: edges.map((e) => ({ ...e, lineStyle: { color: p.soft, opacity: 0.35, width: 1 } })),
          emphasis: { focus: 'adjacency' },
        },
      ],
    };
  }, [c, p, lang, t, f]);
  return (
    <Chart
      height={400}
      label={t('graphLabel', { attacks: f.exact(c.attacks.length), links: f.exact(c.links.length) })}
      option={option}
      pick={(e) => {
        const id = (e.data as { attack?: string } | undefined)?.attack;
        if (id) open('attack', id);
      }}
    />
  );
}

function Links({ of: c }: { of: Schemas['Campaign'] }) {
  const t = useText(text);
  const f = useFormat();
  const lang = useLang();
  return (
    <Table
      size="small"
      aria-label={t('links')}
      pagination={false}
      rowKey="key"
      scroll={{ x: 'max-content' }}
      dataSource={c.links}
      expandable={{
        expandedRowRender: (l) => (
          <div className="atk-chips">
            {l.attacks.slice(0, 60).map((id) => (
              <AttackChip key={id} id={id} />
            ))}
            {l.attacks.length > 60 && <span className="atk-sub">{t('more', { n: l.attacks.length - 60 })}</span>}
          </div>
        ),
      }}
      columns={[
        { key: 'key', title: t('trait'), render: (_, l) => wordOf(traits, l.key, lang) },
        {
          key: 'rarity', title: t('rarity'), width: 260,
          render: (_, l) => (
            <span className="atk-reason-weight">
              <span className="bars-track" aria-hidden="true">
                <span className="bars-bar" style={{ width: `${Math.min(100, l.rarity * 5)}%` }} />
              </span>
              <span>{t('bits', { n: f.exact(l.rarity) })}</span>
            </span>
          ),
        },
        { key: 'attacks', title: t('sharedBy'), align: 'right', render: (_, l) => t('othersOf', { n: f.exact(l.attacks.length), of: f.exact(c.attacks.length) }) },
      ]}
    />
  );
}

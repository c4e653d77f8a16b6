import { Button, DatePicker, Input, Select, Space } from 'antd';
import { CloseOutlined } from '@ant-design/icons';
import dayjs, { type Dayjs } from 'dayjs';
import { useEffect, useState, type ReactNode } from 'react';
import { usePreferences } from '../preferences';
import { useText } from '../text/text';
import { inert } from '../text/inert';
import { SitePicker } from './SitePicker';
import { useFormat } from './useFormat';
import { ranges, spanOf, useUrl, type RangeName } from './url';

const text = {
  '1h': { zh: '近 1 小时', en: 'Last hour' },
  '24h': { zh: '近 24 小时', en: 'Last 24 hours' },
  '7d': { zh: '近 7 天', en: 'Last 7 days' },
  '30d': { zh: '近 30 天', en: 'Last 30 days' },
  '90d': { zh: '近 90 天', en: 'Last 90 days' },
  '1y': { zh: '近 1 年', en: 'Last year' },
  all: { zh: '全部时间', en: 'All time' },
  own: { zh: '自选时段', en: 'Chosen period' },
  range: { zh: '时段', en: 'Period' },
  search: { zh: '搜索', en: 'Search' },
  clear: { zh: '清除筛选', en: 'Clear filters' },
  any: { zh: '不限', en: 'Any' },
  remove: { zh: '去掉筛选 {name}', en: 'Remove filter {name}' },
};

/** A choice with how many it would leave, where that is known. */
export type Choice = { value: string; label: string; count?: number };

export type Facet = { name: string; label: string; choices: readonly Choice[]; multiple?: boolean };

/**
 * FilterBar is the one place where a screen is narrowed down. Everything in it
 * stands in the URL under range/from/to, site, q and the facets' names.
 */
export function FilterBar({
  standard,
  facets = [],
  search = true,
  sites = true,
  period = true,
  chips = [],
  extra,
}: {
  standard: RangeName;
  facets?: readonly Facet[];
  search?: boolean | string; // a hint what can be searched for
  sites?: boolean;
  period?: boolean;
  chips?: readonly { name: string; label: string }[]; // parameters shown as removable marks when set
  extra?: ReactNode;
}) {
  const t = useText(text);
  const url = useUrl();
  const names = [...facets.map((f) => f.name), ...chips.map((c) => c.name), ...(search ? ['q'] : []), ...(sites ? ['site'] : [])];
  const set = names.filter((n) => url.all(n).length > 0);
  return (
    <div className="filter-bar" role="search">
      <Space wrap size={8}>
        {period && <PeriodPicker standard={standard} />}
        {sites && <SitePicker />}
        {facets.map((f) => (
          <Select
            key={f.name}
            mode={f.multiple ? 'multiple' : undefined}
            allowClear
            placeholder={f.label}
            aria-label={f.label}
            maxTagCount={1}
            maxTagTextLength={14} // a count that follows the width would change it again
            popupMatchSelectWidth={false}
            className="facet"
            value={f.multiple ? url.all(f.name) : url.get(f.name)}
            onChange={(v) => url.set({ [f.name]: v ?? null })}
            options={f.choices.map((c) => ({
              value: c.value,
              label: inert(c.label),
              count: c.count,
            }))}
            optionRender={(o) => (
              <span className="facet-choice">
                <span>{o.label}</span>
                {o.data.count !== undefined && <span className="soft">{o.data.count}</span>}
              </span>
            )}
          />
        ))}
        {search && <SearchBox hint={typeof search === 'string' ? search : t('search')} />}
        {chips
          .flatMap((c) => url.all(c.name).map((v) => ({ ...c, v })))
          .map((c) => (
            <Button
              key={`${c.name}=${c.v}`}
              size="small"
              className="filter-mark"
              aria-label={t('remove', { name: `${c.label} ${inert(c.v)}` })}
              onClick={() => url.set({ [c.name]: url.all(c.name).filter((x) => x !== c.v) })}
            >
              {c.label}: {inert(c.v)} <CloseOutlined />
            </Button>
          ))}
        {set.length > 0 && (
          <Button type="link" onClick={() => url.set(Object.fromEntries(set.map((n) => [n, null])))}>
            {t('clear')}
          </Button>
        )}
        {extra}
      </Space>
    </div>
  );
}

/** SearchBox changes the URL when one stops typing. */
function SearchBox({ hint }: { hint: string }) {
  const url = useUrl();
  const asked = url.get('q') ?? '';
  const [typed, setTyped] = useState(asked);
  useEffect(() => setTyped(asked), [asked]);
  useEffect(() => {
    if (typed === asked) return;
    const timer = setTimeout(() => url.set({ q: typed || null }), 350);
    return () => clearTimeout(timer);
  }, [typed, asked, url]);
  return (
    <Input.Search
      className="search-box"
      placeholder={hint}
      aria-label={hint}
      allowClear
      value={typed}
      maxLength={200}
      onChange={(e) => setTyped(e.target.value)}
      onSearch={(v) => url.set({ q: v || null })}
    />
  );
}

function PeriodPicker({ standard }: { standard: RangeName }) {
  const t = useText(text);
  const url = useUrl();
  const f = useFormat();
  const { zone } = usePreferences();
  const span = spanOf(url.get, standard);
  const [own, setOwn] = useState(false);
  const chosen = span.name ?? 'own';
  const choose = (v: string) => {
    if (v === 'own') {
      setOwn(true);
      return;
    }
    setOwn(false);
    url.set({ range: v === standard ? null : v, from: null, to: null });
  };
  // The picker shows times of the browser's zone; what is picked is meant in the reader's.
  const shown = (iso?: string): Dayjs | null => (iso ? dayjs(f.time(iso, 'minute')) : null);
  return (
    <Space.Compact>
      <Select
        className="period"
        aria-label={t('range')}
        popupMatchSelectWidth={false}
        value={own ? 'own' : chosen}
        onChange={choose}
        options={[...Object.keys(ranges), 'all', 'own'].map((v) => ({ value: v, label: t(v as keyof typeof text) }))}
      />
      {(own || chosen === 'own') && (
        <DatePicker.RangePicker
          showTime={{ format: 'HH:mm' }}
          format="YYYY-MM-DD HH:mm"
          allowEmpty={[true, true]}
          value={[shown(span.from), shown(span.to)]}
          onChange={(v) => {
            const iso = (d: Dayjs | null | undefined) => (d ? inZone(d.format('YYYY-MM-DDTHH:mm:00'), zone) : null);
            setOwn(false);
            url.set({ range: v ? null : url.get('range'), from: iso(v?.[0]), to: iso(v?.[1]) });
          }}
        />
      )}
    </Space.Compact>
  );
}

/** inZone gives the time at which clocks of a zone show something. */
export function inZone(wall: string, zone: string): string {
  const utc = Date.parse(`${wall}Z`);
  const at = (ms: number) => {
    const p = Object.fromEntries(
      new Intl.DateTimeFormat('en-GB', {
        timeZone: zone, hourCycle: 'h23', year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit',
      })
        .formatToParts(new Date(ms))
        .map((x) => [x.type, x.value]),
    );
    return Date.parse(`${p.year}-${p.month}-${p.day}T${p.hour}:${p.minute}:${p.second}Z`) - ms;
  };
  const guess = utc - at(utc);
  return new Date(utc - at(guess)).toISOString(); // twice: the offset may change in between
}

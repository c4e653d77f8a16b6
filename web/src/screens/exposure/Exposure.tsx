import { Segmented, Space, Switch } from 'antd';
import { useMemo } from 'react';
import { api } from '../../api/client';
import { FilterBar, type Facet } from '../../parts/FilterBar';
import { PageHead } from '../../parts/PageHead';
import { usePeriod } from '../../parts/period';
import { useSpan, useUrl } from '../../parts/url';
import { useName, useText } from '../../text/text';
import { columnsOf, type Direction } from './cell';
import { Matrix } from './Matrix';
import { Side } from './Side';
import './style.css';
import { text } from './text';

/** What the URL asks for. */
export type Question = { site?: string; text?: string; from?: string; to?: string; data?: string; auth?: string; exposure?: string; sensitive?: boolean };

export default function Exposure() {
  const t = useText(text);
  const name = useName();
  const url = useUrl();
  const span = useSpan('30d');
  const period = usePeriod('30d');
  const question: Question = useMemo(
    () => ({
      site: url.get('site'), text: url.get('q'), from: span.from, to: span.to, data: url.get('data'), auth: url.get('auth'), exposure: url.get('exposure'),
      sensitive: url.get('sensitive') === 'true' || undefined,
    }),
    [url, span],
  );
  const dir: Direction = url.get('in') === 'request' ? 'request' : 'response';

  // Facets count what is left by the others; columns are the types that are left.
  const counted = api.useQuery('get', '/api/v1/counts/apis', { params: { query: { ...question, tags: true } } }, { placeholderData: (b) => b });
  const tags = counted.data?.tags ?? [];
  const counts = (of: string) => new Map(tags.filter((x) => x.name === of).map((x) => [x.value, x.count]));
  const types = counts('data');
  const choices = (of: string, kind: string, all: readonly string[]): Facet['choices'] => {
    const have = counts(of);
    return all.filter((v) => have.has(v) || url.get(of) === v).map((v) => ({ value: v, label: name(kind, v), count: have.get(v) }));
  };
  const facets: Facet[] = [
    { name: 'data', label: t('type'), choices: choices('data', 'sensitive', columnsOf(types)) },
    { name: 'auth', label: t('auth'), choices: choices('auth', 'auth', ['none', 'optional', 'required', 'unknown']) },
    { name: 'exposure', label: t('reach'), choices: choices('exposure', 'exposure', ['internet', 'partner', 'internal']) },
  ];
  return (
    <div className="exposure">
      <PageHead title={t('title')}>{t('intro')}</PageHead>
      <FilterBar
        standard="30d"
        facets={facets}
        search={t('search')}
        extra={
          <Space size={12} wrap>
            <Toggle label={t('plainOnly')} on={Boolean(question.sensitive)} set={(on) => url.set({ sensitive: on ? 'true' : null })} />
            <Toggle label={t('openOnly')} on={question.auth === 'none'} set={(on) => url.set({ auth: on ? 'none' : null })} />
            <Segmented
              aria-label={t('direction')}
              value={dir}
              onChange={(v) => url.set({ in: v === 'request' ? 'request' : null })}
              options={[
                { value: 'response', label: t('response') },
                { value: 'request', label: t('request') },
              ]}
            />
          </Space>
        }
      />
      <div className="exposure-two">
        <Matrix question={question} period={period} types={columnsOf(types)} dir={dir} />
        <Side question={question} period={period} />
      </div>
    </div>
  );
}

function Toggle({ label, on, set }: { label: string; on: boolean; set: (on: boolean) => void }) {
  return (
    <label className="toggle">
      <Switch size="small" checked={on} onChange={set} aria-label={label} /> {label}
    </label>
  );
}

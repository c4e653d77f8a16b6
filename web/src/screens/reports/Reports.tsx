import { DownloadOutlined, ExportOutlined, LeftOutlined, PrinterOutlined, RightOutlined } from '@ant-design/icons';
import { Alert, App, Button, DatePicker, Dropdown, Segmented, Select, Space } from 'antd';
import dayjs from 'dayjs';
import { useRef, useState } from 'react';
import { now } from '../../api/client';
import { PageHead } from '../../parts/PageHead';
import { describe } from '../../parts/TroubleView';
import { useFormat } from '../../parts/useFormat';
import { SitePicker } from '../../parts/SitePicker';
import { useUrl } from '../../parts/url';
import { usePreferences } from '../../preferences';
import { useText } from '../../text/text';
import { inZone } from '../../parts/FilterBar';
import { as, firstMonth, over, step, stretchOf, type Kind, type Stretch } from './period';
import { Preview } from './Preview';
import { save, type Format } from './save';
import './style.css';
import { text } from './text';

const formats: readonly Format[] = ['xlsx', 'html', 'sarif', 'json'];

/** A report of a period: looked at here, printed, taken along. */
export default function Reports() {
  const t = useText(text);
  const f = useFormat();
  const url = useUrl();
  const { lang } = usePreferences();
  const { message } = App.useApp();
  const frame = useRef<HTMLIFrameElement>(null);
  const [shown, setShown] = useState(false);
  const [saving, setSaving] = useState(false);
  const thisMonth = f.time(now(), 'month');
  const stretch = stretchOf(url.get, thisMonth);
  const tongue = url.get('lang') === 'zh' || url.get('lang') === 'en' ? (url.get('lang') as 'zh' | 'en') : lang;
  const outline = url.get('outline') === 'gbt' ? 'gbt' : 'report';
  const query = { site: url.get('site'), period: stretch.period, from: stretch.from, to: stretch.to, outline, lang: tongue } as const;
  const path = `/report/view?${new URLSearchParams(Object.entries(query).filter((e): e is [string, string] => Boolean(e[1])))}`;
  const called = stretch.period ?? (stretch.kind === 'range' ? `${stretch.from ? f.time(stretch.from, 'day') : '…'} – ${stretch.to ? f.time(stretch.to, 'day') : '…'}` : t('allOf'));

  const download = async (format: Format) => {
    setSaving(true);
    const done = message.loading(t('saving'), 0);
    try {
      message.success(t('saved', { name: await save(format, query) }));
    } catch (e) {
      const d = describe(e, lang);
      message.error(`${d.title} ${d.detail}`, 8);
    } finally {
      done();
      setSaving(false);
    }
  };
  return (
    <div className="reports">
      <PageHead title={t('title')}>{t('intro')}</PageHead>
      <div className="report-bar">
        <StretchPicker stretch={stretch} thisMonth={thisMonth} />
        <SitePicker />
        <Select
          aria-label={t('outline')}
          value={outline}
          popupMatchSelectWidth={false}
          onChange={(v) => url.set({ outline: v === 'gbt' ? 'gbt' : null })}
          options={[
            { value: 'report', label: t('outlineReport') },
            { value: 'gbt', label: t('outlineGbt') },
          ]}
        />
        <Segmented
          aria-label={t('language')}
          value={tongue}
          onChange={(v) => url.set({ lang: v === lang ? null : String(v) })}
          options={[
            { value: 'zh', label: t('zh') },
            { value: 'en', label: t('en') },
          ]}
        />
        <span className="grow" />
        <Space wrap>
          <Button type="primary" icon={<PrinterOutlined />} disabled={!shown} title={t('printHint')} onClick={() => frame.current?.contentWindow?.print()}>
            {t('print')}
          </Button>
          <Dropdown trigger={['click']} menu={{ items: formats.map((k) => ({ key: k, label: t(k) })), onClick: ({ key }) => void download(key as Format) }}>
            <Button icon={<DownloadOutlined />} loading={saving}>
              {t('download')}
            </Button>
          </Dropdown>
          <Button icon={<ExportOutlined />} href={path} target="_blank" rel="noreferrer">
            {t('newTab')}
          </Button>
        </Space>
      </div>
      {stretch.period && !over(stretch.period, thisMonth) && <Alert type="info" className="report-running" title={t('running', { period: stretch.period })} />}
      <Preview key={path} path={path} title={t('frame', { period: called })} frame={frame} shown={setShown} />
    </div>
  );
}

function StretchPicker({ stretch, thisMonth }: { stretch: Stretch; thisMonth: string }) {
  const t = useText(text);
  const url = useUrl();
  const f = useFormat();
  const { zone } = usePreferences();
  const around = stretch.period ? firstMonth(stretch.period) : thisMonth;
  const choose = (kind: Kind) => {
    if (kind === 'all') url.set({ period: 'all', from: null, to: null }, { push: true });
    else if (kind === 'range') {
      const end = now();
      url.set({ period: null, from: new Date(end - 30 * 86_400_000).toISOString(), to: new Date(end).toISOString() }, { push: true });
    } else url.set({ period: as(kind, around), from: null, to: null }, { push: true });
  };
  const go = (period: string) => url.set({ period, from: null, to: null }, { push: true });
  const name = { month: 'pickMonth', quarter: 'pickQuarter', year: 'pickYear' } as const;
  return (
    <Space wrap size={8}>
      <Segmented
        aria-label={t('period')}
        value={stretch.kind}
        onChange={(v) => choose(v as Kind)}
        options={(['month', 'quarter', 'year', 'range', 'all'] as const).map((k) => ({ value: k, label: t(k) }))}
      />
      {stretch.period && (stretch.kind === 'month' || stretch.kind === 'quarter' || stretch.kind === 'year') && (
        <Space.Compact>
          <Button icon={<LeftOutlined />} aria-label={t('before')} onClick={() => go(step(stretch.period!, -1))} />
          <DatePicker
            picker={stretch.kind}
            allowClear={false}
            inputReadOnly
            aria-label={t(name[stretch.kind])}
            value={dayjs(`${around}-01`)}
            format={() => stretch.period!}
            disabledDate={(d) => d.format('YYYY-MM') > thisMonth}
            onChange={(d) => d && go(as(stretch.kind as 'month', d.format('YYYY-MM')))}
          />
          <Button icon={<RightOutlined />} aria-label={t('after')} disabled={firstMonth(step(stretch.period, 1)) > thisMonth} onClick={() => go(step(stretch.period!, 1))} />
        </Space.Compact>
      )}
      {stretch.kind === 'range' && (
        <DatePicker.RangePicker
          aria-label={t('pickRange')}
          allowClear={false}
          value={[stretch.from ? dayjs(f.time(stretch.from, 'minute')) : null, stretch.to ? dayjs(f.time(stretch.to, 'minute')) : null]}
          onChange={(v) => {
            const from = v?.[0];
            const to = v?.[1];
            if (from && to) url.set({ period: null, from: inZone(`${from.format('YYYY-MM-DD')}T00:00:00`, zone), to: inZone(`${to.add(1, 'day').format('YYYY-MM-DD')}T00:00:00`, zone) });
          }}
        />
      )}
    </Space>
  );
}

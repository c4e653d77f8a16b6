import { ExpandOutlined } from '@ant-design/icons';
import { Alert, Button, Skeleton } from 'antd';
import { FilterBar } from '../../parts/FilterBar';
import { PageHead } from '../../parts/PageHead';
import { TroubleView } from '../../parts/TroubleView';
import { useFormat } from '../../parts/useFormat';
import { useUrl } from '../../parts/url';
import { useText } from '../../text/text';
import { Empty } from './Empty';
import { Kiosk } from './Kiosk';
import { Kpis } from './Kpis';
import { ActiveCampaigns, LatestAttacks } from './Latest';
import { Months } from './Months';
import { QualityStrip } from './QualityStrip';
import { Scenarios } from './Scenarios';
import './style.css';
import { Surge } from './Surge';
import { text } from './text';
import { TodoCard } from './TodoCard';
import { TrafficCard } from './TrafficCard';
import { useOverview, type Figures } from './useOverview';

/** The first minute of a night shift: what happens, how bad it is, what to do first. */
export default function Overview() {
  const t = useText(text);
  const url = useUrl();
  const kiosk = url.get('kiosk') !== undefined;
  const q = useOverview(kiosk ? 30_000 : false);
  const of = q.data;
  if (kiosk) return of ? <Kiosk of={of} /> : q.error ? <TroubleView error={q.error} retry={q.refetch} /> : <Skeleton active />;
  if (of && !of.seen) return <Empty />; // nothing was ever seen
  return (
    <>
      <PageHead
        title={t('title')}
        extra={
          <Button size="small" icon={<ExpandOutlined />} onClick={() => url.set({ kiosk: '1' }, { push: true })}>
            {t('kiosk')}
          </Button>
        }
      >
        {of ? <Until of={of} /> : t('intro')}
      </PageHead>
      <FilterBar standard="24h" search={false} />
      {q.error ? <TroubleView small={Boolean(of)} error={q.error} retry={q.refetch} /> : null}
      {of ? <Body of={of} site={url.get('site')} /> : q.error ? null : <Skeleton active paragraph={{ rows: 12 }} aria-label={t('loading')} />}
    </>
  );
}

function Until({ of }: { of: Figures }) {
  const t = useText(text);
  const f = useFormat();
  return of.seen ? <>{t('seen', { time: f.timeIn(of.seen), ago: f.ago(of.seen) })}</> : null;
}

/** Seen from so many days on, months say more than days. */
const long = 60 * 86_400_000;

function Body({ of, site }: { of: Figures; site?: string }) {
  const scope = { from: of.from, to: of.to, site };
  return (
    <div className="overview">
      {passed(of) === 0 ? <NoTraffic of={of} /> : <Surge of={of} site={site} />}
      <Kpis of={of} scope={scope} />
      <div className="overview-two">
        <TodoCard of={of.agenda} scope={scope} />
        <div className="overview-column">
          <TrafficCard of={of} height={230} />
          <Scenarios of={of} scope={scope} />
        </div>
      </div>
      <div className="overview-two even">
        <LatestAttacks scope={scope} />
        <ActiveCampaigns scope={scope} />
      </div>
      {Date.parse(of.to) - Date.parse(of.from) >= long && <Months of={of} site={site} />}
      <QualityStrip of={of} />
    </div>
  );
}

/** passed gives how many requests there were, if that is known. */
function passed(of: Figures): number | undefined {
  const r = of.rows?.requests;
  return r && r.normal.value + r.suspicious.value + r.attack.value;
}

/** A period without traffic says when there was some. */
function NoTraffic({ of }: { of: Figures }) {
  const t = useText(text);
  const f = useFormat();
  const url = useUrl();
  if (!of.seen) return null;
  const end = Date.parse(of.seen) + 60_000;
  return (
    <Alert
      type="info"
      showIcon
      title={t('nothingHere')}
      description={t('nothingHereDo', { time: f.timeIn(of.seen) })}
      action={
        <Button size="small" onClick={() => url.set({ range: null, from: new Date(end - 86_400_000).toISOString(), to: new Date(end).toISOString() }, { push: true })}>
          {t('toLast')}
        </Button>
      }
    />
  );
}

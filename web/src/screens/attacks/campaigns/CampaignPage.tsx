import { Button, Skeleton } from 'antd';
import { PrinterOutlined } from '@ant-design/icons';
import { Link } from 'react-router';
import { api, type Schemas } from '../../../api/client';
import { PageHead } from '../../../parts/PageHead';
import { Sentence } from '../../../parts/Sentence';
import { TroubleView } from '../../../parts/TroubleView';
import { useUrl } from '../../../parts/url';
import { useName, useText } from '../../../text/text';
import { inert } from '../../../text/inert';
import { Going } from '../Going';
import { RequestTable } from '../requests/RequestTable';
import '../style.css';
import { text } from '../text';
import { AttackList } from './AttackList';
import { CampaignFigures } from './CampaignCard';
import { LinkGraph } from './LinkGraph';
import { Mend } from './Mend';
import { Sources } from './Sources';
import { Targets } from './Targets';
import { Timeline } from './Timeline';

/** Everything about one campaign, also for paper. */
export default function CampaignPage({ id }: { id: string }) {
  const t = useText(text);
  const name = useName();
  const picked = usePicked();
  const q = api.useQuery('get', '/api/v1/campaigns/{id}', { params: { path: { id } } });
  const back = (
    <Link className="atk-back" to="/attacks/campaigns">
      ← {t('back')}
    </Link>
  );
  if (q.error && !q.data)
    return (
      <>
        {back}
        <TroubleView error={q.error} retry={q.refetch} />
      </>
    );
  if (!q.data) return <Skeleton active />;
  const c = q.data;
  return (
    <div className="atk-campaign-page">
      {back}
      <PageHead
        title={`${inert(c.name)} · ${c.kinds.map((k) => name('attack_kind', k)).join(' · ')}`}
        extra={
          <Button className="no-print" icon={<PrinterOutlined />} onClick={() => window.print()}>
            {t('print')}
          </Button>
        }
      >
        <Going first={c.first_seen} last={c.last_seen} />
      </PageHead>
      <p className="atk-says">
        <Sentence of={c.reason} />
      </p>
      <CampaignFigures of={c} />
      <Timeline of={c} />
      <div className="atk-two atk-wide-first">
        <Targets of={c} />
        <Mend of={c} />
      </div>
      <Sources of={c} picked={picked} />
      <LinkGraph of={c} />
      <AttackList of={c} />
      <ItsRequests of={c} picked={picked} />
    </div>
  );
}

type Picked = { from?: string; to?: string };

/** usePicked gives the stretch of the timeline that was picked. */
function usePicked(): Picked {
  const url = useUrl();
  return { from: url.get('from'), to: url.get('to') };
}

function ItsRequests({ of: c, picked }: { of: Schemas['Campaign']; picked: Picked }) {
  const t = useText(text);
  return (
    <section className="card no-print" id="requests">
      <h2>{t('requestsOf')}</h2>
      <p className="atk-sub">
        {t('requestsLater')} {t('tokensOnly')}
      </p>
      <RequestTable query={{ finding: c.id, ...picked }} without={['verdict', 'attack']} height={420} />
    </section>
  );
}

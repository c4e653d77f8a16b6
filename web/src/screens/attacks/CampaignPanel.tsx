import { Skeleton } from 'antd';
import { Link } from 'react-router';
import { api } from '../../api/client';
import { Inert } from '../../parts/Inert';
import { Sentence } from '../../parts/Sentence';
import { TroubleView } from '../../parts/TroubleView';
import type { PanelProps } from '../../shell/drawer';
import { useText } from '../../text/text';
import { CampaignFigures, Kinds } from './campaigns/CampaignCard';
import { Mend } from './campaigns/Mend';
import { Targets } from './campaigns/Targets';
import { Going } from './Going';
import './style.css';
import { text } from './text';

/** A campaign in short; its page shows all of it. */
export default function CampaignPanel({ id }: PanelProps) {
  const t = useText(text);
  const q = api.useQuery('get', '/api/v1/campaigns/{id}', { params: { path: { id } } });
  if (q.error && !q.data) return <TroubleView error={q.error} retry={q.refetch} />;
  if (!q.data) return <Skeleton active />;
  const c = q.data;
  return (
    <>
      <h2 className="atk-title">
        <Inert text={c.name} /> · <Kinds of={c} />
      </h2>
      <div className="atk-state-line">
        <Going first={c.first_seen} last={c.last_seen} />
        <Link to={`/attacks/campaigns/${encodeURIComponent(c.id)}`}>{t('openPage')}</Link>
      </div>
      <p className="atk-says">
        <Sentence of={c.reason} />
      </p>
      <CampaignFigures of={c} />
      <Targets of={c} />
      <Mend of={c} />
    </>
  );
}

import { Descriptions, Skeleton } from 'antd';
import { api, link } from '../../api/client';
import { TroubleView } from '../../parts/TroubleView';
import { useFormat } from '../../parts/useFormat';
import { When } from '../../parts/When';
import { useText } from '../../text/text';
import { text } from './text';

export function About() {
  const t = useText(text);
  const f = useFormat();
  const q = api.useQuery('get', '/api/v1/status');
  if (q.error && !q.data) return <TroubleView error={q.error} retry={() => void q.refetch()} />;
  if (!q.data) return <Skeleton active />;
  const off = Math.abs(link.skew) > 60_000;
  return (
    <section className="card about">
      <h2>Xiezhi 獬豸</h2>
      <p>{t('aboutWhat')}</p>
      <Descriptions
        column={1}
        size="small"
        items={[
          { key: 'version', label: t('version'), children: <code>{q.data.version}</code> },
          ...(q.data.rules ? [{ key: 'rules', label: t('rulesVersion'), children: <code>{q.data.rules}</code> }] : []),
          { key: 'since', label: t('upSince'), children: <When at={q.data.started} detail="second" /> },
          { key: 'clock', label: t('clock'), children: <>{f.timeIn(q.data.now, 'second')}</> },
          { key: 'licence', label: t('licence'), children: 'Apache-2.0' },
        ]}
      />
      {off && <p className="level-elevated">{t('clockOff', { span: f.duration(Math.abs(link.skew)) })}</p>}
      <p>{t('licences')}</p>
      <p>{t('apiDoc')}</p>
      <p>{t('noNetwork')}</p>
    </section>
  );
}

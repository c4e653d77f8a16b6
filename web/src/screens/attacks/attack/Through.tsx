import { Skeleton } from 'antd';
import { Link } from 'react-router';
import { api, type Schemas } from '../../../api/client';
import { Inert } from '../../../parts/Inert';
import { ApiChip, DefectChip } from '../../../parts/Known';
import { Sentence } from '../../../parts/Sentence';
import { useFormat } from '../../../parts/useFormat';
import { useText } from '../../../text/text';
import { text } from '../text';

/** Through names what the attack stands on: APIs, defects, and the campaign that it is part of. */
export function Through({ of: a }: { of: Schemas['Attack'] }) {
  const t = useText(text);
  const f = useFormat();
  const q = api.useQuery('get', '/api/v1/campaigns', { params: { query: { attack: a.id, limit: 5 } } });
  return (
    <>
      <section className="atk-panel-section">
        <h3>{t('through')}</h3>
        <p className={a.through.length ? undefined : 'atk-sub'}>{a.through.length ? t('throughDo') : t('throughNone')}</p>
        <div className="atk-chips">
          {a.through.map((id) => (
            <DefectChip key={id} id={id} />
          ))}
        </div>
      </section>
      <section className="atk-panel-section">
        <h3>{t('api')}</h3>
        <div className="atk-chips">
          {a.apis.map((id) => (
            <ApiChip key={id} id={id} />
          ))}
        </div>
      </section>
      <section className="atk-panel-section">
        <h3>{t('itsCampaign')}</h3>
        {q.isPending ? <Skeleton active paragraph={{ rows: 1 }} title={false} /> : null}
        {q.data?.items.length === 0 && <p className="atk-sub">{t('noCampaign')}</p>}
        {q.data?.items.map((c) => (
          <p key={c.id}>
            <Link to={`/attacks/campaigns/${encodeURIComponent(c.id)}`}>
              <Inert text={c.name} />
            </Link>{' '}
            <span className="atk-sub">
              {t('nAttacks', { n: f.exact(c.attacks.length) })} · {t('nSites', { n: f.exact(c.sites.length) })}
            </span>
            <br />
            <Sentence of={c.reason} />
          </p>
        ))}
      </section>
    </>
  );
}

import { Button, Skeleton, Table, Tag, Tooltip } from 'antd';
import { useState } from 'react';
import { api, type Schemas } from '../../api/client';
import { useSession } from '../../api/session';
import { Inert } from '../../parts/Inert';
import { TroubleView } from '../../parts/TroubleView';
import { useFormat } from '../../parts/useFormat';
import { Amount, When } from '../../parts/When';
import { useName, useText } from '../../text/text';
import { MarkForm, type Mark } from './MarkForm';
import { level } from './level';
import { text } from './text';

type Known = Schemas['Known'];
type Saying = Schemas['Saying'];

/** Lookup is what intelligence says of a value; quiet where it would say nothing, and why it cannot of an address that is nobody's. */
export function Lookup({ value, quiet, nobodys }: { value: string; quiet?: boolean; nobodys?: boolean }) {
  const t = useText(text);
  const q = api.useQuery('post', '/api/v1/indicators/lookup', { body: { value } }, { retry: false });
  if (q.error && !q.data) return q.error && 'status' in q.error && q.error.status === 503 ? null : <TroubleView small error={q.error} retry={q.refetch} />;
  if (!q.data) return quiet ? null : <Skeleton active paragraph={{ rows: 2 }} />;
  const items = quiet ? q.data.items.filter((k) => k.says.length > 0 || k.never) : q.data.items;
  if (items.length === 0) return null;
  return (
    <section className="intel-section" aria-label={t('says')}>
      <h3>{t('says')}</h3>
      {items.map((k) => (
        <One key={`${k.type} ${k.value}`} of={k} whole={q.data} named={quiet === true} nobodys={nobodys === true} />
      ))}
    </section>
  );
}

function One({ of: k, whole, named, nobodys }: { of: Known; whole: Schemas['Knowledge']; named: boolean; nobodys: boolean }) {
  const t = useText(text);
  const f = useFormat();
  const name = useName();
  const { may } = useSession();
  const [marking, setMarking] = useState<Mark>();
  const how = level(k);
  if (nobodys && k.says.length === 0 && !k.never) return <p className="intel-sub">{t('nobodys')}</p>;
  return (
    <div className="intel-known">
      {named && (
        <h4>
          <small className="intel-sub">{name('intel_type', k.type)}</small> <Inert text={k.value} />
        </h4>
      )}
      <p className={`intel-score intel-score-${how}`}>
        <strong>{k.score}</strong>
        <span>
          {t(`level_${how}`)}
          {k.never && (
            <>
              {' '}
              <Inert text={k.never} />
            </>
          )}
        </span>
      </p>
      {k.tags.length > 0 && (
        <p className="intel-tags">
          {k.tags.map((tag) => (
            <Tag key={tag}>{name('intel_tag', tag)}</Tag>
          ))}
          {k.tags.includes('hijacked') && <span className="intel-sub">{t('hijacked')}</span>}
        </p>
      )}
      {k.says.length === 0 ? (
        <p className="intel-sub">{t('saysNothing', { n: f.exact(whole.indicators), sources: f.exact(whole.sources) })}</p>
      ) : (
        <>
          <p className="intel-sub">
            {t('voices', { n: f.exact(k.voices) })} {k.local > 0 && t('local', { n: f.exact(k.local) })} {k.wide && t('wide')}
          </p>
          <Table<Saying>
            size="small"
            aria-label={t('says')}
            rowKey={(s) => `${s.source} ${s.value ?? ''}`}
            scroll={{ x: 'max-content' }}
            pagination={k.says.length > 10 ? { pageSize: 10, size: 'small', showSizeChanger: false } : false}
            dataSource={k.says}
            columns={[
              {
                key: 'source', title: t('source'),
                render: (_, s) => (
                  <Tooltip title={s.licence}>
                    <span>
                      <Inert text={s.source} /> <span className="intel-sub">{name('intel_role', s.role)}</span> {s.stale && <Tag color="warning">{t('stale')}</Tag>}
                    </span>
                  </Tooltip>
                ),
              },
              { key: 'what', title: t('speaksOf'), render: (_, s) => (s.value ? <Inert text={s.value} /> : t('itself')) },
              { key: 'weight', title: t('weight'), render: (_, s) => <Weight of={s} /> },
              { key: 'last', title: t('lastSeen'), render: (_, s) => <When at={s.last} relative /> },
              { key: 'ends', title: t('ends'), render: (_, s) => <When at={s.ends} /> },
              { key: 'sightings', title: t('sightings'), align: 'right', render: (_, s) => <Amount n={s.sightings} /> },
              { key: 'note', title: t('why'), render: (_, s) => <Why of={s} /> },
            ]}
          />
        </>
      )}
      {may('analyst') && (
        <p className="intel-bar">
          <Button size="small" onClick={() => setMarking({ type: k.type, value: k.value, verdict: 'hostile' })}>
            {t('markHostile')}
          </Button>
          <Button size="small" onClick={() => setMarking({ type: k.type, value: k.value, verdict: 'harmless' })}>
            {t('markHarmless')}
          </Button>
        </p>
      )}
      {marking && <MarkForm of={marking} close={() => setMarking(undefined)} />}
    </div>
  );
}

/** Weight shows what a source's word weighs now, and what became of it with age. */
function Weight({ of: s }: { of: Saying }) {
  const t = useText(text);
  const f = useFormat();
  const parts = t('weightIs', { reliability: f.percent(s.reliability), confidence: f.percent(s.confidence / 100), left: f.percent(s.left) });
  return (
    <Tooltip title={parts}>
      <span className="intel-weight" role="img" aria-label={`${f.percent(s.weight)}: ${parts}`}>
        <span className="intel-weight-bar" aria-hidden="true">
          <span style={{ width: `${Math.round(s.reliability * s.confidence)}%` }} />
          <span style={{ width: `${Math.round(s.weight * 100)}%` }} />
        </span>
        {f.percent(s.weight)}
      </span>
    </Tooltip>
  );
}

/** Why is the kind of attack that a thing is known for, or what its source wrote. */
function Why({ of: s }: { of: Saying }) {
  const name = useName();
  if (!s.note) return <span className="none">–</span>;
  const kind = name('attack_kind', s.note);
  return kind === s.note ? <Inert text={s.note} /> : <>{kind}</>;
}

import { Skeleton } from 'antd';
import { api, type Schemas } from '../../api/client';
import { Inert } from '../../parts/Inert';
import { Sentence } from '../../parts/Sentence';
import { TroubleView } from '../../parts/TroubleView';
import { useFormat } from '../../parts/useFormat';
import { Amount, When } from '../../parts/When';
import { nameOf, useLang, useText } from '../../text/text';
import { PartState } from './PartState';
import { text } from './text';

type Sensor = Schemas['Sensor'];

const every = 5000;

/** Sensors says where traffic comes from, how fast, how late, and what of it was lost. */
export function Sensors() {
  const t = useText(text);
  const lang = useLang();
  const f = useFormat();
  const q = api.useQuery('get', '/api/v1/sensors', {}, { refetchInterval: every });
  if (!q.data) return q.error ? <TroubleView small error={q.error} retry={() => void q.refetch()} /> : <Skeleton active />;
  const { items, dropped } = q.data;
  const edge = items.some((s) => s.kind === 'sensor');
  return (
    <section>
      <h2>{t('sources')}</h2>
      {items.length === 0 && <p className="soft">{t('sourcesNone')}</p>}
      {items.length > 0 && (
        <div className="scroll" tabIndex={0} role="region" aria-label={t('sources')}>
          <table className="parts">
            <thead>
              <tr>
                <th scope="col">{t('part')}</th>
                <th scope="col">{t('state')}</th>
                <th scope="col">{t('says')}</th>
                <th scope="col">{t('takenSoFar')}</th>
                <th scope="col">{t('rate')}</th>
                {edge && <th scope="col">{t('lag')}</th>}
                {edge && <th scope="col">{t('buffered')}</th>}
                {edge && <th scope="col">{t('shed')}</th>}
              </tr>
            </thead>
            <tbody>
              {items.map((s) => (
                <tr key={`${s.kind} ${s.name}`}>
                  <th scope="row">{s.kind === 'source' ? t('partSources') : <Inert text={s.name} />}</th>
                  <td>
                    <PartState state={s.state} />
                  </td>
                  <td>
                    {s.text ? <Sentence of={s.text} /> : <span className="soft">–</span>}{' '}
                    {s.last_seen && s.state !== 'ok' && (
                      <span className="soft">
                        {t('since')} <When at={s.last_seen} />
                      </span>
                    )}
                  </td>
                  <td>
                    <Amount n={s.exchanges} /> {s.bytes ? <span className="soft">{f.bytes(s.bytes)}</span> : null}
                  </td>
                  <td>{s.rate === undefined ? <span className="soft">{t('measuring')}</span> : t('perSecond', { n: f.number(tidy(s.rate)) })}</td>
                  {edge && <td>{s.lag_seconds === undefined ? '–' : f.duration(s.lag_seconds * 1000)}</td>}
                  {edge && <td>{s.buffered_bytes ? f.bytes(s.buffered_bytes) : '–'}</td>}
                  {edge && <td className={lossOf(s) ? 'shed' : ''}>{lossOf(s) ? f.number(lossOf(s)) : '–'}</td>}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {dropped.length > 0 && (
        <p>
          {t('lostOnTheWay')}: {dropped.map((d) => `${nameOf('drop_reason', d.reason, lang)} ${f.number(d.count)}`).join(lang === 'zh' ? '，' : ', ')}
        </p>
      )}
    </section>
  );
}

const tidy = (n: number) => (n >= 10 ? Math.round(n) : Math.round(n * 10) / 10);

const lossOf = (s: Sensor) => s.lost ?? 0;

import { Alert, Button, Skeleton } from 'antd';
import { useEffect, useRef, useState } from 'react';
import { api } from '../../api/client';
import { Inert } from '../../parts/Inert';
import { Sentence } from '../../parts/Sentence';
import { TroubleView } from '../../parts/TroubleView';
import { useFormat } from '../../parts/useFormat';
import { Amount, When } from '../../parts/When';
import { nameOf, useLang, useText, type Said } from '../../text/text';
import { bad, figureNames, isSize, rate, underWay, worst, type Part, type Sample, type Status } from './figures';
import { PartState } from './PartState';
import { Sensors } from './Sensors';
import { text } from './text';

const every = 5000;
const few = 6; // judges shown at first

/** Health says whether all parts work, in words first, then in figures. */
export function Health() {
  const t = useText(text);
  const q = api.useQuery('get', '/api/v1/status', {}, { refetchInterval: every });
  const perSecond = useRate(q.data);
  const [all, setAll] = useState(false);
  if (!q.data) return q.error ? <TroubleView error={q.error} retry={() => void q.refetch()} /> : <Skeleton active />;
  const s = q.data;
  const wrong = bad(s);
  const judges = worst(s.judges);
  return (
    <div className="health">
      {q.error ? <TroubleView small error={q.error} retry={() => void q.refetch()} /> : null}
      <Alert
        type={s.status === 'failing' ? 'error' : s.status === 'degraded' ? 'warning' : 'success'}
        showIcon
        title={t(s.status === 'failing' ? 'allFailing' : s.status === 'degraded' ? 'allDegraded' : 'allOk')}
        description={
          wrong.length > 0 && (
            <ul className="wrong">
              {wrong.slice(0, 8).map((p) => (
                <li key={p.name}>
                  <strong>
                    <PartName name={p.name} />
                  </strong>{' '}
                  {p.text && <Sentence of={p.text} />}
                </li>
              ))}
              {wrong.length > 8 && <li>{t('partsBad', { n: wrong.length })}</li>}
            </ul>
          )
        }
      />
      <dl className="totals">
        <Total label={t('taken')} value={<Amount n={s.exchanges} />} />
        <Total label={t('judged')} value={<Amount n={s.analysed} />} />
        <Total label={t('underWay')} value={<Amount n={underWay(s)} />} />
        <Total label={t('rate')} value={perSecond === undefined ? <span className="soft">{t('measuring')}</span> : <Rate n={perSecond} />} />
        <Total label={t('lost')} value={<Lost status={s} />} />
        <Total label={t('upSince')} value={<When at={s.started} />} />
      </dl>
      <Sensors />
      <Group title={t('stream')} parts={[s.stream]} />
      <Group title={t('judges')} parts={all ? judges : judges.slice(0, few)} />
      {judges.length > few && !all && (
        <Button type="link" onClick={() => setAll(true)}>
          {t('judgesAll', { n: judges.length })}
        </Button>
      )}
      <Group title={t('stores')} parts={s.stores} />
      <Group title={t('console')} parts={[s.events]} />
    </div>
  );
}

function useRate(s: Status | undefined): number | undefined {
  const before = useRef<Sample>(undefined);
  const [n, setN] = useState<number>();
  useEffect(() => {
    if (!s) return;
    const sample = { at: Date.parse(s.now), exchanges: s.exchanges };
    const r = rate(before.current, sample);
    if (before.current && r === undefined && sample.exchanges >= before.current.exchanges) return; // too soon
    before.current = sample;
    setN(r);
  }, [s]);
  return n;
}

function Rate({ n }: { n: number }) {
  const t = useText(text);
  const f = useFormat();
  return <>{t('perSecond', { n: f.number(n >= 10 ? Math.round(n) : Math.round(n * 10) / 10) })}</>;
}

function Total({ label, value }: { label: string; value: React.ReactNode }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd>{value}</dd>
    </div>
  );
}

function Lost({ status }: { status: Status }) {
  const t = useText(text);
  const lang = useLang();
  const f = useFormat();
  if (status.dropped.length === 0) return <span className="soft">{t('lostNone')}</span>;
  return (
    <ul className="lost">
      {status.dropped.map((d) => (
        <li key={d.reason}>
          {nameOf('drop_reason', d.reason, lang)}: {f.number(d.count)}
        </li>
      ))}
    </ul>
  );
}

function Group({ title, parts }: { title: string; parts: readonly Part[] }) {
  const t = useText(text);
  return (
    <section>
      <h2>{title}</h2>
      {parts.length > 0 && (
        <div className="scroll" tabIndex={0} role="region" aria-label={title}>
          <table className="parts">
            <thead>
              <tr>
                <th scope="col">{t('part')}</th>
                <th scope="col">{t('state')}</th>
                <th scope="col">{t('says')}</th>
                <th scope="col">{t('figures')}</th>
              </tr>
            </thead>
            <tbody>
              {parts.map((p) => (
                <tr key={p.name}>
                  <th scope="row">
                    <PartName name={p.name} />
                  </th>
                  <td>
                    <PartState state={p.state} />
                  </td>
                  <td>
                    {p.text ? <Sentence of={p.text} /> : <span className="soft">–</span>}{' '}
                    {p.since && p.state !== 'ok' && (
                      <span className="soft">
                        {t('since')} <When at={p.since} />
                      </span>
                    )}
                  </td>
                  <td>
                    <Figures of={p.figures} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

const partNames: Record<string, keyof typeof text> = {
  sources: 'partSources', stream: 'partStream', order: 'partOrder', records: 'partRecords', rows: 'partRows', states: 'partStates', intelligence: 'partIntelligence', events: 'partEvents',
};

function PartName({ name }: { name: string }) {
  const t = useText(text);
  const known = partNames[name];
  return known ? t(known) : <Inert text={name} />;
}

/** The figures that say something: zeros are left out until one asks. */
function Figures({ of }: { of: Part['figures'] }) {
  const f = useFormat();
  const list = Object.entries(of).filter(([, n]) => n !== 0);
  if (list.length === 0) return <span className="soft">–</span>;
  return (
    <span className="figures">
      {list.map(([name, n]) => (
        <span key={name}>
          <span className="soft">{(figureNames as Record<string, Said>)[name]?.[f.lang] ?? nameOf('limit', name, f.lang)}</span> {isSize(name) ? f.bytes(n) : f.number(n)}
        </span>
      ))}
    </span>
  );
}

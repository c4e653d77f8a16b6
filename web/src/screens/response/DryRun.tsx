import { Alert, Button, Select, Space } from 'antd';
import { useState } from 'react';
import { api, client, type Schemas } from '../../api/client';
import { Bars } from '../../charts/Bars';
import { Inert } from '../../parts/Inert';
import { AttackChip } from '../../parts/Known';
import { Method } from '../../parts/Tags';
import { Teach } from '../../parts/Teach';
import { TroubleView } from '../../parts/TroubleView';
import { useFormat } from '../../parts/useFormat';
import { When } from '../../parts/When';
import { inert } from '../../text/inert';
import { useText } from '../../text/text';
import { text } from './text';

type Result = Schemas['DryRun'];
type Tried = Schemas['TriedRule'];

const periods = [1, 6, 24, 72, 168] as const;

/** DryRun applies rules to traffic that is still held, and shows what they would meet. */
export function DryRun({ yaml, ready }: { yaml: string; ready: boolean }) {
  const t = useText(text);
  const [hours, setHours] = useState<number>(24);
  const [site, setSite] = useState<string>();
  const [busy, setBusy] = useState(false);
  const [got, setGot] = useState<{ of: string; result?: Result; error?: unknown }>();
  const sites = api.useQuery('get', '/api/v1/sites', { params: { query: { limit: 200 } } }, { staleTime: 60_000 });
  const run = async () => {
    setBusy(true);
    try {
      const { data } = await client.POST('/api/v1/rules/test', { body: { yaml, dry_run: { hours, site, limit: 10 } } });
      setGot({ of: yaml, result: data!.dry_run });
    } catch (error) {
      setGot({ of: yaml, error });
    } finally {
      setBusy(false);
    }
  };
  return (
    <section aria-label={t('dryRun')}>
      <h2 className="section">{t('dryRun')}</h2>
      <p className="soft">{t('dryRunDo')}</p>
      <Space wrap>
        <Select
          aria-label={t('dryHours')}
          value={hours}
          onChange={setHours}
          popupMatchSelectWidth={false}
          options={periods.map((n) => ({ value: n, label: n <= 24 ? t('hours', { n }) : t('lastDays', { n: n / 24 }) }))}
        />
        <Select
          aria-label={t('site')}
          allowClear
          showSearch
          placeholder={t('everySite')}
          style={{ minWidth: 180 }}
          value={site}
          onChange={setSite}
          options={(sites.data?.items ?? []).map((s) => ({ value: s.site.name, label: inert(s.site.name) }))}
        />
        <Button type="primary" onClick={() => void run()} loading={busy} disabled={!ready}>
          {t('dryGo')}
        </Button>
        {!ready && <span className="soft">{t('dryFirst')}</span>}
      </Space>
      <div aria-live="polite">
        {got?.error ? <TroubleView small error={got.error} retry={() => void run()} /> : null}
        {got?.result && <Met result={got.result} />}
      </div>
    </section>
  );
}

function Met({ result: r }: { result: Result }) {
  const t = useText(text);
  const f = useFormat();
  if (r.exchanges === 0) return <Teach title={t('dryNothing')}>{t('dryNothingDo')}</Teach>;
  return (
    <div className="dry-run">
      <p>
        <strong>{t('dryLooked', { n: f.exact(r.exchanges) })}</strong>
        {r.first && r.last && <span className="soft"> · {t('drySpan', { from: f.time(r.first), to: f.timeIn(r.last) })}</span>}
        {r.stopped && <span className="soft"> · {t(`stopped_${r.stopped}`)}</span>}
      </p>
      {r.rules.map((rule) => (
        <RuleMet key={rule.id} rule={rule} />
      ))}
    </div>
  );
}

function RuleMet({ rule: r }: { rule: Tried }) {
  const t = useText(text);
  const f = useFormat();
  const attacks = r.verdicts.suspicious + r.verdicts.likely + r.verdicts.confirmed;
  return (
    <article className="card">
      <h3>
        <code>{r.id}</code> {r.matched === 0 ? t('dryNone', { of: f.exact(r.looked - r.apart) }) : t('dryMatched', { n: f.exact(r.matched), of: f.exact(r.looked - r.apart) })}
      </h3>
      {r.matched > 0 && (
        <p className="soft">
          {t('dryHonest', { n: f.exact(r.verdicts.none) })} · {t('dryAttack', { n: f.exact(attacks) })}
        </p>
      )}
      {r.failed > 0 && <Alert type="warning" showIcon title={t('dryFailed', { n: f.exact(r.failed) })} />}
      {r.costly > 0 && <Alert type="warning" showIcon title={t('dryCostly', { n: f.exact(r.costly) })} />}
      {r.apis.length > 0 && (
        <Bars
          rows={r.apis.map((a) => ({
            key: a.api || `${a.site} ${a.method} ${a.template}`,
            label: (
              <>
                <Method method={a.method} /> <Inert code text={`${a.host}${a.template}`} />
              </>
            ),
            value: a.matched,
            text: `${f.exact(a.matched)} / ${f.exact(a.looked)}`,
          }))}
        />
      )}
      {r.further > 0 && <p className="soft">{t('dryFurther', { n: f.exact(r.further) })}</p>}
      {r.samples.length > 0 && (
        <details>
          <summary>{t('drySamples')}</summary>
          <ul className="samples">
            {r.samples.map((s) => (
              <li key={s.id}>
                <When at={s.time} detail="second" /> <Method method={s.method} /> <Inert code text={s.template} /> {s.status} {s.attack && <AttackChip id={s.attack} />}
                <div className="soft">
                  <Inert text={[...s.request, '→', ...s.response].join(' · ')} />
                </div>
              </li>
            ))}
          </ul>
        </details>
      )}
    </article>
  );
}

import { useNavigate } from 'react-router';
import { Bars } from '../../charts/Bars';
import { useFormat } from '../../parts/useFormat';
import { useName, useText } from '../../text/text';
import { links, type Scope } from './links';
import { text } from './text';
import type { Figures } from './useOverview';

/** The scenarios of the source report, in its order; exploitation of software stands beside them. */
const four = ['marketing_fraud', 'account_risk', 'data_theft', 'traffic_fraud'];
const beside = ['exploitation'];

export function Scenarios({ of, scope }: { of: Figures; scope: Scope }) {
  const t = useText(text);
  const f = useFormat();
  const name = useName();
  const navigate = useNavigate();
  const found = new Map(of.scenarios.map((s) => [s.scenario, s]));
  const rows = (ids: readonly string[]) =>
    ids.map((id) => {
      const s = found.get(id);
      return {
        key: id,
        label: name('scenario', id),
        value: s?.requests ?? 0,
        text: s ? t('scenario', { share: f.percent(s.share), requests: f.number(s.requests), apis: f.number(s.apis) }) : '0',
        open: s && (() => void navigate(links.scenario(scope, id))),
      };
    });
  const most = Math.max(1, ...of.scenarios.map((s) => s.requests));
  return (
    <section className="card">
      <h2>{t('scenarios')}</h2>
      {of.scenarios.length === 0 ? (
        <p className="soft">{t('noAttacks')}</p>
      ) : (
        <>
          <Bars rows={rows(four)} most={most} />
          <p className="soft beside">{t('beside')}</p>
          <Bars rows={rows(beside)} most={most} />
        </>
      )}
      {of.scenarios_left_out > 0 && <p className="soft">{t('scenarioLeft', { n: f.number(of.scenarios_left_out) })}</p>}
    </section>
  );
}

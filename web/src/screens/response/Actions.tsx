import { Alert, App, Button, type TableProps } from 'antd';
import { client } from '../../api/client';
import { Chip } from '../../parts/Chip';
import { DataTable } from '../../parts/DataTable';
import { FilterBar } from '../../parts/FilterBar';
import { Inert } from '../../parts/Inert';
import { ApiChip } from '../../parts/Known';
import { Verdict } from '../../parts/Tags';
import { Teach } from '../../parts/Teach';
import { useFormat } from '../../parts/useFormat';
import { useSpan, useUrl } from '../../parts/url';
import { usePaged } from '../../parts/usePaged';
import { Amount, When } from '../../parts/When';
import { useName, useText } from '../../text/text';
import { addressesOf, keysOf, tokenKeys, type Attack } from './selector';
import { text } from './text';

/** Actions shows what the machine proposes against attacks, what it would cost, and how to use it. */
export function Actions() {
  const t = useText(text);
  const name = useName();
  const f = useFormat();
  const url = useUrl();
  const span = useSpan('30d');
  const shown = url.get('row');
  const query = { site: url.get('site'), text: url.get('q'), verdict: url.all('verdict'), from: span.from, to: span.to, sort: 'last_seen' as const };
  const paged = usePaged<Attack>('/api/v1/attacks', query, async (cursor, signal) => {
    const { data } = await client.GET('/api/v1/attacks', { params: { query: { ...query, cursor, limit: 100 } }, signal });
    return data!;
  });
  const columns: TableProps<Attack>['columns'] = [
    { key: 'attack', title: t('attack'), width: 170, render: (_, a) => <Chip kind="attack" value={a.id} label={name('attack_kind', a.kind)} /> },
    { key: 'verdict', title: t('state'), width: 90, render: (_, a) => <Verdict verdict={a.verdict} /> },
    { key: 'site', title: t('site'), width: 130, ellipsis: true, render: (_, a) => <Inert text={a.site} /> },
    { key: 'action', title: t('proposed'), width: 120, render: (_, a) => <strong>{name('action', a.action.kind)}</strong> },
    { key: 'collateral', title: t('collateral'), width: 110, align: 'right', render: (_, a) => (a.action.collateral > 0 ? f.percent(a.action.collateral) : <span className="soft">{t('collateralNone')}</span>) },
    { key: 'keys', title: t('conditions'), width: 260, ellipsis: true, render: (_, a) => keysOf(a).map(([k, v]) => `${t(k)} ${v.length}`).join(' · ') },
    { key: 'requests', title: t('requests'), width: 100, align: 'right', render: (_, a) => <Amount n={a.requests} /> },
    { key: 'last', title: t('lastSeen'), width: 150, render: (_, a) => <When at={a.last_seen} /> },
  ];
  const chosen = paged.rows.find((a) => a.id === shown);
  return (
    <div className="attack-actions">
      <Alert type="info" showIcon title={t('actionsHonest')} description={t('actionsHonestDo')} />
      <FilterBar
        standard="30d"
        facets={[{ name: 'verdict', label: t('state'), multiple: true, choices: ['confirmed', 'likely', 'suspicious'].map((value) => ({ value, label: name('verdict', value) })) }]}
      />
      {chosen && <Selector attack={chosen} close={() => url.set({ row: null })} />}
      <DataTable
        label={t('tabActions')}
        paged={paged}
        columns={columns}
        rowKey={(a) => a.id}
        open={(a) => url.set({ row: a.id === shown ? null : a.id })}
        empty={<Teach title={t('noActions')}>{t('noActionsDo')}</Teach>}
      />
    </div>
  );
}

const few = 12;

/** Selector says which requests an attack's action is about, for a gateway to use. */
function Selector({ attack, close }: { attack: Attack; close: () => void }) {
  const t = useText(text);
  const f = useFormat();
  const name = useName();
  const { message } = App.useApp();
  const keys = keysOf(attack);
  const addresses = addressesOf(attack);
  const lacking = keys.filter(([k]) => k !== 'ip' && k !== 'prefix').map(([k]) => t(k));
  if (attack.selector.apis.length > 0) lacking.unshift(t('apis'));
  const copy = async (what: string) => {
    try {
      await navigator.clipboard.writeText(what);
      message.success(t('copied'));
    } catch {
      message.info(t('copyRefused'));
    }
  };
  return (
    <section className="card selector" aria-label={t('details')}>
      <h2>
        {name('attack_kind', attack.kind)} → {name('action', attack.action.kind)}
      </h2>
      <p className="soft">{t('selectorHow', { from: f.time(attack.selector.from), to: f.timeIn(attack.selector.to) })}</p>
      <dl>
        {attack.selector.apis.length > 0 && <Values label={t('apis')} kind="api" values={attack.selector.apis} />}
        {keys.map(([k, v]) => (
          <Values key={k} label={t(k)} values={v} kind={k === 'ip' ? 'client' : k === 'prefix' ? 'prefix' : undefined} />
        ))}
      </dl>
      {keys.some(([k]) => tokenKeys.has(k)) && <p className="soft">{t('selectorTokens')}</p>}
      {addresses.length > 0 && lacking.length > 0 && <Alert type="warning" showIcon title={t('selectorWide', { keys: lacking.join(f.lang === 'zh' ? '、' : ', ') })} />}
      <span>
        <Button onClick={() => void copy(JSON.stringify({ attack: attack.id, action: attack.action, selector: attack.selector }, null, 2))}>{t('copySelector')}</Button>{' '}
        {addresses.length > 0 && <Button onClick={() => void copy(`${addresses.join('\n')}\n`)}>{t('copyAddresses')}</Button>} <Button onClick={close}>{t('close')}</Button>
      </span>
    </section>
  );
}

function Values({ label, values, kind }: { label: string; values: readonly string[]; kind?: 'client' | 'prefix' | 'api' }) {
  const t = useText(text);
  return (
    <>
      <dt className="soft">{label}</dt>
      <dd>
        {values.slice(0, few).map((v) => (
          <span key={v}>{kind === 'api' ? <ApiChip id={v} /> : kind ? <Chip kind={kind} value={v} /> : <Inert code text={v} />} </span>
        ))}
        {values.length > few && <span className="soft">{t('more', { n: values.length - few })}</span>}
      </dd>
    </>
  );
}


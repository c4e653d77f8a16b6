import { App, Button, Space } from 'antd';
import { Link } from 'react-router';
import type { Schemas } from '../../../api/client';
import { Chip } from '../../../parts/Chip';
import { Inert } from '../../../parts/Inert';
import { ApiChip } from '../../../parts/Known';
import { useFormat } from '../../../parts/useFormat';
import { When } from '../../../parts/When';
import { useLang, useName, useText } from '../../../text/text';
import { text } from '../text';
import { traits, wordOf } from '../words';
import { addresses, nginx } from './selector';

type Attack = Schemas['Attack'];

const most = 20;

/** Stop says what to do about an attack, what that would cost, and by what a gateway knows it. */
export function Stop({ of: a }: { of: Attack }) {
  const t = useText(text);
  const name = useName();
  const f = useFormat();
  const lang = useLang();
  const { message } = App.useApp();
  const copy = async (what: string) => {
    try {
      await navigator.clipboard.writeText(what);
      message.success(t('copied'));
    } catch {
      message.warning(t('copyRefused'));
    }
  };
  const list = addresses(a.selector);
  const keys = Object.entries(a.selector.keys).filter((k): k is [string, string[]] => Array.isArray(k[1]) && k[1].length > 0);
  return (
    <>
      <section className="atk-panel-section">
        <h3>{t('action')}</h3>
        <p>
          <strong>{name('action', a.action.kind)}</strong> · {t('collateral')}: {a.action.collateral > 0 ? t('collateralSome', { p: f.percent(a.action.collateral) }) : t('collateralNone')}
        </p>
        <Link to={`/response?${new URLSearchParams({ attack: a.id })}`}>{t('toResponse')}</Link>
      </section>
      <section className="atk-panel-section">
        <h3>{t('selector')}</h3>
        <p className="atk-sub">{t('selectorIntro')}</p>
        <dl className="atk-selector">
          <dt>{t('selectorApis')}</dt>
          <dd className="atk-chips">{a.selector.apis.length === 0 ? t('selectorAnyApi') : a.selector.apis.map((id) => <ApiChip key={id} id={id} />)}</dd>
          {keys.map(([key, values]) => (
            <Line key={key} label={wordOf(traits, key, lang)} kind={key} values={values} />
          ))}
          <dt>{t('selectorTime')}</dt>
          <dd>
            <When at={a.selector.from} detail="second" /> – <When at={a.selector.to} detail="second" />
          </dd>
        </dl>
        <Space wrap>
          <Button onClick={() => void copy(JSON.stringify(a.selector, null, 2))}>{t('copyJson')}</Button>
          {list.length > 0 && <Button onClick={() => void copy(list.join('\n'))}>{t('copyList')}</Button>}
          {list.length > 0 && <Button onClick={() => void copy(nginx(list))}>{t('copyNginx')}</Button>}
        </Space>
        {list.length > 0 && keys.length > 1 && <p className="atk-sub">{t('broader')}</p>}
      </section>
    </>
  );
}

function Line({ label, kind, values }: { label: string; kind: string; values: readonly string[] }) {
  const t = useText(text);
  return (
    <>
      <dt>{label}</dt>
      <dd className="atk-chips">
        {values.slice(0, most).map((v) => (kind === 'ip' ? <Chip key={v} kind="client" value={v} /> : kind === 'prefix' ? <Chip key={v} kind="prefix" value={v} /> : <Inert key={v} code text={v} />))}
        {values.length > most && <span className="atk-sub">{t('more', { n: values.length - most })}</span>}
      </dd>
    </>
  );
}

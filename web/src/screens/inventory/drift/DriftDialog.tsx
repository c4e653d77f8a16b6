import { InboxOutlined } from '@ant-design/icons';
import { Alert, Button, Form, Modal, Popconfirm, Select, Space, Tag, Upload } from 'antd';
import { useMemo, useState } from 'react';
import { api } from '../../../api/client';
import { useSession } from '../../../api/session';
import { csv, save } from '../../../parts/csv';
import { Inert } from '../../../parts/Inert';
import { describe } from '../../../parts/TroubleView';
import { useFormat } from '../../../parts/useFormat';
import { inert } from '../../../text/inert';
import { useLang, useText } from '../../../text/text';
import { DriftList, useSay } from './DriftList';
import { text } from './text';
import { useDrift, type Compared } from './useDrift';

const largest = 4_000_000; // bytes, as the API takes

/** DriftDialog takes a description of a site and shows how traffic differs from it. */
export function DriftDialog({ site: first, shown, close }: { site?: string; shown?: Compared; close: () => void }) {
  const t = useText(text);
  const [done, setDone] = useState(shown);
  return (
    <Modal open title={t('title')} onCancel={close} width={Math.min(1160, window.innerWidth - 32)} footer={null} destroyOnHidden>
      {done ? <Result of={done} back={() => setDone(undefined)} changed={setDone} /> : <Choose first={first ?? shown?.site} done={setDone} close={close} />}
    </Modal>
  );
}

function Choose({ first, done, close }: { first?: string; done: (c: Compared) => void; close: () => void }) {
  const t = useText(text);
  const lang = useLang();
  const sites = api.useQuery('get', '/api/v1/sites', { params: { query: { limit: 500 } } }, { staleTime: 60_000 });
  const [site, setSite] = useState(first);
  const { keep } = useDrift(site);
  const [file, setFile] = useState<File>();
  const [trouble, setTrouble] = useState<string>();
  const [busy, setBusy] = useState(false);
  const send = async () => {
    if (!site) return setTrouble(t('whichNeeded'));
    if (!file) return;
    setBusy(true);
    setTrouble(undefined);
    try {
      const document = await file.text().catch(() => undefined);
      if (document === undefined) return setTrouble(t('unreadable'));
      done(await keep(site, file.name.slice(0, 200), document));
    } catch (e) {
      const d = describe(e, lang);
      setTrouble(`${d.title} ${d.detail}`);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Form layout="vertical" onFinish={() => void send()}>
      <Form.Item label={t('which')} required htmlFor="drift-site">
        <Select
          id="drift-site"
          showSearch
          value={site}
          onChange={setSite}
          options={(sites.data?.items ?? []).map((s) => ({ value: s.site.name, label: inert(s.site.name) }))}
        />
      </Form.Item>
      <Upload.Dragger
        accept=".json,.yaml,.yml"
        maxCount={1}
        beforeUpload={(f) => {
          setTrouble(f.size > largest ? t('big') : undefined);
          setFile(f.size > largest ? undefined : f);
          return false; // it is read when the comparison is asked for
        }}
        onRemove={() => setFile(undefined)}
      >
        <p className="ant-upload-drag-icon">
          <InboxOutlined />
        </p>
        <p>{t('drop')}</p>
        <p className="soft">{t('here')}</p>
      </Upload.Dragger>
      {trouble && <Alert type="error" role="alert" title={<Inert text={trouble} />} className="gap" />}
      <Space className="gap dialog-foot">
        <Button onClick={close}>{t('cancel')}</Button>
        <Button type="primary" htmlType="submit" loading={busy} disabled={!file}>
          {t('compare')}
        </Button>
      </Space>
    </Form>
  );
}

function Result({ of, back, changed }: { of: Compared; back: () => void; changed: (c?: Compared) => void }) {
  const t = useText(text);
  const f = useFormat();
  const say = useSay();
  const [kind, setKind] = useState<string>();
  const { result } = of;
  const kinds = useMemo(() => {
    const n = new Map<string, number>();
    for (const i of result.items) n.set(i.kind, (n.get(i.kind) ?? 0) + 1);
    return [...n];
  }, [result]);
  const items = kind ? result.items.filter((i) => i.kind === kind) : result.items;
  const write = () =>
    save(`${of.site}-drift.csv`, csv([
      [t('what'), t('api'), 'API', t('detail'), t('calls'), t('last'), t('at')],
      ...items.map((i) => [t(`kind.${i.kind}`), i.method, i.template, say(i), i.exchanges, i.last_seen ?? '', i.file ? `${i.file}:${i.line ?? ''}` : '']),
    ]), 'text/csv');
  return (
    <>
      <p>
        <b>
          <Inert text={t('result', { site: of.site, file: of.files.map((x) => x.name).join(f.lang === 'zh' ? '、' : ', ') })} />
        </b>
        <br />
        {t('operations', { n: f.exact(result.files.reduce((n, x) => n + x.operations, 0)), compared: f.exact(result.compared), matched: f.exact(result.matched) })}{' '}
        {result.hosts.length > 0 && <Inert text={t('elsewhere', { hosts: result.hosts.join(', ') })} />}
      </p>
      <Kept of={of} changed={changed} />
      {result.over ? <Alert type="warning" title={t('over', { n: f.exact(result.over) })} className="gap" /> : null}
      {result.files.some((x) => x.partial) && <Alert type="warning" title={t('partial')} className="gap" />}
      <Space wrap className="gap" size={6}>
        {kinds.map(([k, n]) => (
          <Tag.CheckableTag key={k} checked={kind === k} onChange={(on) => setKind(on ? k : undefined)}>
            {t(`kind.${k as (typeof items)[number]['kind']}`)} {f.number(n)}
          </Tag.CheckableTag>
        ))}
      </Space>
      <DriftList items={items} none={t('same')} height={Math.max(200, window.innerHeight - 460)} />
      <Space className="gap dialog-foot">
        <Button onClick={back}>{t('back')}</Button>
        <Button onClick={write} disabled={items.length === 0}>
          {t('csv')}
        </Button>
      </Space>
    </>
  );
}

/** Kept are the descriptions that the site is held to, until somebody takes them out. */
function Kept({ of, changed }: { of: Compared; changed: (c?: Compared) => void }) {
  const t = useText(text);
  const lang = useLang();
  const { may } = useSession();
  const { forget } = useDrift(of.site);
  const [trouble, setTrouble] = useState<string>();
  const drop = async (name: string) => {
    setTrouble(undefined);
    try {
      changed((await forget(of.site, name)) ?? undefined);
    } catch (e) {
      const d = describe(e, lang);
      setTrouble(`${d.title} ${d.detail}`);
    }
  };
  return (
    <>
      <p className="chip-row">
        <span className="soft">{t('kept')}</span>
        {of.files.map((x) => (
          <Tag key={x.name}>
            <Inert text={x.name} />{' '}
            {may('analyst') && (
              <Popconfirm title={t('forgetSure')} okText={t('forget')} cancelText={t('cancel')} onConfirm={() => drop(x.name)}>
                <button type="button" className="as-link">
                  {t('forget')}
                </button>
              </Popconfirm>
            )}
          </Tag>
        ))}
      </p>
      {trouble && <Alert type="error" role="alert" title={<Inert text={trouble} />} className="gap" />}
    </>
  );
}

import { Alert, App, Button, Input, Popover, Space, Table, Tag } from 'antd';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'react-router';
import { api, client, type Schemas } from '../../api/client';
import { useSession } from '../../api/session';
import { Inert } from '../../parts/Inert';
import { describe } from '../../parts/TroubleView';
import { When } from '../../parts/When';
import { useLang, useName, useText } from '../../text/text';
import { text } from './text';

type Word = Schemas['Word'];

/** Words are what people of the owner said, the newest first; nothing where nobody said anything. */
export function Words() {
  const t = useText(text);
  const name = useName();
  const { may } = useSession();
  const q = api.useQuery('get', '/api/v1/indicators', { params: { query: { limit: 100 } } }, { retry: false });
  if (!q.data || q.data.items.length === 0) return null;
  return (
    <section className="card intel-wide">
      <h2>{t('words')}</h2>
      <Table<Word>
        size="small"
        aria-label={t('words')}
        rowKey="id"
        scroll={{ x: 'max-content' }}
        pagination={{ pageSize: 10, size: 'small', hideOnSinglePage: true, showSizeChanger: false }}
        dataSource={q.data.items}
        columns={[
          { key: 'verdict', title: t('verdict'), render: (_, w) => <Tag color={w.verdict === 'hostile' ? 'error' : 'success'}>{t(`word_${w.verdict}`)}</Tag> },
          {
            key: 'what', title: t('speaksOf'),
            render: (_, w) =>
              w.attack ? (
                <Link to={`/attacks?${new URLSearchParams({ open: `attack~${w.attack}` })}`}>{t('anAttack')}</Link>
              ) : (
                <Link to={`/intelligence?${new URLSearchParams({ q: w.value ?? '' })}`}>
                  <span className="intel-sub">{name('intel_type', w.type ?? '')}</span> <Inert text={w.value ?? ''} />
                </Link>
              ),
          },
          { key: 'reason', title: t('reason'), render: (_, w) => <Inert text={w.reason} /> },
          { key: 'at', title: t('saidAt'), render: (_, w) => <When at={w.at} relative /> },
          { key: 'state', title: t('state'), render: (_, w) => (w.state === 'live' ? w.until ? <>{t('until')} <When at={w.until} /></> : t('word_live') : w.state === 'over' ? t('word_over') : <><span>{t('word_retired')}</span> {w.retired_reason && <Inert text={w.retired_reason} />}</>) },
          { key: 'do', title: t('actions'), render: (_, w) => (may('analyst') && w.state !== 'retired' ? <Retire id={w.id} /> : null) },
        ]}
      />
    </section>
  );
}

function Retire({ id }: { id: string }) {
  const t = useText(text);
  const lang = useLang();
  const queries = useQueryClient();
  const { message } = App.useApp();
  const [open, setOpen] = useState(false);
  const [reason, setReason] = useState('');
  const [trouble, setTrouble] = useState('');
  const [sending, setSending] = useState(false);
  const send = async () => {
    setSending(true);
    setTrouble('');
    try {
      await client.POST('/api/v1/indicators/{id}/retire', { params: { path: { id } }, body: { reason: reason.trim() } });
      setOpen(false);
      message.success(t('retired'));
      void queries.invalidateQueries({ queryKey: ['get', '/api/v1/indicators'] });
      void queries.invalidateQueries({ queryKey: ['post', '/api/v1/indicators/lookup'] });
    } catch (e) {
      const d = describe(e, lang);
      setTrouble(`${d.title} ${d.detail}`);
    } finally {
      setSending(false);
    }
  };
  const form = (
    <div className="intel-retire">
      {trouble && <Alert type="error" role="alert" title={trouble} />}
      <Input.TextArea aria-label={t('reason')} placeholder={t('reason')} autoFocus maxLength={160} value={reason} onChange={(e) => setReason(e.target.value)} autoSize={{ minRows: 2, maxRows: 4 }} />
      <Space>
        <Button size="small" type="primary" danger disabled={!reason.trim()} loading={sending} onClick={() => void send()}>
          {t('retire')}
        </Button>
        <Button size="small" onClick={() => setOpen(false)}>
          {t('cancel')}
        </Button>
      </Space>
    </div>
  );
  return (
    <Popover open={open} trigger="click" onOpenChange={setOpen} title={t('retireTitle')} content={form}>
      <Button size="small">{t('retire')}</Button>
    </Popover>
  );
}

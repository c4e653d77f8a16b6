import { Alert, App, Button, Form, Input, Space } from 'antd';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { client } from '../../api/client';
import { problemFields } from '../../parts/problemFields';
import { useDraft } from '../../parts/useDraft';
import { useLang, useText } from '../../text/text';
import { text } from './text';

/** EndDecision ends a decision before its time, with a reason. */
export function EndDecision({ id, done }: { id: string; done: () => void }) {
  const t = useText(text);
  const lang = useLang();
  const queries = useQueryClient();
  const { message } = App.useApp();
  const [reason, setReason, forget] = useDraft(`end.${id}`, '');
  const [asked, setAsked] = useState(reason !== '');
  const [sending, setSending] = useState(false);
  const [trouble, setTrouble] = useState<string>();
  if (!asked) {
    return (
      <Button danger onClick={() => setAsked(true)}>
        {t('end')}
      </Button>
    );
  }
  const send = async () => {
    setSending(true);
    setTrouble(undefined);
    try {
      await client.POST('/api/v1/policy/{id}/end', { params: { path: { id } }, body: { reason: reason.trim() } });
      forget();
      message.success(t('endedNow'));
      void queries.invalidateQueries({ queryKey: ['get', '/api/v1/policy'] });
      done();
    } catch (e) {
      const told = problemFields(e, ['reason'], lang);
      setTrouble([told.whole, ...(told.fields.reason ?? [])].filter(Boolean).join(' '));
    } finally {
      setSending(false);
    }
  };
  return (
    <Form layout="vertical" onFinish={() => void send()} className="end-decision">
      <h3>{t('endTitle')}</h3>
      <p className="soft">{t('endWhat')}</p>
      {trouble && (
        <Alert
          type="error"
          title={trouble}
          role="alert"
          action={
            <Button size="small" onClick={done}>
              {t('reload')}
            </Button>
          }
        />
      )}
      <Form.Item label={t('endReason')} htmlFor="end-reason">
        <Input.TextArea id="end-reason" autoFocus value={reason} maxLength={1000} autoSize={{ minRows: 2, maxRows: 6 }} onChange={(e) => setReason(e.target.value)} />
      </Form.Item>
      <Space>
        <Button danger type="primary" htmlType="submit" loading={sending} disabled={!reason.trim()}>
          {t('endConfirm')}
        </Button>
        <Button
          onClick={() => {
            forget();
            setAsked(false);
          }}
        >
          {t('cancel')}
        </Button>
      </Space>
    </Form>
  );
}

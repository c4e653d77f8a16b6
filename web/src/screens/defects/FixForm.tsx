import { useQueryClient } from '@tanstack/react-query';
import { App, Button, DatePicker, Form, Input, Modal, Space } from 'antd';
import type { Dayjs } from 'dayjs';
import { useState } from 'react';
import { client } from '../../api/client';
import { usePreferences } from '../../preferences';
import { inZone } from '../../parts/FilterBar';
import { Problem } from '../../parts/Problem';
import { useDraft } from '../../parts/useDraft';
import { useText } from '../../text/text';
import { text } from './formText';
import type { Defect } from './groups';
import { refreshed } from './VerdictForm';

/** FixForm says that a defect is mended, for traffic to prove. */
export function FixForm({ of, close }: { of: Defect; close: () => void }) {
  const t = useText(text);
  const { zone } = usePreferences();
  const { message } = App.useApp();
  const queries = useQueryClient();
  const [draft, change, forget] = useDraft<{ reason?: string }>(`fix.${of.id}`, {});
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const send = async (v: { at?: Dayjs; reason?: string }) => {
    setBusy(true);
    setError(undefined);
    try {
      const at = v.at && inZone(v.at.format('YYYY-MM-DDTHH:mm:ss'), zone);
      await client.POST('/api/v1/defects/{id}/fix', { params: { path: { id: of.id } }, body: { at, reason: v.reason?.trim() || undefined } });
      forget();
      message.success(t('claimed'));
      close();
    } catch (e) {
      setError(e);
    } finally {
      setBusy(false);
      void queries.invalidateQueries({ predicate: (q) => refreshed(q.queryKey[1]) });
    }
  };
  return (
    <Modal open title={t('claimTitle')} onCancel={close} footer={null} width={520} mask={{ closable: false }}>
      <p>{t('claimHelp')}</p>
      <Form layout="vertical" initialValues={draft} onValuesChange={(_, all: { reason?: string }) => change({ reason: all.reason })} onFinish={(v) => void send(v)}>
        <Form.Item name="at" label={t('since')} extra={t('sinceHelp')}>
          <DatePicker showTime={{ format: 'HH:mm' }} format="YYYY-MM-DD HH:mm" style={{ width: 220 }} />
        </Form.Item>
        <Form.Item name="reason" label={t('note')}>
          <Input.TextArea rows={2} maxLength={300} autoFocus />
        </Form.Item>
        <Problem error={error} />
        <Space className="dialog-foot">
          <Button onClick={close}>{t('cancel')}</Button>
          <Button type="primary" htmlType="submit" loading={busy}>
            {t('save')}
          </Button>
        </Space>
      </Form>
    </Modal>
  );
}

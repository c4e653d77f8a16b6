import { Alert, App, Button, Form, Input, InputNumber, Modal, Select, Space } from 'antd';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { client, type Schemas } from '../../api/client';
import { Inert } from '../../parts/Inert';
import { problemFields } from '../../parts/problemFields';
import { useLang, useName, useText } from '../../text/text';
import { tags } from './tags';
import { text } from './text';

export type Mark = Pick<Schemas['NewWord'], 'type' | 'value' | 'verdict'>;

type Fields = { reason: string; days?: number; tags?: Schemas['IndicatorTag'][] };

/** MarkForm says that a thing is hostile or harmless, and why. */
export function MarkForm({ of: m, close }: { of: Mark; close: () => void }) {
  const t = useText(text);
  const lang = useLang();
  const name = useName();
  const queries = useQueryClient();
  const { message } = App.useApp();
  const [form] = Form.useForm<Fields>();
  const [sending, setSending] = useState(false);
  const [trouble, setTrouble] = useState('');
  const hostile = m.verdict === 'hostile';
  const send = async (v: Fields) => {
    setSending(true);
    setTrouble('');
    try {
      await client.POST('/api/v1/indicators', { body: { ...m, reason: v.reason.trim(), ...(v.days ? { days: v.days } : {}), ...(v.tags?.length ? { tags: v.tags } : {}) } });
      message.success(t('marked'));
      void queries.invalidateQueries({ queryKey: ['post', '/api/v1/indicators/lookup'] });
      void queries.invalidateQueries({ queryKey: ['get', '/api/v1/indicators'] });
      close();
    } catch (e) {
      const told = problemFields(e, [], lang);
      setTrouble(told.whole);
    } finally {
      setSending(false);
    }
  };
  return (
    <Modal open title={t(hostile ? 'markHostile' : 'markHarmless')} footer={null} onCancel={close} closable={{ 'aria-label': t('close') }} mask={{ closable: false }}>
      <p>
        <small className="intel-sub">{name('intel_type', m.type)}</small> <Inert text={m.value} />
      </p>
      <p className="intel-sub">{t(hostile ? 'hostileWhat' : 'harmlessWhat')}</p>
      {trouble && <Alert type="error" role="alert" title={trouble} style={{ marginBottom: 12 }} />}
      <Form form={form} layout="vertical" onFinish={(v) => void send(v)}>
        <Form.Item name="reason" label={t('reason')} rules={[{ required: true, whitespace: true, message: t('reasonNeeded') }]}>
          <Input.TextArea autoFocus maxLength={160} autoSize={{ minRows: 2, maxRows: 4 }} />
        </Form.Item>
        {hostile && (
          <Form.Item name="tags" label={t('tags')}>
            <Select mode="multiple" allowClear options={tags.map((x) => ({ value: x, label: name('intel_tag', x) }))} optionFilterProp="label" />
          </Form.Item>
        )}
        <Form.Item name="days" label={t('days')} extra={t(hostile ? 'daysHostile' : 'daysHarmless')}>
          <InputNumber min={1} max={366} precision={0} />
        </Form.Item>
        <Space>
          <Button type="primary" htmlType="submit" loading={sending}>
            {t('mark')}
          </Button>
          <Button onClick={close}>{t('cancel')}</Button>
        </Space>
      </Form>
    </Modal>
  );
}

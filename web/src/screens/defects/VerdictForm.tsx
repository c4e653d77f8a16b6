import { useQueryClient } from '@tanstack/react-query';
import { Alert, App, Button, DatePicker, Form, Input, Modal, Radio, Space } from 'antd';
import dayjs, { type Dayjs } from 'dayjs';
import { useRef, useState } from 'react';
import { client, type Schemas } from '../../api/client';
import { useSession } from '../../api/session';
import { Inert } from '../../parts/Inert';
import { Problem } from '../../parts/Problem';
import { useDraft } from '../../parts/useDraft';
import { useName, useText } from '../../text/text';
import { DefectChip } from '../../parts/Known';
import type { Defect } from './groups';
import { text } from './formText';
import { useBrief } from './useBrief';

type Choice = 'confirmed' | 'accepted_risk' | 'false_positive' | 'public';

type Draft = { verdict?: Choice; reason?: string; expires?: string };

const terms = [30, 90, 180, 365];

/** refreshed are the lists that a decision changes. */
export const refreshed = (key: unknown) => /\/(policy|defects|counts\/defects|agenda|overview|apis)/.test(String(key));

/**
 * VerdictForm says what defects are. What was typed stays through errors, a
 * session that ends and a reload; what events bring meanwhile is told, and takes
 * nothing away.
 */
export function VerdictForm({ of, done, close }: { of: readonly Defect[]; done?: () => void; close: () => void }) {
  const t = useText(text);
  const name = useName();
  const { may } = useSession();
  const { message } = App.useApp();
  const queries = useQueryClient();
  const one = of.length === 1 ? of[0]! : undefined;
  const api = useBrief(one?.api || undefined);
  const [draft, change, forget] = useDraft<Draft>(`verdict.${one?.id ?? 'many'}`, {});
  const first = useRef(one?.status);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const [failed, setFailed] = useState<readonly Schemas['FailedVerdict'][]>([]);
  const [form] = Form.useForm<{ verdict: Choice; reason: string; expires?: Dayjs }>();
  const choices: Choice[] = ['confirmed', 'accepted_risk', 'false_positive', ...(one?.class === 'unauthorized_access' && api && may('responder') ? (['public'] as const) : [])];
  const chosen = draft.verdict;

  const send = async (v: { verdict: Choice; reason: string; expires?: Dayjs }) => {
    setBusy(true);
    setError(undefined);
    setFailed([]);
    const body = { reason: v.reason.trim(), expires: v.expires?.endOf('day').toISOString() };
    try {
      if (v.verdict === 'public') {
        await client.POST('/api/v1/policy/public', { body: { ...body, site: api!.site, host: api!.host, method: api!.method, template: api!.template } });
      } else if (one) {
        await client.POST('/api/v1/defects/{id}/verdict', { params: { path: { id: one.id } }, body: { ...body, verdict: v.verdict } });
      } else {
        const { data } = await client.POST('/api/v1/verdicts', { body: { ...body, verdict: v.verdict, defects: of.map((d) => d.id) } });
        if (data!.failed.length > 0) {
          setFailed(data!.failed);
          if (data!.items.length > 0) message.success(t('doneMany', { n: data!.items.length }));
          return;
        }
      }
      forget();
      message.success(one ? t('done', { verdict: t(v.verdict) }) : t('doneMany', { n: of.length }));
      done?.();
      close();
    } catch (e) {
      setError(e);
    } finally {
      setBusy(false);
      void queries.invalidateQueries({ predicate: (q) => refreshed(q.queryKey[1]) });
    }
  };
  return (
    <Modal open title={one ? t('title') : t('titleMany', { n: of.length })} onCancel={close} footer={null} width={580} mask={{ closable: false }}>
      {one && <p><b>{name('defect_kind', one.kind)}</b> {api && <Inert code text={`${api.method} ${api.template}`} />}</p>}
      {one && first.current !== one.status && (
        <Alert type="warning" showIcon role="alert" className="problem" title={t('changed', { from: name('defect_status', first.current ?? ''), to: name('defect_status', one.status) })} />
      )}
      <Form
        form={form}
        layout="vertical"
        initialValues={{ verdict: draft.verdict, reason: draft.reason, expires: draft.expires ? dayjs(draft.expires) : undefined }}
        onValuesChange={(_, all) => change({ verdict: all.verdict, reason: all.reason, expires: all.expires?.toISOString() })}
        onFinish={(v) => void send(v)}
      >
        <Form.Item name="verdict" label={t('verdict')} rules={[{ required: true, message: t('verdict') }]} extra={chosen && t(`help.${chosen}`)}>
          <Radio.Group optionType="button" options={choices.map((c) => ({ value: c, label: t(c) }))} />
        </Form.Item>
        <Form.Item name="reason" label={t('reason')} extra={t('reasonHelp')} rules={[{ required: true, whitespace: true, message: t('reasonNeeded') }]}>
          <Input.TextArea rows={3} maxLength={300} showCount autoFocus />
        </Form.Item>
        {chosen && chosen !== 'confirmed' && (
          <Form.Item
            name="expires"
            label={t('expires')}
            extra={chosen === 'accepted_risk' ? undefined : t('expiresHelp')}
            rules={chosen === 'accepted_risk' ? [{ required: true, message: t('expiresNeeded') }] : []}
          >
            <DatePicker
              style={{ width: 220 }}
              disabledDate={(d) => d.isBefore(dayjs().endOf('day'))}
              presets={terms.map((n) => ({ label: t('days', { n }), value: dayjs().add(n, 'day') }))}
            />
          </Form.Item>
        )}
        <Problem error={error} reload={() => void queries.invalidateQueries({ predicate: (q) => refreshed(q.queryKey[1]) }).then(() => setError(undefined))} />
        {failed.length > 0 && (
          <Alert
            type="error"
            role="alert"
            className="problem"
            title={t('someFailed', { n: failed.length })}
            description={
              <ul>
                {failed.slice(0, 20).map((f) => (
                  <li key={f.defect}>
                    <DefectChip id={f.defect} /> <Inert text={f.title} />
                  </li>
                ))}
              </ul>
            }
          />
        )}
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

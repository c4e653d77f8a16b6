import { Button, Form, Input, Modal, Tag, Tooltip } from 'antd';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { client } from '../../../api/client';
import { useSession } from '../../../api/session';
import { Inert } from '../../../parts/Inert';
import { Problem } from '../../../parts/Problem';
import { When } from '../../../parts/When';
import { useName, useText } from '../../../text/text';
import type { Entry } from '../edits';
import { text as panel } from '../panel/text';
import { endable } from '../../response/decision';
import { text } from './text';

/** EditNotes are the corrections that an API is shown by, and what became of them. */
export function EditNotes({ edits }: { edits: readonly Entry[] }) {
  if (edits.length === 0) return null;
  return (
    <div className="edit-notes">
      {edits.slice(0, 4).map((e) => (
        <EditLine key={e.id} of={e} />
      ))}
    </div>
  );
}

/** useEditName says what an edit does. */
export function useEditName(): (e: Entry) => string {
  const t = useText(panel);
  const name = useName();
  return (e) => {
    switch (e.edit) {
      case 'rename':
        return e.title ? t('edit.rename', { title: e.title }) : t('edit.renameParameters', { template: e.template ?? '' });
      case 'role':
        return t('edit.role', { role: name('role', e.role ?? '') });
      case 'merge':
        return t('edit.merge', { template: e.template ?? '' });
      default:
        return t('edit.split', { template: e.template ?? '' });
    }
  };
}

export function EditLine({ of: e }: { of: Entry }) {
  const t = useText(panel);
  const said = useEditName();
  const tag = (
    <Tag className={`policy-state policy-${e.state}`} color={e.state === 'refused' ? 'error' : e.state === 'live' ? 'success' : undefined}>
      {t(`state.${e.state}`)}
    </Tag>
  );
  return (
    <div className="edit-line">
      <Inert text={said(e)} /> {e.state === 'live' ? <Tooltip title={t('liveHelp')}>{tag}</Tooltip> : tag}
      <span className="soft">
        <Inert text={e.by_name ?? e.by} /> · <When at={e.at} /> · <Inert text={e.reason} />
      </span>
      <Undo of={e} />
    </div>
  );
}

/** Undo ends a decision, with a reason. */
export function Undo({ of: e, help }: { of: Entry; help?: string }) {
  const t = useText(text);
  const { may } = useSession();
  const queries = useQueryClient();
  const [open, setOpen] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const send = async ({ reason }: { reason: string }) => {
    setBusy(true);
    setError(undefined);
    try {
      await client.POST('/api/v1/policy/{id}/end', { params: { path: { id: e.id } }, body: { reason } });
      setOpen(false);
      await queries.invalidateQueries({ predicate: (q) => /\/(policy|apis|defects|counts)/.test(String(q.queryKey[1])) });
    } catch (x) {
      setError(x);
    } finally {
      setBusy(false);
    }
  };
  const again = () => {
    setError(undefined);
    setOpen(false);
    void queries.invalidateQueries({ predicate: (q) => /\/(policy|apis|defects|counts)/.test(String(q.queryKey[1])) });
  };
  // Somebody else may end it meanwhile: the form that is open stays.
  if ((e.state !== 'live' || !endable(e)) && !open) return null;
  if (!may('responder')) {
    return (
      <Tooltip title={t('mayNot')}>
        <Button type="link" size="small" disabled>
          {t('undo')}
        </Button>
      </Tooltip>
    );
  }
  return (
    <>
      <Button type="link" size="small" onClick={() => setOpen(true)}>
        {t('undo')}
      </Button>
      <Modal open={open} title={t('undoTitle')} onCancel={() => setOpen(false)} footer={null} destroyOnHidden>
        <p>{help ?? t('undoHelp')}</p>
        <Form layout="vertical" onFinish={(v: { reason: string }) => void send(v)}>
          <Form.Item label={t('reason')} name="reason" rules={[{ required: true, whitespace: true, message: t('reasonNeeded') }]} extra={t('reasonHelp')}>
            <Input.TextArea rows={2} maxLength={300} autoFocus />
          </Form.Item>
          <Problem error={error} reload={again} />
          <Button type="primary" danger htmlType="submit" loading={busy} block>
            {t('undo')}
          </Button>
        </Form>
      </Modal>
    </>
  );
}

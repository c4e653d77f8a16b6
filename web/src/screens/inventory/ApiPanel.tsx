import { EditOutlined } from '@ant-design/icons';
import { Button, Skeleton, Tabs, Tag, Tooltip } from 'antd';
import { useMemo, useState } from 'react';
import { api } from '../../api/client';
import { useSession } from '../../api/session';
import { Chip } from '../../parts/Chip';
import { Inert } from '../../parts/Inert';
import { Auth, Method } from '../../parts/Tags';
import { TroubleView } from '../../parts/TroubleView';
import { useUrl } from '../../parts/url';
import { useFormat } from '../../parts/useFormat';
import { tabName, type PanelProps } from '../../shell/drawer';
import { useName, useText } from '../../text/text';
import { EditDialog } from './edit/EditDialog';
import { EditNotes } from './edit/EditNotes';
import { concerns } from './edits';
import { AttackList, DefectList } from './panel/Findings';
import { Data } from './panel/Data';
import { History } from './panel/History';
import { Overview } from './panel/Overview';
import { Samples } from './panel/Samples';
import { Structure } from './panel/Structure';
import { text } from './panel/text';
import './style.css';
import { useEdits } from './useEdits';

const tabs = ['overview', 'structure', 'samples', 'data', 'defects', 'attacks', 'history'] as const;

/** What is known of one API. */
export default function ApiPanel({ id }: PanelProps) {
  const t = useText(text);
  const name = useName();
  const f = useFormat();
  const url = useUrl();
  const { may } = useSession();
  const { edits, titleOf } = useEdits();
  const [editing, setEditing] = useState(false);
  const q = api.useQuery('get', '/api/v1/apis/{id}', { params: { path: { id } } });
  const open = api.useQuery('get', '/api/v1/counts/defects', { params: { query: { api: id, open: true } } });
  const attacked = api.useQuery('get', '/api/v1/counts/attacks', { params: { query: { api: id } } });
  const a = q.data;
  const own = useMemo(() => (a ? edits.filter((e) => concerns(e, a)) : []), [edits, a]);
  if (q.error) return <TroubleView error={q.error} retry={q.refetch} />;
  if (!a) return <Skeleton active />;
  const title = titleOf(a);
  const asked = url.get(tabName);
  const at = tabs.find((x) => x === asked) ?? 'overview';
  const counts: Partial<Record<(typeof tabs)[number], number>> = {
    data: a.sensitive.length, defects: open.data?.total, attacks: attacked.data?.total, history: (a.contract?.changes.length ?? 0) + own.length,
  };
  return (
    <div className="api-panel">
      <header className="api-head">
        <div>
          <h2>
            <Method method={a.method} /> <Inert code text={a.template} />
          </h2>
          {title && (
            <p className="api-title">
              <Inert text={title} />
            </p>
          )}
          <p className="chip-row">
            <Chip kind="site" value={a.site} />
            <Auth auth={a.auth} />
            <Tag>{name('role', a.role)}</Tag>
            <Tag>{name('exposure', a.exposure)}</Tag>
            <Tag>{name('lifecycle', a.lifecycle)}</Tag>
          </p>
        </div>
        {may('analyst') && (
          <Tooltip title={t('editHelp')}>
            <Button icon={<EditOutlined />} onClick={() => setEditing(true)}>
              {t('edit')}
            </Button>
          </Tooltip>
        )}
      </header>
      <EditNotes edits={own} />
      <Tabs
        activeKey={at}
        onChange={(k) => url.set({ [tabName]: k === 'overview' ? null : k })}
        destroyOnHidden
        items={tabs.map((k) => ({
          key: k,
          label: (
            <span>
              {t(k)} {counts[k] ? <span className="soft">{f.number(counts[k])}</span> : null}
            </span>
          ),
          children: {
            overview: () => <Overview api={a} open={open.data?.total} />,
            structure: () => <Structure contract={a.contract} />,
            samples: () => <Samples id={a.id} />,
            data: () => <Data api={a} />,
            defects: () => <DefectList id={a.id} />,
            attacks: () => <AttackList id={a.id} />,
            history: () => <History api={a} edits={own} />,
          }[k](),
        }))}
      />
      {editing && <EditDialog of={a} close={() => setEditing(false)} />}
    </div>
  );
}

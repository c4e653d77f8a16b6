import { Button } from 'antd';
import { PlusOutlined } from '@ant-design/icons';
import { useSession } from '../../api/session';
import { DataTable } from '../../parts/DataTable';
import { FilterBar } from '../../parts/FilterBar';
import { Teach } from '../../parts/Teach';
import { useUrl } from '../../parts/url';
import { useOpen } from '../../shell/drawer';
import { useText } from '../../text/text';
import { AllowForm } from './AllowForm';
import { useDecisionColumns, usePolicy } from './Decisions';
import { text } from './text';

/** What is permitted now. A link of another screen may begin an entry: add=public&for=SITE&template=… */
export function AllowList() {
  const t = useText(text);
  const url = useUrl();
  const open = useOpen();
  const { may } = useSession();
  const paged = usePolicy({ kind: ['public', 'approval'], state: ['live', 'pending', 'ending'] });
  const add = url.get('add');
  const kind = add === 'public' || add === 'approval' ? add : undefined;
  const begin = (what: 'public' | 'approval') => url.set({ add: what }, { push: true });
  const buttons = may('responder') && (
    <>
      <Button type="primary" icon={<PlusOutlined />} onClick={() => begin('public')}>
        {t('addPublic')}
      </Button>
      <Button icon={<PlusOutlined />} onClick={() => begin('approval')}>
        {t('addApproval')}
      </Button>
    </>
  );
  return (
    <>
      <p className="allow-intro">
        {t('allowIntro')} {!may('responder') && t('needResponder')}
      </p>
      <FilterBar standard="all" period={false} search={t('allowSearch')} extra={buttons} />
      <DataTable
        label={t('tabAllow')}
        paged={paged}
        columns={useDecisionColumns()}
        rowKey={(e) => e.id}
        open={(e) => open('decision', e.id)}
        empty={<Teach title={t('noAllow')}>{t('noAllowDo')}</Teach>}
      />
      {kind && may('responder') && <AllowForm key={kind} kind={kind} close={() => url.set({ add: null, for: null, host: null, method: null, template: null })} />}
    </>
  );
}

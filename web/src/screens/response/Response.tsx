import { Tabs } from 'antd';
import { Navigate, Route, Routes, useLocation, useNavigate } from 'react-router';
import { PageHead } from '../../parts/PageHead';
import { useText } from '../../text/text';
import { Actions } from './Actions';
import { AllowList } from './AllowList';
import { Decisions } from './Decisions';
import { Rules } from './Rules';
import { text } from './text';
import './style.css';

const tabs = [
  ['decisions', 'tabDecisions'],
  ['allow', 'tabAllow'],
  ['rules', 'tabRules'],
  ['actions', 'tabActions'],
] as const;

export default function Response() {
  const t = useText(text);
  const navigate = useNavigate();
  const here = useLocation().pathname.split('/')[2] ?? 'decisions';
  return (
    <>
      <PageHead title={t('title')}>{t('intro')}</PageHead>
      <Tabs
        activeKey={here}
        onChange={(key) => void navigate(`/response/${key}`)}
        items={tabs.map(([key, label]) => ({ key, label: t(label) }))}
        destroyOnHidden
      />
      <Routes>
        <Route index element={<Navigate to="/response/decisions" replace />} />
        <Route path="decisions" element={<Decisions />} />
        <Route path="allow" element={<AllowList />} />
        <Route path="rules" element={<Rules />} />
        <Route path="actions" element={<Actions />} />
        <Route path="*" element={<Navigate to="/response/decisions" replace />} />
      </Routes>
    </>
  );
}

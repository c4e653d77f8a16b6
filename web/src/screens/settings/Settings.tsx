import { Tabs } from 'antd';
import type { ReactNode } from 'react';
import { Navigate, Route, Routes, useLocation, useNavigate } from 'react-router';
import { useSession, type Role } from '../../api/session';
import { PageHead } from '../../parts/PageHead';
import { Teach } from '../../parts/Teach';
import { useText } from '../../text/text';
import { About } from './About';
import { Account } from './Account';
import { Audit } from './Audit';
import { Health } from './Health';
import { Notifications } from './Notifications';
import { Retention } from './Retention';
import { text } from './text';
import { Tokens } from './Tokens';
import { Users } from './Users';
import './style.css';

type Tab = { key: string; label: keyof typeof text; least: Role; page: ReactNode };

const tabs: readonly Tab[] = [
  { key: 'health', label: 'tabHealth', least: 'viewer', page: <Health /> },
  { key: 'users', label: 'tabUsers', least: 'administrator', page: <Users /> },
  { key: 'tokens', label: 'tabTokens', least: 'viewer', page: <Tokens /> },
  { key: 'notifications', label: 'tabNotifications', least: 'administrator', page: <Notifications /> },
  { key: 'audit', label: 'tabAudit', least: 'administrator', page: <Audit /> },
  { key: 'retention', label: 'tabRetention', least: 'viewer', page: <Retention /> },
  { key: 'account', label: 'tabAccount', least: 'viewer', page: <Account /> },
  { key: 'about', label: 'tabAbout', least: 'viewer', page: <About /> },
];

export default function Settings() {
  const t = useText(text);
  const navigate = useNavigate();
  const { may } = useSession();
  const here = useLocation().pathname.split('/')[2] ?? 'health';
  return (
    <>
      <PageHead title={t('title')}>{t('intro')}</PageHead>
      <Tabs
        activeKey={here}
        onChange={(key) => void navigate(`/settings/${key}`)}
        items={tabs.filter((x) => may(x.least)).map((x) => ({ key: x.key, label: t(x.label) }))}
      />
      <Routes>
        <Route index element={<Navigate to="/settings/health" replace />} />
        {tabs.map((x) => (
          <Route key={x.key} path={x.key} element={may(x.least) ? x.page : <AdminOnly />} />
        ))}
        <Route path="*" element={<Navigate to="/settings/health" replace />} />
      </Routes>
    </>
  );
}

/** A link may lead here whoever follows it: it says why there is nothing. */
function AdminOnly() {
  const t = useText(text);
  const { me } = useSession();
  return <Teach title={t('adminOnly')}>{t('adminOnlyDo', { role: t(me.role) })}</Teach>;
}

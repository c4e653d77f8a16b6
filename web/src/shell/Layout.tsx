import {
  AlertOutlined, ApiOutlined, AuditOutlined, BugOutlined, DashboardOutlined, EyeOutlined, FileTextOutlined, GlobalOutlined,
  MenuOutlined, MoonOutlined, RadarChartOutlined, SafetyOutlined, SettingOutlined, SunOutlined, UserOutlined,
} from '@ant-design/icons';
import { Button, Drawer, Dropdown, Grid, Layout, Menu, Modal, Select, Tooltip, type MenuProps } from 'antd';
import { Suspense, useMemo, useState } from 'react';
import { Link, Outlet, useLocation, useNavigate } from 'react-router';
import { useLive } from '../api/live';
import { useSession } from '../api/session';
import { browserZone, usePreferences } from '../preferences';
import { useText } from '../text/text';
import { useFormat } from '../parts/useFormat';
import { Boundary } from './Boundary';
import { TheDrawer } from './drawer';
import { useKeys } from './keys';
import { SearchEverything } from './SearchEverything';
import { PageLoading } from './PageLoading';

const text = {
  overview: { zh: '总览', en: 'Overview' },
  inventory: { zh: 'API 资产', en: 'Inventory' },
  exposure: { zh: '数据暴露', en: 'Data exposure' },
  defects: { zh: '缺陷', en: 'Defects' },
  attacks: { zh: '攻击与团伙', en: 'Attacks' },
  intelligence: { zh: '情报', en: 'Intelligence' },
  response: { zh: '处置与策略', en: 'Response' },
  reports: { zh: '报表', en: 'Reports' },
  settings: { zh: '设置', en: 'Settings' },
  menu: { zh: '导航', en: 'Navigation' },
  skip: { zh: '跳到正文', en: 'Skip to content' },
  live: { zh: '实时更新中', en: 'Live' },
  waiting: { zh: '连接中断，正在重连；所示内容可能不是最新', en: 'Connection lost, trying again; what is shown may be old' },
  light: { zh: '浅色', en: 'Light' },
  dark: { zh: '深色', en: 'Dark' },
  system: { zh: '跟随系统', en: 'As the system' },
  appearance: { zh: '外观', en: 'Appearance' },
  zone: { zh: '时区', en: 'Time zone' },
  signOut: { zh: '退出登录', en: 'Sign out' },
  account: { zh: '我的账号', en: 'My account' },
  viewer: { zh: '查看者', en: 'viewer' },
  analyst: { zh: '分析员', en: 'analyst' },
  responder: { zh: '处置员', en: 'responder' },
  administrator: { zh: '管理员', en: 'administrator' },
  help: { zh: '快捷键', en: 'Keyboard' },
  keyMove: { zh: '在列表中下移 / 上移', en: 'Down / up in a list' },
  keyOpen: { zh: '打开所在行', en: 'Open the row' },
  keySearch: { zh: '搜索一切', en: 'Search everything' },
  keyGo: { zh: '转到第 n 个页面', en: 'Go to page n' },
  keyClose: { zh: '关闭抽屉', en: 'Close the drawer' },
  keyHelp: { zh: '显示本说明', en: 'Show this' },
};

const places = [
  ['overview', '/', DashboardOutlined],
  ['inventory', '/inventory', ApiOutlined],
  ['exposure', '/exposure', EyeOutlined],
  ['defects', '/defects', BugOutlined],
  ['attacks', '/attacks', AlertOutlined],
  ['intelligence', '/intelligence', RadarChartOutlined],
  ['response', '/response', SafetyOutlined],
  ['reports', '/reports', FileTextOutlined],
  ['settings', '/settings', SettingOutlined],
] as const;

/** Zones that are offered beside the browser's own. */
const zones = ['UTC', 'Asia/Shanghai', 'Asia/Hong_Kong', 'Asia/Singapore', 'Asia/Tokyo', 'Europe/London', 'Europe/Berlin', 'America/New_York', 'America/Los_Angeles'];

/** The frame of every page: where one can go, who one is, whether what is seen is live. */
export function Frame() {
  const t = useText(text);
  const { lang, setLang } = usePreferences();
  const { pathname, search } = useLocation();
  const navigate = useNavigate();
  const wide = Grid.useBreakpoint().lg ?? true;
  const [folded, setFolded] = useState(false);
  const [menu, setMenu] = useState(false);
  const [help, setHelp] = useState(false);
  const kiosk = new URLSearchParams(search).has('kiosk');

  const here = [...places].reverse().find(([, path]) => pathname === path || (path !== '/' && pathname.startsWith(path)))?.[0] ?? 'overview';
  const keys = useMemo(
    () => ({
      '?': () => setHelp(true),
      ...Object.fromEntries(places.map(([, path], i) => [String(i + 1), () => void navigate(path)])),
    }),
    [navigate],
  );
  useKeys(keys);

  const nav = (
    <Menu
      mode="inline"
      selectedKeys={[here]}
      onClick={() => setMenu(false)}
      items={places.map(([id, path, Icon]) => ({ key: id, icon: <Icon />, label: <Link to={path}>{t(id)}</Link> }))}
    />
  );
  const page = (
    <Layout.Content className="content" id="content" tabIndex={-1}>
      <Boundary key={here}>
        <Suspense fallback={<PageLoading />}>
          <Outlet />
        </Suspense>
      </Boundary>
    </Layout.Content>
  );
  if (kiosk) {
    return (
      <Layout className="frame kiosk">
        {page}
        <TheDrawer />
      </Layout>
    );
  }
  return (
    <Layout className="frame">
      <a className="skip" href="#content">
        {t('skip')}
      </a>
      {wide ? (
        <Layout.Sider width={208} collapsedWidth={56} collapsible collapsed={folded} onCollapse={setFolded} theme="light" className="sider">
          <Brand folded={folded} />
          <nav aria-label={t('menu')}>{nav}</nav>
        </Layout.Sider>
      ) : (
        <Drawer open={menu} onClose={() => setMenu(false)} placement="left" size={240} title={<Brand />} styles={{ body: { padding: 0 } }}>
          <nav aria-label={t('menu')}>{nav}</nav>
        </Drawer>
      )}
      <Layout>
        <Layout.Header className="header">
          {!wide && <Button type="text" icon={<MenuOutlined />} aria-label={t('menu')} onClick={() => setMenu(true)} />}
          <SearchEverything />
          <span className="grow" />
          <LiveDot />
          <Button type="text" icon={<GlobalOutlined />} onClick={() => setLang(lang === 'zh' ? 'en' : 'zh')} lang={lang === 'zh' ? 'en' : 'zh'}>
            {lang === 'zh' ? 'English' : '中文'}
          </Button>
          <Appearance />
          <Who help={() => setHelp(true)} />
        </Layout.Header>
        {page}
      </Layout>
      <TheDrawer />
      <Modal open={help} onCancel={() => setHelp(false)} footer={null} title={t('help')}>
        <dl className="keys-list">
          {(
            [
              ['j / k', 'keyMove'],
              ['Enter', 'keyOpen'],
              ['/', 'keySearch'],
              ['1 – 9', 'keyGo'],
              ['Esc', 'keyClose'],
              ['?', 'keyHelp'],
            ] as const
          ).map(([key, what]) => (
            <div key={key}>
              <dt>
                <kbd>{key}</kbd>
              </dt>
              <dd>{t(what)}</dd>
            </div>
          ))}
        </dl>
      </Modal>
    </Layout>
  );
}

function Brand({ folded }: { folded?: boolean }) {
  return (
    <Link to="/" className="brand" aria-label="Xiezhi 獬豸">
      <img src="/favicon.svg" alt="" width={30} height={30} />
      {!folded && (
        <span>
          Xiezhi <b lang="zh">獬豸</b>
        </span>
      )}
    </Link>
  );
}

function LiveDot() {
  const t = useText(text);
  const live = useLive();
  const said = live === 'live' ? t('live') : t('waiting');
  return (
    <Tooltip title={said}>
      <span className={`live live-${live}`} role="status">
        <span className="live-dot" aria-hidden="true" />
        <span className="live-text">{live === 'live' ? t('live') : said}</span>
      </span>
    </Tooltip>
  );
}

function Appearance() {
  const t = useText(text);
  const { mode, dark, setMode } = usePreferences();
  return (
    <Dropdown
      trigger={['click']}
      menu={{
        selectable: true,
        selectedKeys: [mode],
        items: (['light', 'dark', 'system'] as const).map((m) => ({ key: m, label: t(m) })),
        onClick: ({ key }) => setMode(key as typeof mode),
      }}
    >
      <Button type="text" icon={dark ? <MoonOutlined /> : <SunOutlined />} aria-label={t('appearance')} />
    </Dropdown>
  );
}

function Who({ help }: { help: () => void }) {
  const t = useText(text);
  const { me, signOut } = useSession();
  const { zone, setZone } = usePreferences();
  const f = useFormat();
  const navigate = useNavigate();
  const [picking, setPicking] = useState(false);
  const all = [...new Set([browserZone(), zone, ...zones])];
  const items: MenuProps['items'] = [
    { key: 'who', type: 'group', label: `${me.name} · ${t(me.role)}` },
    { key: 'account', icon: <AuditOutlined />, label: t('account') },
    { key: 'zone', icon: <GlobalOutlined />, label: `${t('zone')}: ${zone} (${f.zoneName()})` },
    { key: 'help', label: t('help') },
    { type: 'divider' },
    { key: 'out', label: t('signOut') },
  ];
  const act: Record<string, () => void> = {
    account: () => void navigate('/settings/account'),
    zone: () => setPicking(true),
    help,
    out: () => void signOut(),
  };
  return (
    <>
      <Dropdown trigger={['click']} menu={{ items, onClick: ({ key }) => act[key]?.() }}>
        <Button type="text" icon={<UserOutlined />} aria-label={`${me.name}, ${t(me.role)}`}>
          <span className="who-name">{me.name}</span>
        </Button>
      </Dropdown>
      <Modal open={picking} title={t('zone')} footer={null} onCancel={() => setPicking(false)}>
        <Select
          showSearch
          style={{ width: '100%' }}
          aria-label={t('zone')}
          value={zone}
          onChange={(z) => {
            setZone(z);
            setPicking(false);
          }}
          options={all.map((z) => ({ value: z, label: z }))}
        />
      </Modal>
    </>
  );
}

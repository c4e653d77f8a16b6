import { App as AntApp, ConfigProvider } from 'antd';
import en from 'antd/locale/en_GB';
import zh from 'antd/locale/zh_CN';
import dayjs from 'dayjs';
import 'dayjs/locale/zh-cn';
import { QueryClientProvider } from '@tanstack/react-query';
import { lazy, useEffect, useMemo } from 'react';
import { createBrowserRouter, RouterProvider } from 'react-router';
import { link } from './api/client';
import { LiveProvider } from './api/live';
import { makeQueries } from './api/queries';
import { SessionProvider } from './api/session';
import { PreferencesProvider, usePreferences } from './preferences';
import { Boundary } from './shell/Boundary';
import { Frame } from './shell/Layout';
import { NotHere } from './shell/NotHere';
import { themeOf } from './shell/theme';

const Overview = lazy(() => import('./screens/overview/Overview'));
const Inventory = lazy(() => import('./screens/inventory/Inventory'));
const Exposure = lazy(() => import('./screens/exposure/Exposure'));
const Defects = lazy(() => import('./screens/defects/Defects'));
const Attacks = lazy(() => import('./screens/attacks/Attacks'));
const Intelligence = lazy(() => import('./screens/intelligence/Intelligence'));
const Response = lazy(() => import('./screens/response/Response'));
const Reports = lazy(() => import('./screens/reports/Reports'));
const Settings = lazy(() => import('./screens/settings/Settings'));

/** A screen with parts takes the rest of the path itself. */
const router = createBrowserRouter([
  {
    element: <Frame />,
    children: [
      { path: '/', element: <Overview /> },
      { path: '/inventory/*', element: <Inventory /> },
      { path: '/exposure/*', element: <Exposure /> },
      { path: '/defects/*', element: <Defects /> },
      { path: '/attacks/*', element: <Attacks /> },
      { path: '/intelligence/*', element: <Intelligence /> },
      { path: '/response/*', element: <Response /> },
      { path: '/reports/*', element: <Reports /> },
      { path: '/settings/*', element: <Settings /> },
      { path: '*', element: <NotHere /> },
    ],
  },
]);

export function App({ nonce }: { nonce?: string }) {
  const queries = useMemo(makeQueries, []);
  return (
    <PreferencesProvider>
      <QueryClientProvider client={queries}>
        <Dressed nonce={nonce} />
      </QueryClientProvider>
    </PreferencesProvider>
  );
}

function Dressed({ nonce }: { nonce?: string }) {
  const { lang, dark } = usePreferences();
  link.lang = lang; // before any request of what is below
  useEffect(() => {
    dayjs.locale(lang === 'zh' ? 'zh-cn' : 'en');
  }, [lang]);
  const theme = useMemo(() => themeOf(dark), [dark]);
  return (
    <ConfigProvider locale={lang === 'zh' ? zh : en} theme={theme} csp={{ nonce }} button={{ autoInsertSpace: false }}>
      <AntApp className="app">
        <Boundary>
          <SessionProvider>
            <LiveProvider>
              <RouterProvider router={router} />
            </LiveProvider>
          </SessionProvider>
        </Boundary>
      </AntApp>
    </ConfigProvider>
  );
}

import { theme, type ThemeConfig } from 'antd';

/** themeOf gives Ant Design our colours; each pair of ink and ground meets WCAG AA. */
export const themeOf = (dark: boolean): ThemeConfig => ({
  algorithm: dark ? theme.darkAlgorithm : theme.defaultAlgorithm,
  token: {
    colorPrimary: dark ? '#3d9db5' : '#0e5f76',
    colorLink: dark ? '#7cc8da' : '#0e5f76',
    colorBgLayout: dark ? '#10161c' : '#f3f5f7',
    colorBgContainer: dark ? '#19222b' : '#ffffff',
    colorBgElevated: dark ? '#212c37' : '#ffffff',
    colorTextBase: dark ? '#e6ebf0' : '#1c2733',
    colorTextDescription: dark ? '#a7b4c0' : '#55636f',
    colorTextPlaceholder: dark ? '#93a0ac' : '#66747f',
    colorTextTertiary: dark ? '#a7b4c0' : '#55636f',
    colorTextQuaternary: dark ? '#93a0ac' : '#66747f',
    colorError: dark ? '#ff8a80' : '#b3261e',
    borderRadius: 6,
    fontFamily: 'system-ui, "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif',
    motion: !window.matchMedia('(prefers-reduced-motion: reduce)').matches,
  },
  components: {
    Table: { cellPaddingBlockSM: 7 },
    Menu: { itemSelectedBg: dark ? '#17333d' : '#e3f1f5', itemSelectedColor: dark ? '#7cc8da' : '#0b4f62', itemHeight: 38 },
    Layout: { siderBg: dark ? '#141c23' : '#ffffff', headerBg: dark ? '#19222b' : '#ffffff', headerHeight: 52, headerPadding: '0 16px' },
    Tabs: dark ? { itemSelectedColor: '#7cc8da', itemHoverColor: '#9bd8e6', inkBarColor: '#7cc8da' } : {},
    Button: dark ? { primaryColor: '#06232b', colorPrimary: '#62bdd3', colorPrimaryHover: '#7cc8da', colorPrimaryActive: '#4fa9bf' } : { primaryColor: '#ffffff' },
  },
});

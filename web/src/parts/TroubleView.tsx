import { Button, Result } from 'antd';
import { Trouble } from '../api/client';
import { useLang, useText, type Lang } from '../text/text';
import { Inert } from './Inert';

const said = {
  silent: { zh: '服务没有应答', en: 'The service does not answer' },
  silentDo: {
    zh: '请确认 xiezhi serve 正在运行、网络可达；恢复后本页会自动继续。',
    en: 'Check that xiezhi serve is running and can be reached; this page goes on by itself once it is.',
  },
  forbidden: { zh: '没有权限', en: 'Your role may not do this' },
  forbiddenDo: { zh: '请联系管理员调整角色。', en: 'Ask an administrator for the role that may.' },
  gone: { zh: '没有找到', en: 'Not found' },
  goneDo: { zh: '它可能已被合并、过期或超出保留期。请返回列表查看。', en: 'It may have been merged, have ended or be past what is kept. Look for it in the list.' },
  conflict: { zh: '其他人刚刚修改过', en: 'Somebody else changed this meanwhile' },
  conflictDo: { zh: '请重新载入，核对后再提交。', en: 'Load it again, look at what changed, then send once more.' },
  busy: { zh: '请求过于频繁', en: 'Too many requests' },
  busyDo: { zh: '请稍候再试。', en: 'Wait a moment and try again.' },
  ours: { zh: '服务内部出错', en: 'The service failed' },
  oursDo: { zh: '请重试；若仍出现，请查看服务日志或运行 xiezhi doctor。', en: 'Try again; if it stays, look at the log of the service or run xiezhi doctor.' },
  garbled: { zh: '应答无法识别', en: 'The answer makes no sense' },
  garbledDo: {
    zh: '可能是中间的代理或网关返回了别的内容，或服务与页面版本不一致。请重新载入；若仍出现，请检查代理并运行 xiezhi doctor。',
    en: 'A proxy in between may have answered, or page and service are of different versions. Load the page again; if it stays, look at the proxy and run xiezhi doctor.',
  },
  page: { zh: '此页面出错', en: 'This page failed' },
  pageDo: { zh: '其他页面不受影响。请重新载入；若仍出现，请反馈以下信息。', en: 'Other pages are not affected. Load it again; if it stays, report the text below.' },
  retry: { zh: '重试', en: 'Try again' },
} as const;

/** describe says what went wrong and what to do. */
export function describe(error: unknown, lang: Lang): { title: string; detail: string; status: number } {
  const say = (id: keyof typeof said) => said[id][lang];
  if (error instanceof SyntaxError) return { title: say('garbled'), detail: say('garbledDo'), status: -1 }; // JSON that is none
  if (!(error instanceof Trouble)) {
    return { title: say('page'), detail: `${say('pageDo')} ${error instanceof Error ? error.message : String(error)}`, status: -1 };
  }
  const { status, problem } = error;
  const pick = (a: keyof typeof said, b: keyof typeof said) => ({
    title: problem?.title ?? say(a),
    detail: [problem?.detail, ...(problem?.errors ?? []).map((e) => [e.field, e.detail].filter(Boolean).join(': '))].filter(Boolean).join(' ') || say(b),
    status,
  });
  switch (status) {
    case 0:
    case 502:
    case 504:
      return { title: say('silent'), detail: say('silentDo'), status };
    case 401:
    case 403:
      return pick('forbidden', 'forbiddenDo');
    case 404:
    case 410:
      return pick('gone', 'goneDo');
    case 409:
    case 412:
      return pick('conflict', 'conflictDo');
    case 429:
      return pick('busy', 'busyDo');
    default:
      return status >= 500 ? pick('ours', 'oursDo') : pick('ours', 'oursDo');
  }
}

/** TroubleView stands where something could not be shown. */
export function TroubleView({ error, retry, small }: { error: unknown; retry?: () => void; small?: boolean }) {
  const lang = useLang();
  const t = useText(said);
  const d = describe(error, lang);
  return (
    <Result
      className={small ? 'trouble small' : 'trouble'}
      status={d.status === 403 || d.status === 404 ? 'info' : 'warning'}
      title={<Inert text={d.title} />}
      subTitle={<Inert text={d.detail} />}
      role="alert"
      extra={retry && <Button onClick={retry}>{t('retry')}</Button>}
    />
  );
}

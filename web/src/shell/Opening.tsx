import { Spin } from 'antd';
import { TroubleView } from '../parts/TroubleView';
import { useText } from '../text/text';

const text = { opening: { zh: '正在打开控制台', en: 'Opening the console' } };

/** Opening is what is seen before it is known who is signed in. */
export function Opening({ error, retry }: { error: unknown; retry: () => void }) {
  const t = useText(text);
  return (
    <main className="opening">
      {error ? <TroubleView error={error} retry={retry} /> : <Spin size="large" aria-label={t('opening')} />}
    </main>
  );
}

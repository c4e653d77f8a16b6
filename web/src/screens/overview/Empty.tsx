import { CopyOutlined } from '@ant-design/icons';
import { App, Button, Segmented } from 'antd';
import { PageHead } from '../../parts/PageHead';
import { useUrl } from '../../parts/url';
import { useLang, useText } from '../../text/text';
import { ways, type Way } from './connect';
import { text } from './text';

/** What an installation shows that has seen nothing: how traffic gets to it. */
export function Empty() {
  const t = useText(text);
  const lang = useLang();
  const url = useUrl();
  const way = ways.find((w) => w.id === url.get('way')) ?? ways[0]!;
  return (
    <>
      <PageHead title={t('title')} />
      <section className="card connect">
        <h2>{t('emptyTitle')}</h2>
        <p>{t('emptyIntro')}</p>
        <div className="connect-ways">
          <Segmented
            vertical
            aria-label={t('ways')}
            value={way.id}
            onChange={(id) => url.set({ way: id })}
            options={ways.map((w) => ({ value: w.id, label: w.title[lang] }))}
          />
          <div>
            <HowTo way={way} />
          </div>
        </div>
        <p className="soft" role="status">
          <span className="live-dot" aria-hidden="true" /> {t('emptyListening')}
        </p>
      </section>
    </>
  );
}

function HowTo({ way }: { way: Way }) {
  const t = useText(text);
  const lang = useLang();
  return (
    <>
      <p>
        <strong>{t('sees')}</strong>: {way.sees[lang]}
      </p>
      <ol className="connect-steps">
        {way.steps.map((s) => (
          <li key={s.code}>
            <span>{s.what[lang]}</span>
            <Snippet code={s.code} />
          </li>
        ))}
      </ol>
      <p className="soft">{way.note[lang]}</p>
    </>
  );
}

function Snippet({ code }: { code: string }) {
  const t = useText(text);
  const { message } = App.useApp();
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(code);
      message.success(t('copied'));
    } catch {
      message.warning(t('copyRefused'));
    }
  };
  return (
    <div className="snippet">
      <pre tabIndex={0}>
        <code>{code}</code>
      </pre>
      <Button size="small" icon={<CopyOutlined />} onClick={copy}>
        {t('copy')}
      </Button>
    </div>
  );
}

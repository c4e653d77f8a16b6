import { Alert, Button } from 'antd';
import { useLang, useText } from '../text/text';
import { Inert } from './Inert';
import { describe } from './TroubleView';

const text = { reload: { zh: '重新载入', en: 'Load it again' } };

/**
 * Problem stands in a form whose request was refused: what was typed stays, and
 * when somebody else was faster, reload brings what they did.
 */
export function Problem({ error, reload }: { error: unknown; reload?: () => void }) {
  const lang = useLang();
  const t = useText(text);
  if (!error) return null;
  const d = describe(error, lang);
  return (
    <Alert
      type="error"
      role="alert"
      showIcon
      title={<Inert text={d.title} />}
      description={<Inert text={d.detail} />}
      className="problem"
      action={
        reload && (d.status === 409 || d.status === 412) ? (
          <Button size="small" onClick={reload}>
            {t('reload')}
          </Button>
        ) : undefined
      }
    />
  );
}

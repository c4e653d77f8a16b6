import { now } from '../../api/client';
import { useFormat } from '../../parts/useFormat';
import { useText } from '../../text/text';
import { underWay } from './going';
import { text } from './text';

/** Going says whether an attack goes on, or for how long it has been silent. */
export function Going({ first, last, quiet }: { first: string; last: string; quiet?: boolean }) {
  const t = useText(text);
  const f = useFormat();
  if (underWay(first, last, now())) return <span className="atk-ongoing">{t('ongoing')}</span>;
  return quiet ? null : <span className="atk-sub">{t('ended', { t: f.duration(now() - Date.parse(last)) })}</span>;
}

import { PageHead } from '../../parts/PageHead';
import { useText } from '../../text/text';
import { text } from './text';

export default function Defects() {
  const t = useText(text);
  return <PageHead title={t('title')}>{t('intro')}</PageHead>;
}

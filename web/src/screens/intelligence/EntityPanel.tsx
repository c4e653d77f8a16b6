import { Link } from 'react-router';
import type { PanelProps } from '../../shell/drawer';
import { Inert } from '../../parts/Inert';
import { useText } from '../../text/text';
import { EntityView } from './EntityView';
import { entityOf, shown } from './entity';
import './style.css';
import { text } from './text';

/** What is known of an entity, in the drawer. */
export default function EntityPanel({ id }: PanelProps) {
  const t = useText(text);
  const e = entityOf(id);
  if (!e) return <Inert code text={id} />;
  return (
    <>
      <EntityView key={id} of={e} />
      <p className="intel-section">
        <Link to={`/intelligence?${new URLSearchParams({ q: shown(e), entity: id })}`}>{t('openPage')}</Link>
      </p>
    </>
  );
}

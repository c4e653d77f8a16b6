import type { Schemas } from '../../../api/client';
import { useText } from '../../../text/text';
import { RequestTable } from '../requests/RequestTable';
import { text } from '../text';

/** AttackRequests lists the single requests of an attack that are kept. */
export function AttackRequests({ of: a }: { of: Schemas['Attack'] }) {
  const t = useText(text);
  return (
    <>
      <p className="atk-sub">
        {t('requestsLater')} {t('tokensOnly')}
      </p>
      <RequestTable query={{ finding: a.id }} without={['verdict', 'attack', 'site']} height={420} />
    </>
  );
}

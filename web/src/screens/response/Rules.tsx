import { Button, Skeleton } from 'antd';
import { useState } from 'react';
import { api, type Schemas } from '../../api/client';
import { Inert } from '../../parts/Inert';
import { Sentence } from '../../parts/Sentence';
import { Severity } from '../../parts/Tags';
import { Teach } from '../../parts/Teach';
import { TroubleView } from '../../parts/TroubleView';
import { useText } from '../../text/text';
import { target } from './decision';
import { RuleEditor } from './RuleEditor';
import { yamlOf } from './ruleText';
import { text } from './text';

type Rule = Schemas['Rule'];

/** The rules of the owner: those in use, and an editor that says what is wrong where. */
export function Rules() {
  const t = useText(text);
  const q = api.useQuery('get', '/api/v1/rules');
  const [given, setGiven] = useState<{ yaml: string; n: number }>();
  return (
    <>
      <section aria-label={t('rulesInUse')}>
        <h2 className="section">{t('rulesInUse')}</h2>
        {q.error ? (
          <TroubleView small error={q.error} retry={() => void q.refetch()} />
        ) : !q.data ? (
          <Skeleton active />
        ) : q.data.items.length === 0 ? (
          <Teach title={t('rulesNone')}>{t('rulesNoneDo')}</Teach>
        ) : (
          <div className="rules-list">
            {q.data.items.map((r) => (
              <RuleCard key={r.id} rule={r} edit={() => setGiven((g) => ({ yaml: yamlOf(r), n: (g?.n ?? 0) + 1 }))} />
            ))}
          </div>
        )}
      </section>
      <RuleEditor given={given} />
    </>
  );
}

function RuleCard({ rule, edit }: { rule: Rule; edit: () => void }) {
  const t = useText(text);
  const where = [rule.site, target(rule)].filter(Boolean).join(' ');
  return (
    <article className="card">
      <h2>
        {rule.harm && <Severity level={rule.harm} />} <Sentence of={rule.title} /> <code>{rule.id}</code>
      </h2>
      {rule.given && (
        <>
          <span className="soft">{t('ruleGiven')}</span>
          <pre className="rule-code">
            <Inert text={rule.given} />
          </pre>
        </>
      )}
      <span className="soft">{t('ruleWhen')}</span>
      <pre className="rule-code">
        <Inert text={rule.when} />
      </pre>
      <p className="soft">
        {t('ruleScope')}: {where ? <Inert code text={where} /> : t('everyApi')} · {t('ruleMinimum', { n: rule.minimum || 2 })}
        {rule.cwe?.length ? ` · ${rule.cwe.join(', ')}` : ''}
      </p>
      {rule.advice && (
        <p>
          {t('ruleAdvice')}: <Sentence of={rule.advice} />
        </p>
      )}
      <Button size="small" onClick={edit}>
        {t('ruleEdit')}
      </Button>
    </article>
  );
}

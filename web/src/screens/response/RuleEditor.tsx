import { Alert, Button, Space, Spin } from 'antd';
import { useEffect, useMemo, useRef, useState, type ReactNode } from 'react';
import { client, type Schemas } from '../../api/client';
import { useSession } from '../../api/session';
import { Inert } from '../../parts/Inert';
import { TroubleView } from '../../parts/TroubleView';
import { useDraft } from '../../parts/useDraft';
import { useText } from '../../text/text';
import { DryRun } from './DryRun';
import { complaints, offset } from './ruleErrors';
import { example } from './ruleText';
import { text } from './text';

type Result = Schemas['RuleTestResult'];

/** RuleEditor checks rules as they are written; a complaint leads to its place. */
export function RuleEditor({ given }: { given?: { yaml: string; n: number } }) {
  const t = useText(text);
  const { may } = useSession();
  const able = may('analyst');
  const [yaml, keep, forget] = useDraft('rules', example);
  const { result, error, checking, again } = useCheck(yaml, able);
  const area = useRef<HTMLTextAreaElement>(null);
  const gutter = useRef<HTMLPreElement>(null);
  const wrong = useMemo(() => (result && !result.ok ? complaints(result.errors) : []), [result]);
  const bad = useMemo(() => new Set(wrong.map((w) => w.line)), [wrong]);
  const lines = yaml.split('\n').length;

  useEffect(() => {
    if (!given) return;
    keep(given.yaml);
    area.current?.focus();
    area.current?.scrollIntoView({ block: 'center' });
  }, [given, keep]);

  const go = (line: number, column?: number) => {
    const field = area.current;
    if (!field) return;
    const at = offset(yaml, line, column);
    field.focus();
    field.setSelectionRange(at, at);
    field.scrollTop = Math.max(0, (line - 5) * 20);
  };
  const download = () => {
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob([yaml], { type: 'application/yaml' }));
    link.download = 'rules.yaml';
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  };

  let said: ReactNode = null;
  if (!able) said = <Alert type="info" title={t('editorNeedAnalyst')} />;
  else if (error) said = <TroubleView small error={error} retry={again} />;
  else if (result?.ok) said = <Alert type="success" showIcon title={t('editorOk', { ids: result.rules.join(', ') })} />;
  else if (result) {
    said = (
      <>
        <Alert type="error" showIcon title={t('editorBad', { n: wrong.length })} />
        <ul className="complaints">
          {wrong.map((w, i) => (
            <li key={i}>
              {w.line ? (
                <button type="button" className="as-link" onClick={() => go(w.line!, w.column)}>
                  {w.column ? t('editorPlace', { line: w.line, column: w.column }) : t('editorLine', { line: w.line })}
                </button>
              ) : (
                <span className="soft">{t('editorWhole')}</span>
              )}
              <pre>
                {w.text.split('\n').map((l, j) => (
                  <div key={j}>
                    <Inert text={l} />
                  </div>
                ))}
              </pre>
            </li>
          ))}
        </ul>
      </>
    );
  }
  return (
    <section aria-label={t('editor')}>
      <h2 className="section">{t('editor')}</h2>
      <p className="soft">{t('editorIntro')}</p>
      <div className="rule-editor">
        <div className="code-field">
          <pre className="code-lines" aria-hidden="true" ref={gutter}>
            {Array.from({ length: lines }, (_, i) => (
              <div key={i} className={bad.has(i + 1) ? 'bad' : undefined}>
                {i + 1}
              </div>
            ))}
          </pre>
          <textarea
            ref={area}
            aria-label={t('editorLabel')}
            aria-invalid={wrong.length > 0}
            value={yaml}
            spellCheck={false}
            autoCapitalize="none"
            maxLength={200_000}
            onChange={(e) => keep(e.target.value)}
            onScroll={(e) => {
              if (gutter.current) gutter.current.scrollTop = e.currentTarget.scrollTop;
            }}
          />
        </div>
        <div aria-live="polite" className="attack-actions">
          {checking && <Spin size="small" description={t('editorChecking')} />}
          {said}
          <p className="soft">{t('editorUse')}</p>
          <Space wrap>
            <Button onClick={download} disabled={!yaml.trim()}>
              {t('editorDownload')}
            </Button>
            <Button onClick={forget}>{t('editorReset')}</Button>
          </Space>
        </div>
      </div>
      {able && <DryRun yaml={yaml} ready={Boolean(result?.ok)} />}
    </section>
  );
}

/** useCheck compiles what is written when the writer pauses. The answer to an older text is not shown. */
function useCheck(yaml: string, able: boolean) {
  const [state, setState] = useState<{ of: string; result?: Result; error?: unknown }>();
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    if (!able || !yaml.trim()) return;
    const stop = new AbortController();
    const timer = setTimeout(async () => {
      try {
        const { data } = await client.POST('/api/v1/rules/test', { body: { yaml }, signal: stop.signal });
        setState({ of: yaml, result: data });
      } catch (error) {
        if (!stop.signal.aborted) setState({ of: yaml, error });
      }
    }, 600);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [yaml, able, turn]);
  const fresh = state?.of === yaml ? state : undefined;
  return { result: fresh?.result, error: fresh?.error, checking: able && Boolean(yaml.trim()) && !fresh, again: () => (setState(undefined), setTurn((n) => n + 1)) };
}

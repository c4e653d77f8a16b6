import type { Schemas } from '../../../api/client';
import { Inert } from '../../../parts/Inert';
import { Sentence } from '../../../parts/Sentence';
import { useFormat } from '../../../parts/useFormat';
import { useName, useText } from '../../../text/text';
import { text } from '../text';
import { figure } from './figure';

type Attack = Schemas['Attack'];
type Reason = Attack['reasons'][number];

/** Reasons shows each piece of evidence beside what is ordinary, and how much it weighs. */
export function Reasons({ of: a }: { of: Attack }) {
  const t = useText(text);
  const most = Math.max(1, ...a.reasons.map((r) => Math.abs(r.weight)));
  const harmless = a.reasons.filter((r) => r.weight > 0 && (figure(r.expected) ?? 0) >= 1 && (figure(r.observed) ?? 0) > figure(r.expected)!).slice(0, 2);
  return (
    <>
      <section className="atk-panel-section">
        <h3>{t('evidence')}</h3>
        <p className="atk-sub">{t('evidenceIntro')}</p>
        <ul className="atk-reasons">
          {a.reasons.map((r, i) => (
            <Line key={i} of={r} most={most} />
          ))}
        </ul>
      </section>
      <section className="atk-panel-section">
        <h3>{t('benign')}</h3>
        <ul className="atk-plain">
          {harmless.map((r, i) => (
            <Harmless key={i} of={r} />
          ))}
          <li>{t('benignDo')}</li>
        </ul>
      </section>
    </>
  );
}

function Line({ of: r, most }: { of: Reason; most: number }) {
  const t = useText(text);
  const name = useName();
  const f = useFormat();
  const seen = figure(r.observed);
  const normal = figure(r.expected);
  return (
    <li>
      <span className="atk-reason-family">{name('family', r.family)}</span>
      <span>
        <Sentence of={{ zh: r.zh, en: r.en }} />
        <span className="atk-reason-values">
          <span>
            {t('observed')} <b>{seen === undefined ? <Inert text={r.observed} /> : f.exact(seen)}</b>
          </span>
          <span>
            {t('expected')} <b>{normal === undefined ? t('noExpected') : f.exact(normal)}</b>
          </span>
          {r.weight < 0 && <span>{t('against')}</span>}
        </span>
      </span>
      <span className="atk-reason-weight">
        <span className="bars-track" aria-hidden="true">
          <span className={`bars-bar ${r.weight < 0 ? 'atk-against' : ''}`} style={{ width: `${(100 * Math.abs(r.weight)) / most}%` }} />
        </span>
        <span>
          {t('weight')} {f.exact(Math.round(r.weight * 10) / 10)}
        </span>
      </span>
    </li>
  );
}

function Harmless({ of: r }: { of: Reason }) {
  const t = useText(text);
  const name = useName();
  const f = useFormat();
  return <li>{t('benignLine', { what: name('family', r.family), seen: f.exact(figure(r.observed)!), normal: f.exact(figure(r.expected)!) })}</li>;
}

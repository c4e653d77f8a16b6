import { Link } from 'react-router';
import { Inert } from '../../parts/Inert';
import { Amount } from '../../parts/When';
import { useFormat } from '../../parts/useFormat';
import { nameOf, useLang, useText } from '../../text/text';
import { links } from './links';
import { notes } from './quality';
import { words } from './qualitytext';
import type { Figures } from './useOverview';

const marks = { bad: '✕', warn: '!', note: 'i', good: '✓' };
const most = 8;

/** What the figures above do not tell, since it was lost or could not be seen. */
export function QualityStrip({ of }: { of: Figures }) {
  const t = useText(words);
  const f = useFormat();
  const lang = useLang();
  const q = of.quality;
  const all = notes(q, (kind, id) => ({ zh: nameOf(kind, id, 'zh'), en: nameOf(kind, id, 'en') }));
  const lost = q.dropped.reduce((n, d) => n + d.count, 0);
  const warming = q.sites.filter((s) => s.state === 'warming').length;
  return (
    <section className="card quality">
      <h2>{t('title')}</h2>
      <div className="card-tools">
        <Link to={links.sources()}>{t('sources')}</Link>
      </div>
      <p className="quality-sum">
        {t('sites', { n: f.exact(q.sites.length) })} · {t('analysed', { n: f.number(q.analysed) })} ·{' '}
        {lost > 0 ? t('lost', { n: f.number(lost), share: f.percent(lost / Math.max(1, q.exchanges)) }) : t('noneLost')}
        {' · '}
        {q.not_warm || warming > 0 ? t('notWarm') : t('warm')}
      </p>
      {all.length > 0 && (
        <ul className="quality-notes">
          {all.slice(0, most).map((n) => (
            <li key={n.id} className={`quality-${n.tone}`}>
              <span className="quality-mark" aria-label={t(n.tone)} role="img">
                {marks[n.tone]}
              </span>
              <div>
                <strong>
                  <Inert text={n.title[lang]} />
                </strong>
                {n.count !== undefined && !n.said && (
                  <>
                    {' '}
                    <Amount n={n.count} />
                  </>
                )}
                {n.said && (
                  <span className="quality-said">
                    <Inert text={n.said[lang]} />
                  </span>
                )}
                {n.todo && <span className="quality-todo">{n.todo[lang]}</span>}
              </div>
            </li>
          ))}
        </ul>
      )}
      {all.length > most && <p className="soft">{t('more', { n: f.exact(all.length - most) })}</p>}
    </section>
  );
}

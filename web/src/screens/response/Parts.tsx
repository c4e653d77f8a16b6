import { Tag, Tooltip } from 'antd';
import { now } from '../../api/client';
import { Inert } from '../../parts/Inert';
import { DefectChip } from '../../parts/Known';
import { When } from '../../parts/When';
import { useName, useText } from '../../text/text';
import { stageOf, target, type Entry } from './decision';
import { text } from './text';

const marks: Record<ReturnType<typeof stageOf>, string> = { pending: '…', live: '●', refused: '✕', ending: '…', ended: '○', expired: '○' };

/** Stage says how a decision stands; why is told on hovering. */
export function Stage({ entry }: { entry: Entry }) {
  const t = useText(text);
  const stage = stageOf(entry, now());
  return (
    <Tooltip title={t(`${stage}Why`)}>
      <Tag className={`stage stage-${stage}`} tabIndex={0}>
        <span aria-hidden="true">{marks[stage]}</span> {t(stage)}
      </Tag>
    </Tooltip>
  );
}

/** What says in one line what was decided. */
export function What({ entry }: { entry: Entry }) {
  const t = useText(text);
  const name = useName();
  const where = target(entry);
  switch (entry.kind) {
    case 'verdict':
      return (
        <span className="what">
          {entry.verdict && t(entry.verdict)}
          {entry.defect && <DefectChip id={entry.defect} />}
        </span>
      );
    case 'fix':
      return <span className="what">{entry.defect && <DefectChip id={entry.defect} />}</span>;
    case 'template':
      return (
        <span className="what">
          {entry.edit && t(entry.edit)} <Inert code text={where} />
          {entry.title && <Inert text={entry.title} />}
          {entry.role && name('role', entry.role)}
        </span>
      );
    case 'approval':
      return (
        <span className="what">
          {entry.approval && t(entry.approval)} {where ? <Inert code text={where} /> : t('everyApi')}
        </span>
      );
    default:
      return <span className="what">{where ? <Inert code text={where} /> : t('everyApi')}</span>;
  }
}

export function Until({ entry }: { entry: Entry }) {
  const t = useText(text);
  return entry.expires ? <When at={entry.expires} detail="day" /> : <span className="soft">{t('forEver')}</span>;
}

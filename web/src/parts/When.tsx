import { Tooltip } from 'antd';
import type { Detail } from '../text/format';
import { useFormat } from './useFormat';

/** When shows a time; how long ago and the zone are told on hovering. */
export function When({ at, detail, relative }: { at?: string; detail?: Detail; relative?: boolean }) {
  const f = useFormat();
  if (!at) return <span className="none">–</span>;
  const exactly = f.timeIn(at, 'second');
  return (
    <Tooltip title={relative ? exactly : `${exactly} · ${f.ago(at)}`}>
      <time dateTime={at} className="when">
        {relative ? f.ago(at) : f.time(at, detail)}
      </time>
    </Tooltip>
  );
}

/** Amount shows a count shortened; all digits are told on hovering. */
export function Amount({ n, unit }: { n?: number; unit?: string }) {
  const f = useFormat();
  if (n === undefined) return <span className="none">–</span>;
  const short = f.number(n);
  const all = f.exact(n);
  const shown = (
    <span className="amount">
      {short}
      {unit ? ` ${unit}` : ''}
    </span>
  );
  return short === all ? shown : <Tooltip title={all}>{shown}</Tooltip>;
}

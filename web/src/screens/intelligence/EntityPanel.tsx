import type { PanelProps } from '../../shell/drawer';
import { Inert } from '../../parts/Inert';

export default function EntityPanel({ id }: PanelProps) {
  return <Inert code text={id} />;
}

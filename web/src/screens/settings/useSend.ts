import type { FormInstance } from 'antd';
import { useCallback, useState } from 'react';
import { problemFields } from '../../parts/problemFields';
import { useLang } from '../../text/text';

/** useSend sends a form and tells in place what was refused: what was typed stays. */
export function useSend(form: FormInstance, names: readonly string[]) {
  const lang = useLang();
  const [sending, setSending] = useState(false);
  const [trouble, setTrouble] = useState<{ whole: string; stale: boolean }>({ whole: '', stale: false });
  const send = useCallback(
    async (what: () => Promise<unknown>): Promise<boolean> => {
      setSending(true);
      setTrouble({ whole: '', stale: false });
      try {
        await what();
        return true;
      } catch (e) {
        const told = problemFields(e, names, lang);
        form.setFields(Object.entries(told.fields).map(([name, errors]) => ({ name, errors })));
        setTrouble(told);
        return false;
      } finally {
        setSending(false);
      }
    },
    // names are written where this is called
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [form, lang],
  );
  return { send, sending, trouble };
}

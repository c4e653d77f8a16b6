import { useQueryClient } from '@tanstack/react-query';
import { createContext, useCallback, useContext, useEffect, useMemo, useState, type ReactNode } from 'react';
import { client, link, Trouble, type Schemas } from './client';
import { SignInAgain } from '../shell/SignInAgain';
import { Opening } from '../shell/Opening';

export type Role = Schemas['Role'];

const ranks: Record<Role, number> = { viewer: 1, analyst: 2, responder: 3, administrator: 4 };

export type Session = {
  me: Schemas['Me'];
  may: (least: Role) => boolean;
  signOut: () => Promise<void>;
};

const Context = createContext<Session | null>(null);

export function useSession(): Session {
  const s = useContext(Context);
  if (!s) throw new Error('useSession is used outside of SessionProvider');
  return s;
}

export const toLogin = () => location.assign(`/login?lang=${link.lang}&next=${encodeURIComponent(location.pathname + location.search)}`);

/**
 * SessionProvider finds out who is signed in. When the session ends while
 * somebody works, it asks for the password in place: nothing that was typed is
 * lost.
 */
export function SessionProvider({ children }: { children: ReactNode }) {
  const queries = useQueryClient();
  const [me, setMe] = useState<Schemas['Me'] | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [expired, setExpired] = useState(false);

  const load = useCallback(async () => {
    setError(null);
    try {
      const { data } = await client.GET('/api/v1/session');
      link.csrf = data!.csrf ?? '';
      setMe(data!);
    } catch (e) {
      if (e instanceof Trouble && e.status === 401) toLogin();
      else setError(e);
    }
  }, []);

  useEffect(() => {
    link.expired = () => setExpired(true);
    void load();
    return () => {
      link.expired = () => {};
    };
  }, [load]);

  const signOut = useCallback(async () => {
    try {
      await client.DELETE('/api/v1/session');
    } finally {
      location.assign(`/login?lang=${link.lang}`);
    }
  }, []);

  const again = useCallback(
    (next: Schemas['Me']) => {
      link.csrf = next.csrf ?? '';
      setMe(next);
      setExpired(false);
      void queries.invalidateQueries();
    },
    [queries],
  );

  const value = useMemo<Session | null>(
    () => me && { me, may: (least) => ranks[me.role] >= ranks[least], signOut },
    [me, signOut],
  );
  if (!value) return <Opening error={error} retry={load} />;
  return (
    <Context.Provider value={value}>
      {children}
      {expired && <SignInAgain name={value.me.name} done={again} />}
    </Context.Provider>
  );
}

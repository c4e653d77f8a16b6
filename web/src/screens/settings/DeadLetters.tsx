import { Button, Popconfirm, Space, Table } from 'antd';
import type { Schemas } from '../../api/client';
import { Inert } from '../../parts/Inert';
import { Sentence } from '../../parts/Sentence';
import { When } from '../../parts/When';
import { useText } from '../../text/text';
import { text } from './notificationText';

type Letter = Schemas['DeadLetter'];
type Props = { list: readonly Letter[]; total: number; resend: (id: string) => Promise<void>; forget: (id: string) => Promise<void> };

/** DeadLetters are messages that nobody took: sent again, or thrown away, by hand. */
export function DeadLetters({ list, total, resend, forget }: Props) {
  const t = useText(text);
  if (list.length === 0) return <p className="soft">{t('lettersNone')}</p>;
  return (
    <section>
      <h2>{t('letters')}</h2>
      <p className="allow-intro">
        {t('lettersIntro')} {total > list.length && t('lettersMore', { n: list.length, all: total })}
      </p>
      <div className="scroll" tabIndex={0} role="region" aria-label={t('letters')}>
        <Table<Letter>
          size="small"
          aria-label={t('letters')}
          rowKey="id"
          dataSource={[...list]}
          pagination={{ hideOnSinglePage: true, pageSize: 20 }}
          columns={[
            { key: 'at', title: t('at'), render: (_, l) => <When at={l.at} /> },
            { key: 'receiver', title: t('name'), render: (_, l) => l.receiver },
            { key: 'title', title: t('what'), render: (_, l) => <Sentence of={l.title} /> },
            { key: 'why', title: t('why'), render: (_, l) => <Inert text={l.why} /> },
            {
              key: 'actions',
              title: '',
              render: (_, l) => (
                <Space>
                  <Button size="small" onClick={() => void resend(l.id)}>
                    {t('resend')}
                  </Button>
                  <Popconfirm title={t('forgetSure')} okText={t('forget')} cancelText={t('cancel')} onConfirm={() => forget(l.id)}>
                    <Button size="small" danger>
                      {t('forget')}
                    </Button>
                  </Popconfirm>
                </Space>
              ),
            },
          ]}
        />
      </div>
    </section>
  );
}

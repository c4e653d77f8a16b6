import { Alert, Table, Tag } from 'antd';
import { useMemo } from 'react';
import type { Schemas } from '../../../api/client';
import { Chip } from '../../../parts/Chip';
import { Inert } from '../../../parts/Inert';
import { Teach } from '../../../parts/Teach';
import { useFormat } from '../../../parts/useFormat';
import { useText } from '../../../text/text';
import { fieldTree, type Node } from './fields';
import { text } from './text';

type Contract = Schemas['Contract'];
type Parameter = Contract['parameters'][number];
type Body = Contract['requests'][number];

/** Structure is what an API takes and gives, as traffic taught it. */
export function Structure({ contract }: { contract?: Contract }) {
  const t = useText(text);
  const f = useFormat();
  if (!contract || (contract.parameters.length === 0 && contract.requests.length === 0 && contract.responses.length === 0)) {
    return <Teach title={t('noContract')}>{t('noContractDo')}</Teach>;
  }
  return (
    <>
      <p className="soft">{t('learned', { n: f.exact(contract.samples) })}</p>
      {contract.partial && <Alert type="warning" title={t('partial')} className="gap" />}
      {contract.parameters.length > 0 && (
        <section className="gap">
          <h3>{t('parameters')}</h3>
          <Parameters list={contract.parameters} samples={contract.samples} />
        </section>
      )}
      {contract.requests.map((b, i) => (
        <BodyView key={`q${i}`} title={t('request')} body={b} />
      ))}
      {contract.responses.map((b, i) => (
        <BodyView key={`r${i}`} title={t('response', { status: b.status ?? '' })} body={b} />
      ))}
    </>
  );
}

function Parameters({ list }: { list: readonly Parameter[]; samples: number }) {
  const t = useText(text);
  const f = useFormat();
  return (
    <Table<Parameter>
      size="small"
      pagination={list.length > 50 ? { pageSize: 50, size: 'small' } : false}
      rowKey={(p) => `${p.in} ${p.name}`}
      dataSource={list as Parameter[]}
      scroll={{ x: 'max-content' }}
      aria-label={t('parameters')}
      columns={[
        { title: t('name'), key: 'name', width: 180, render: (_, p) => <Inert code text={p.name} /> },
        { title: t('in'), key: 'in', width: 70, render: (_, p) => t(`in.${p.in}`) },
        { title: t('type'), key: 'type', width: 120, render: (_, p) => <Types types={[p.type]} format={p.format} /> },
        { title: t('required'), key: 'required', width: 96, render: (_, p) => <Needed is={p.required} /> },
        { title: t('values'), key: 'values', width: 150, render: (_, p) => <Values list={p.values} /> },
        { title: t('sensitive'), key: 'sensitive', width: 200, render: (_, p) => <Sensitive list={p.sensitive} /> },
        { title: t('times'), key: 'count', width: 70, align: 'right', render: (_, p) => f.number(p.count) },
      ]}
    />
  );
}

function BodyView({ title, body }: { title: string; body: Body }) {
  const t = useText(text);
  const f = useFormat();
  const tree = useMemo(() => fieldTree(body.fields), [body]);
  const keys = useMemo(() => {
    const out: string[] = [];
    const walk = (list: readonly Node[]) => list.forEach((n) => n.children && (out.push(n.key), walk(n.children)));
    walk(tree);
    return out.slice(0, 200);
  }, [tree]);
  return (
    <section className="gap">
      <h3>
        {title} <span className="soft small-note">{body.media ? <Inert text={body.media} /> : t('noBody')} · {t('seen', { n: f.number(body.count) })}</span>
      </h3>
      {tree.length > 0 && (
        <Table<Node>
          className="field-tree"
          size="small"
          pagination={false}
          rowKey={(n) => n.key}
          dataSource={tree}
          scroll={{ x: 'max-content', y: tree.length > 40 ? 480 : undefined }}
          expandable={{ defaultExpandedRowKeys: keys, indentSize: 18 }}
          aria-label={title}
          columns={[
            { title: t('name'), key: 'name', width: 250, render: (_, n) => <Label node={n} /> },
            { title: t('type'), key: 'type', width: 140, render: (_, n) => n.field && <Types types={n.field.types} format={n.field.format} /> },
            { title: t('required'), key: 'required', width: 96, render: (_, n) => n.field && !n.key.includes('[]') && <Needed is={n.field.required} /> },
            { title: t('values'), key: 'values', width: 150, render: (_, n) => <Values list={n.field?.values} /> },
            { title: t('sensitive'), key: 'sensitive', width: 200, render: (_, n) => <Sensitive list={n.field?.sensitive} /> },
          ]}
        />
      )}
    </section>
  );
}

function Label({ node }: { node: Node }) {
  const t = useText(text);
  if (node.label === '[]') return <span className="soft">[ ] {t('element')}</span>;
  if (node.label === '{}') return <span className="soft">{`{ }`} {t('anyKey')}</span>;
  return <Inert code text={node.label} />;
}

const Types = ({ types, format }: { types: readonly string[]; format?: string }) => (
  <span className="mono">
    {types.join(' | ')}
    {format ? <span className="soft"> {format}</span> : null}
  </span>
);

function Needed({ is }: { is: boolean }) {
  const t = useText(text);
  return is ? <span>{t('yes')}</span> : <span className="soft">{t('optional')}</span>;
}

const Values = ({ list }: { list?: readonly string[] }) =>
  list?.length ? (
    <span className="chip-row">
      {list.slice(0, 8).map((v) => (
        <Tag key={v}>
          <Inert text={v} />
        </Tag>
      ))}
      {list.length > 8 && <span className="soft">+{list.length - 8}</span>}
    </span>
  ) : null;

const Sensitive = ({ list }: { list?: readonly string[] }) => (
  <span className="chip-row">
    {list?.map((s) => <Chip key={s} kind="type" value={s} />)}
  </span>
);

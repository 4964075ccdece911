/** What a chart would change, row by row: accept or leave. */
import { useId, useState } from "react";
import { useLanguage, type Grammar, type Say } from "../i18n";
import { read, type RegisterName } from "../plan/fold";
import { words, type Wording } from "../plan/words";
import { Banner } from "../ui/Banner";
import { Button } from "../ui/Button";
import { Chip } from "../ui/Chip";
import { FIELDS, type FieldName, type ImportIssue, type ImportPreview, type ImportRow, type ImportTick, type IssueCode, type Value } from "../wire";
import { byList, countsOf, firstChoice, isOpen, isStopped, neededTicks } from "./choice";
import { StepHeading } from "./StepHeading";
import style from "./import.module.css";

/** Places of one remark that are drawn; the rest is counted. */
const PLACES = 40;

export function Preview(props: {
  readonly preview: ImportPreview;
  readonly problem: string | null;
  readonly onAnother: () => void;
  readonly onTake: (accept: readonly string[], ticks: readonly ImportTick[]) => void;
}) {
  const { preview } = props;
  const { say, g } = useLanguage();
  const [accepted, setAccepted] = useState(() => firstChoice(preview));
  const [ticked, setTicked] = useState<ReadonlySet<ImportTick>>(new Set());
  const [problem, setProblem] = useState(props.problem);
  const open = preview.rows.filter(isOpen);
  const rest = preview.rows.filter((row) => !isOpen(row));
  const needed = neededTicks(preview, accepted);
  const go = () => {
    if (accepted.size === 0) return setProblem(say("import.nothing_ticked"));
    if (!needed.every((tick) => ticked.has(tick))) return setProblem(say("import.ticks_missing"));
    props.onTake([...accepted], needed);
  };
  const toggle = (key: string) => {
    setProblem(null);
    setAccepted(toggled(accepted, key));
  };
  return (
    <>
      <header className={style["person"]}>
        <StepHeading><bdi>{preview.person.name}</bdi></StepHeading>
        <span>{preview.person.birth_date === "" ? say("import.person.unborn") : say("import.person.born", { born: g.date(preview.person.birth_date) })}</span>
        <Chip tone={preview.sameness === "same" ? "ok" : "warn"}>{say(preview.sameness === "same" ? "import.person.same" : "import.person.perhaps")}</Chip>
      </header>
      {(preview.sameness === "name_and_birth" || preview.sameness === "number_only") && <p className={style["warn"]}>{say(`import.person.${preview.sameness}`)}</p>}
      {preview.before !== null && (
        <p>{say("import.before", { at: g.moment(preview.before.at_ms), name: preview.before.name })}{open.length > 0 && ` ${say("import.before.left")}`}</p>
      )}
      {preview.sealed && open.length > 0 && <Banner tone="warn">{say("import.sealed")}</Banner>}
      {open.length === 0 && <Banner tone="ok">{say("import.unchanged")}</Banner>}
      <Counted preview={preview} />
      {open.length > 0 && (
        <section aria-label={say("import.rows.title")} className={style["rows"]}>
          <h4>{say("import.rows.title")}</h4>
          <p className={style["quiet"]}>{say("import.rows.how")}</p>
          <div className={style["tools"]}>
            <Button kind="quiet" onClick={() => setAccepted(new Set(open.map(({ key }) => key)))}>{say("import.all")}</Button>
            <Button kind="quiet" onClick={() => setAccepted(new Set())}>{say("import.none")}</Button>
          </div>
          {byList(open).map(([list, rows]) => (
            <fieldset key={list ?? "statement"} className={style["list"]}>
              <legend>{say(list === null ? "import.list.statement" : `plan.list.${list}`)}</legend>
              {rows.map((row) => <Row key={row.key} row={row} on={accepted.has(row.key)} onToggle={() => toggle(row.key)} />)}
            </fieldset>
          ))}
        </section>
      )}
      {preview.not_yours > 0 && <p>{say("import.not_yours", { count: preview.not_yours })}</p>}
      {rest.length > 0 && <Kept rows={rest} />}
      <Remarks issues={preview.issues} more={preview.issues_left_out} />
      <Ignored kinds={Object.entries(preview.ignored)} />
      {!preview.sealed && needed.length > 0 && (
        <fieldset className={style["ticks"]}>
          <legend>{say("import.ticks.title")}</legend>
          {needed.map((tick) => (
            <label key={tick} className={style["check"]}>
              <input type="checkbox" checked={ticked.has(tick)} onChange={() => { setProblem(null); setTicked(toggled(ticked, tick)); }} />
              <span>{say(`import.tick.${tick}`)}</span>
            </label>
          ))}
        </fieldset>
      )}
      {problem !== null && <p role="alert" className={style["problem"]}>{problem}</p>}
      <div className={style["tools"]}>
        {open.length > 0 && !preview.sealed && <Button kind="primary" onClick={go}>{say("import.go", { count: accepted.size })}</Button>}
        <Button onClick={props.onAnother}>{say("import.another")}</Button>
      </div>
    </>
  );
}

function toggled<T>(set: ReadonlySet<T>, one: T): ReadonlySet<T> {
  const next = new Set(set);
  if (!next.delete(one)) next.add(one);
  return next;
}

function Counted({ preview }: { readonly preview: ImportPreview }) {
  const { say } = useLanguage();
  const counts = countsOf(preview);
  const kinds = (["new", "changed", "stopped", "same", "kept"] as const).filter((kind) => counts[kind] > 0);
  return <p className={style["strong"]}>{kinds.map((kind) => say(`import.count.${kind}`, { count: counts[kind] })).join(" · ")}</p>;
}

/** Values of a file point at rows of elsewhere: those have no name here. */
function wordingOf(say: Say, g: Grammar): Wording {
  return { say, g, named: () => say("plan.row_unnamed") };
}

function valueWords(field: FieldName, value: Value | null, none: string, wording: Wording): string {
  if (value === null || FIELDS[field].kind === "text") return none;
  return words(field as RegisterName, read(field as RegisterName, value), wording);
}

/** The field whose words name a row that has no name of its own. */
const SAYS: readonly FieldName[] = ["allergies.content", "immunizations.content", "conditions.content", "measures.content", "home_readings.content"];

function Row({ row, on, onToggle }: { readonly row: ImportRow; readonly on: boolean; readonly onToggle: () => void }) {
  const { say, g } = useLanguage();
  const id = useId();
  const wording = wordingOf(say, g);
  const { told } = row;
  if (told.kind !== "new" && told.kind !== "changed") return null;
  const says = told.kind === "new" ? SAYS.find((field) => told.values[field] !== undefined) : undefined;
  const whole = told.kind === "new" && says !== undefined ? valueWords(says, told.values[says] ?? null, "", wording) : row.name;
  return (
    <div className={style["row"]} data-kind={told.kind} data-list={row.list ?? "statement"}>
      <label className={style["check"]}>
        <input type="checkbox" checked={on} aria-describedby={id} onChange={onToggle} />
        <span className={style["name"]}><bdi translate="no">{whole === "" ? say("import.list.statement") : whole}</bdi></span>
        <Chip tone={told.kind === "new" ? "info" : isStopped(row) ? "danger" : "warn"}>
          {say(told.kind === "new" ? "import.row.new" : isStopped(row) ? "import.row.stopped" : told.choice ? "import.row.choice" : "import.row.changed")}
        </Chip>
      </label>
      <div id={id} className={style["about"]}>
        {told.kind === "changed" && (
          <dl className={style["values"]}>
            <dt>{say(`plan.field.${told.field}`)}</dt>
            <dd>{say("import.row.record")}: <bdi>{valueWords(told.field, told.record, say(told.choice ? "import.row.open" : "import.row.nothing"), wording)}</bdi></dd>
            <dd>{say("import.row.file")}: <strong><bdi>{valueWords(told.field, told.chart, say("import.row.nothing"), wording)}</bdi></strong></dd>
          </dl>
        )}
        {told.kind === "changed" && told.choice && <p>{say("import.row.choice.what")}</p>}
        {told.kind === "new" && told.values["meds.prescribed_sig"] !== undefined && (
          <p><bdi>{say("import.row.prescribed", { sig: valueWords("meds.prescribed_sig", told.values["meds.prescribed_sig"], "", wording) })}</bdi></p>
        )}
        {told.kind === "new" && told.no_dosage && <p className={style["warn"]}>{say("import.row.no_dosage")}</p>}
        {told.kind === "new" && told.like !== null && <p className={style["warn"]}><bdi>{say("import.row.like", { name: told.like })}</bdi></p>}
        {row.source !== null && <p className={style["quiet"]}>{say("import.row.source", { kind: row.source.kind, entry: row.source.entry })}</p>}
      </div>
    </div>
  );
}

function Kept({ rows }: { readonly rows: readonly ImportRow[] }) {
  const { say, g } = useLanguage();
  const wording = wordingOf(say, g);
  const why = ({ told }: ImportRow): string => {
    switch (told.kind) {
      case "removed":
        return say("import.kept.removed");
      case "absent":
        return say("import.kept.absent");
      case "kept":
        return FIELDS[told.field].kind === "text" ? `${say(`plan.field.${told.field}`)}: ${say("import.kept.words")}` : say("import.kept.field", {
          field: say(`plan.field.${told.field}`),
          record: valueWords(told.field, told.record, say("import.row.open"), wording),
          chart: told.chart === null ? null : valueWords(told.field, told.chart, say("import.row.nothing"), wording),
        });
      default:
        return "";
    }
  };
  return (
    <details className={style["more"]}>
      <summary>{say("import.kept.title", { count: rows.length })}</summary>
      <p className={style["quiet"]}>{say("import.kept.what")}</p>
      <ul>{rows.map((row) => <li key={row.key}><bdi translate="no" className={style["name"]}>{row.name}</bdi> <bdi>{why(row)}</bdi></li>)}</ul>
    </details>
  );
}

function Remarks({ issues, more }: { readonly issues: readonly ImportIssue[]; readonly more: number }) {
  const { say } = useLanguage();
  if (issues.length + more === 0) return null;
  const codes = new Map<IssueCode, ImportIssue[]>();
  for (const issue of issues) {
    const known = codes.get(issue.code);
    if (known === undefined) codes.set(issue.code, [issue]);
    else known.push(issue);
  }
  return (
    <details className={style["more"]}>
      <summary>{say("import.remarks.title", { count: issues.length + more })}</summary>
      {[...codes].map(([code, all]) => (
        <div key={code}>
          <p className={style["name"]}>{say(`import.issue.${code}`)}</p>
          <ul>
            {all.slice(0, PLACES).map(({ resource, path }, index) => <li key={index}><bdi translate="no">{say("import.remarks.place", { kind: resource.kind, entry: resource.entry, path })}</bdi></li>)}
            {all.length > PLACES && <li>{say("import.remarks.more", { count: all.length - PLACES })}</li>}
          </ul>
        </div>
      ))}
      {more > 0 && <p>{say("import.remarks.more", { count: more })}</p>}
    </details>
  );
}

function Ignored({ kinds }: { readonly kinds: readonly (readonly [string, number | undefined])[] }) {
  const { say } = useLanguage();
  if (kinds.length === 0) return null;
  const count = kinds.reduce((sum, [, times]) => sum + (times ?? 0), 0);
  return (
    <details className={style["more"]}>
      <summary>{say("import.ignored.title", { count })}</summary>
      <p className={style["quiet"]}>{say("import.ignored.what")}</p>
      <ul>{kinds.map(([kind, times]) => <li key={kind}>{say("import.ignored.kind", { kind, count: times ?? 0 })}</li>)}</ul>
    </details>
  );
}

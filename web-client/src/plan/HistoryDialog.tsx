/** How a field came to say what it says: who, when, at which minute of the call, from what to what. */
import { useEffect, useId, useState } from "react";
import { useLanguage } from "../i18n";
import { FIELDS, type Change, type FieldName, type PersonId, type RowId, type Value, type What } from "../wire";
import { Button } from "../ui/Button";
import { Dialog } from "../ui/Dialog";
import { Select } from "../ui/Field";
import { fieldLabel, useNames, useFieldSlice, useRowNames, useScene } from "./context";
import { useWording } from "./Editor";
import { address, listOf, read, type RegisterName } from "./fold";
import { today } from "./forms/parts";
import { picked } from "./forms/sig";
import type { HistoryAnswer } from "./histories";
import { firstField } from "./historyContext";
import { words } from "./words";
import style from "./HistoryDialog.module.css";

interface Read {
  readonly changes: readonly Change[];
  readonly names: ReadonlyMap<PersonId, string>;
  readonly next: number | null;
}

const NOTHING: Read = { changes: [], names: new Map(), next: null };

export function HistoryDialog(props: { readonly field: FieldName; readonly row: RowId | undefined; readonly onClose: () => void }) {
  const { row } = props;
  const { record } = useScene();
  const { say } = useLanguage();
  const id = useId();
  const named = useRowNames();
  const [field, setField] = useState<FieldName>(props.field);
  const [known, setKnown] = useState<Read>(NOTHING);
  const [state, setState] = useState<"asking" | "read" | Exclude<HistoryAnswer["kind"], "page"> | "not_allowed">("asking");
  const list = useFieldSlice((all) => (row === undefined ? undefined : [...all.docs.values()].map((doc) => listOf(doc.shown, row)).find((one) => one !== undefined)));
  const fields = row === undefined || list === undefined ? [props.field] : (Object.keys(FIELDS) as FieldName[]).filter((one) => one === "presence" || FIELDS[one].list === list);

  const ask = async (of: FieldName, before: number | null, so: Read): Promise<void> => {
    setState("asking");
    const kind = of === "presence" && list !== undefined ? FIELDS[firstField(list)].doc : FIELDS[of].doc;
    const doc = record.get().docs.get(kind);
    const answer = doc === undefined ? { kind: "unknown" as const } : await record.histories.ask(doc.id, address(of, row), before);
    if (answer.kind !== "page") return setState(answer.kind === "refused" && answer.why === "not_allowed" ? "not_allowed" : answer.kind);
    const names = new Map(so.names);
    for (const { person, name } of answer.page.people) names.set(person, name);
    setKnown({ changes: [...so.changes, ...answer.page.changes], names, next: answer.page.next });
    setState("read");
  };
  useEffect(() => {
    setKnown(NOTHING);
    void ask(field, null, NOTHING);
    // Asked anew when another field is chosen, and then only.
    // oxlint-disable-next-line react-hooks/exhaustive-deps
  }, [field]);

  const label = fieldLabel(say, field);
  return (
    <Dialog title={say("plan.history.title", { what: row === undefined ? label : named(row) })} onClose={props.onClose}>
      {fields.length > 1 && (
        <Select label={say("plan.history.field")} value={field} onChange={(event) => setField(picked(fields, event.currentTarget.value))}>
          {fields.map((one) => <option key={one} value={one}>{one === "presence" ? say("plan.history.row") : fieldLabel(say, one)}</option>)}
        </Select>
      )}
      <ol id={id} aria-label={label} aria-busy={state === "asking"} className={style["list"]}>
        {runs(known.changes).map((run) => <Entry key={run.last.seq} run={run} field={field} names={known.names} />)}
      </ol>
      {state === "asking" && <p role="status">{say("ui.loading")}</p>}
      {state === "read" && known.changes.length === 0 && known.next === null && <p>{say("plan.history.none")}</p>}
      {(state === "refused" || state === "unknown") && <p role="alert">{say("plan.history.unknown")}</p>}
      {state === "not_allowed" && <p role="alert">{say("plan.history.not_allowed")}</p>}
      {state === "read" && known.next !== null && <Button onClick={() => void ask(field, known.next, known)}>{say("plan.history.older")}</Button>}
    </Dialog>
  );
}

/** Typing in one go, by one person, is one entry. */
interface Run {
  readonly first: Change;
  readonly last: Change;
}

const RUN_MS = 600_000;

function runs(changes: readonly Change[]): readonly Run[] {
  return changes.reduce<Run[]>((all, change) => {
    const before = all.at(-1);
    const goes = before !== undefined && change.what.kind === "text" && before.first.what.kind === "text" && change.what.merged === undefined
      && JSON.stringify(change.by) === JSON.stringify(before.first.by) && before.first.at_ms - change.at_ms < RUN_MS;
    return goes ? [...all.slice(0, -1), { ...before, first: change }] : [...all, { first: change, last: change }];
  }, []);
}

function Entry({ run, field, names }: { readonly run: Run; readonly field: FieldName; readonly names: ReadonlyMap<PersonId, string> }) {
  const { say, g } = useLanguage();
  const people = useNames();
  const change = run.last;
  const { by } = change;
  const who = by.kind === "import" ? say("plan.chart") : names.get(by.person) ?? people.short(by);
  const day = new Date(change.at_ms);
  const iso = `${day.getFullYear()}-${String(day.getMonth() + 1).padStart(2, "0")}-${String(day.getDate()).padStart(2, "0")}`;
  const at = iso === today() ? g.time(change.at_ms) : `${g.date(iso)}, ${g.time(change.at_ms)}`;
  return (
    <li className={style["entry"]}>
      <p className={style["what"]}><Words what={change.what} field={field} /></p>
      <p className={style["by"]}>
        {say("plan.history.by", { who, at })}
        {change.call !== undefined && `, ${say("plan.history.call", { minutes: Math.floor(change.call.ms / 60_000) })}`}
      </p>
    </li>
  );
}

function Words({ what, field }: { readonly what: What; readonly field: FieldName }) {
  const { say } = useLanguage();
  const wording = useWording();
  const value = (one: Value | null): string => (FIELDS[field].kind === "text" ? "" : words(field as RegisterName, read(field as RegisterName, one), wording));
  const none = say("plan.not_stated");
  switch (what.kind) {
    case "set":
      return <>{what.before === null ? none : value(what.before)} → <strong>{what.after === null ? none : value(what.after)}</strong></>;
    case "resolved":
      return <>{say("plan.history.resolved")}: <strong>{value(what.after)}</strong></>;
    case "agreed":
      return say("plan.history.agreed");
    case "conflicted":
      return <>{say("plan.conflict.title")}: {what.candidates.map((candidate) => value(candidate.value)).join(" / ")}</>;
    case "added": {
      const first = Object.values(what.values)[0];
      return <>{say("plan.history.added")}{first !== undefined && <>: <strong>{value(first)}</strong></>}</>;
    }
    case "tombstoned":
      return <>{say("plan.history.removed")}{what.reason !== "" && `: ${what.reason}`}</>;
    case "restored":
      return say("plan.history.restored");
    case "moved":
      return say("plan.history.moved");
    case "text":
      return say("plan.history.typed");
    case "reviewed":
      return say("plan.history.reviewed");
    case "decided": {
      const set = what.sets.find((one) => one.at.field === field);
      return <>{say("plan.history.decided")}{set !== undefined && <>: <strong>{value(set.value)}</strong></>}</>;
    }
    default:
      return what satisfies never;
  }
}

/** Rows of a list: put in, taken out with a reason, put elsewhere, and the doubt when two people disagree. */
import { ArrowDown, ArrowUp, History, Plus, Trash2, TriangleAlert } from "lucide-react";
import { useEffect, useId, useRef, useState, type FormEvent, type ReactNode } from "react";
import { useLanguage, type PlainKey } from "../i18n";
import type { FieldName, ListName, RowId } from "../wire";
import { Button, IconButton } from "../ui/Button";
import { Dialog } from "../ui/Dialog";
import { Select } from "../ui/Field";
import { address } from "./fold";
import { docIn, useCanEditRows, useLookers, useNames, useFieldSlice, useRegister, useRows, useScene } from "./context";
import { Focused, type Finished, type FormParts } from "./Editor";
import { firstField, useHistory } from "./historyContext";
import { useKeys } from "./keys";
import { docOfList } from "./ops";
import { classes } from "../ui/classes";
import { personClass } from "./person";
import editor from "./Editor.module.css";
import style from "./rows.module.css";

export type Values = { [key in FieldName]?: unknown };

/** A heading, the rows, and what is said when there are none. */
export function RowList(props: {
  readonly list: ListName;
  /** Other rows than those of the list, or in another order. */
  readonly rows?: readonly RowId[];
  readonly title?: string;
  readonly row: (row: RowId, index: number) => ReactNode;
  readonly add?: ReactNode;
  readonly empty?: string;
  readonly children?: ReactNode;
}) {
  const { say } = useLanguage();
  const all = useRows(props.list);
  const rows = props.rows ?? all;
  const id = useId();
  const title = props.title ?? say(`plan.list.${props.list}`);
  return (
    <section aria-labelledby={id} data-list={props.list} className={style["section"]}>
      <h3 id={id} className={style["title"]}>{rows.length === 0 ? title : say("plan.with_count", { what: title, count: rows.length })}</h3>
      {props.children}
      {rows.length === 0
        ? <p className={style["empty"]}>{props.empty ?? say("plan.nothing_yet")}</p>
        : <ul className={style["rows"]}>{rows.map((row) => <RowFrame key={row} row={row}>{props.row(row, all.indexOf(row))}</RowFrame>)}</ul>}
      {props.add}
    </section>
  );
}

/** A row of a list: a stop for the keys that go from row to row, ringed in the colour of whoever is in it. */
function RowFrame({ row, children }: { readonly row: RowId; readonly children: ReactNode }) {
  const { say } = useLanguage();
  const names = useNames();
  const here = useLookers(row);
  const first = here[0];
  return (
    <li data-row={row} tabIndex={-1} className={classes(style["row"], first !== undefined && style["looked"], first !== undefined && personClass(names.colour(first)))}>
      {children}
      {here.length > 0 && <p className={style["here"]}>{say("plan.here", { names: here.map(names.seat) })}</p>}
    </li>
  );
}

/** *Add* puts a row in place with the focus in its first box; it is sent when the person ends it. */
export function AddRow<D>(props: {
  readonly list: ListName;
  readonly begin: () => D;
  readonly finish: (draft: D) => Finished<Values>;
  readonly form: (parts: FormParts<D>) => ReactNode;
  /** Another word on the button than the list's own. */
  readonly label?: string;
  readonly quiet?: boolean;
  /** Opens at once with this, and reports its end. */
  readonly opened?: { readonly draft: D; readonly onEnd: () => void };
}) {
  const { record } = useScene();
  const { say } = useLanguage();
  const rows = useAllRows(props.list);
  const allowed = useCanEditRows(props.list);
  const [draft, setDraft] = useState<{ readonly value: D; readonly tried: boolean } | null>(props.opened === undefined ? null : { value: props.opened.draft, tried: false });
  const opener = useRef<HTMLButtonElement>(null);
  const ended = useRef(false);
  const end = (): void => {
    ended.current = true;
    setDraft(null);
    props.opened?.onEnd();
  };
  useEffect(() => {
    if (draft !== null || !ended.current) return;
    ended.current = false;
    opener.current?.focus();
  }, [draft]);
  const keys = useKeys<HTMLFormElement>((event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    end();
  });
  if (!allowed) return null;
  const label = props.label ?? say(`plan.add.${props.list}`);
  if (draft === null) {
    return (
      <Button ref={opener} data-add={props.list} {...(props.quiet === true ? { kind: "quiet" as const } : {})} className={style["add"]} icon={<Plus size={20} aria-hidden />} onClick={() => setDraft({ value: props.begin(), tried: false })}>{label}</Button>
    );
  }
  const done = (event: FormEvent): void => {
    event.preventDefault();
    const finished = props.finish(draft.value);
    if (finished === "unfinished") return setDraft({ ...draft, tried: true });
    record.add(props.list, rows.at(-1) ?? null, finished.value);
    end();
  };
  return (
    <form ref={keys} className={editor["form"]} aria-label={label} noValidate onSubmit={done}>
      <Focused>{props.form({ draft: draft.value, change: (value) => setDraft({ ...draft, value }), tried: draft.tried })}</Focused>
      <div className={editor["actions"]}>
        <Button type="submit" kind="primary">{say("plan.done")}</Button>
        <Button kind="quiet" onClick={end}>{say("plan.cancel")}</Button>
      </div>
    </form>
  );
}

/** Rows of a list, removed ones included: they keep their place, and order is counted with them. */
const useAllRows = (list: ListName): readonly RowId[] =>
  useFieldSlice((state) => docIn(state, docOfList(list))?.shown.lists.get(list) ?? NONE);
const NONE: readonly RowId[] = [];

const REASONS = ["entered_in_error", "duplicate", "not_this_patient", "no_longer_applies"] as const satisfies readonly string[];
const reasonKey = (reason: (typeof REASONS)[number]): PlainKey => `plan.remove.${reason}`;

/** Move up, move down, remove. */
export function RowTools(props: { readonly list: ListName; readonly row: RowId; readonly name: string; readonly fixed?: boolean; readonly children?: ReactNode }) {
  const { record } = useScene();
  const { say } = useLanguage();
  const allowed = useCanEditRows(props.list);
  const all = useAllRows(props.list);
  const standing = useRows(props.list);
  const [asking, setAsking] = useState(false);
  const [reason, setReason] = useState<string>("");
  const [tried, setTried] = useState(false);
  const history = useHistory();
  const told = history !== null && (
    <IconButton label={say("plan.history.of", { what: props.name })} onClick={() => history(firstField(props.list), props.row)}><History size={18} aria-hidden /></IconButton>
  );
  if (!allowed) return <div className={style["tools"]}>{props.children}{told}</div>;
  const index = standing.indexOf(props.row);
  const before = standing[index - 1];
  const after = standing[index + 1];
  const remove = (event: FormEvent): void => {
    event.preventDefault();
    if (reason === "") return setTried(true);
    record.remove(props.list, props.row, reason);
    setAsking(false);
  };
  return (
    <div className={style["tools"]}>
      {props.children}
      {told}
      {props.fixed !== true && before !== undefined && (
        <IconButton label={say("plan.move_up", { what: props.name })} onClick={() => record.move(props.row, all[all.indexOf(before) - 1] ?? null)}><ArrowUp size={18} aria-hidden /></IconButton>
      )}
      {props.fixed !== true && after !== undefined && (
        <IconButton label={say("plan.move_down", { what: props.name })} onClick={() => record.move(props.row, after)}><ArrowDown size={18} aria-hidden /></IconButton>
      )}
      <IconButton label={say("plan.remove_what", { what: props.name })} onClick={() => setAsking(true)}><Trash2 size={18} aria-hidden /></IconButton>
      {asking && (
        <Dialog title={say("plan.remove.title", { what: props.name })} onClose={() => setAsking(false)}>
          <form className={editor["boxes"]} noValidate onSubmit={remove}>
            <p>{say("plan.remove.words")}</p>
            <Select label={say("plan.remove.reason")} value={reason} problem={tried && reason === "" ? say("plan.needed") : undefined} onChange={(event) => setReason(event.currentTarget.value)}>
              <option value="" disabled>{say("plan.none_chosen")}</option>
              {REASONS.map((one) => <option key={one} value={say(reasonKey(one))}>{say(reasonKey(one))}</option>)}
            </Select>
            <div className={editor["actions"]}>
              <Button type="submit" kind="danger">{say("plan.remove")}</Button>
              <Button onClick={() => setAsking(false)}>{say("plan.cancel")}</Button>
            </div>
          </form>
        </Dialog>
      )}
    </div>
  );
}

/** "One person removed this, another changed it." */
export function RowDoubt({ list, row }: { readonly list: ListName; readonly row: RowId }) {
  const { record } = useScene();
  const { say } = useLanguage();
  const view = useRegister("presence", row);
  const allowed = useCanEditRows(list);
  if (view.state !== "conflict") return null;
  const seen = view.candidates.map(({ rev }) => rev);
  const removed = view.candidates.map(({ value }) => value).find((value) => value?.state === "removed");
  const decide = (value: unknown): void => record.resolve(address("presence", row), seen, value);
  return (
    <div role="group" aria-label={say("plan.row.conflict")} className={style["doubt"]}>
      <p><TriangleAlert size={20} aria-hidden />{say("plan.row.conflict")}</p>
      {allowed && (
        <div className={editor["actions"]}>
          <Button onClick={() => decide({ state: "present" })}>{say("plan.row.keep")}</Button>
          {removed !== undefined && removed !== null && <Button onClick={() => decide(removed)}>{say("plan.row.remove")}</Button>}
        </div>
      )}
    </div>
  );
}

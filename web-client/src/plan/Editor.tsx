/**
 * A register that is edited as a whole: closed it is text, open it is a form with one Done. It is sent when the
 * person ends it, never by a timer; what others did meanwhile is shown above, and never overwrites what is open.
 */
import { Pencil, Plus } from "lucide-react";
import { useEffect, useRef, useState, type FormEvent, type ReactNode } from "react";
import { useLanguage } from "../i18n";
import { FIELDS, type Base, type RowId } from "../wire";
import { Button } from "../ui/Button";
import { address, read, type RegisterName, type ValueOf } from "./fold";
import { ConflictCard } from "./Conflict";
import { fieldLabel, useRowNames, useNames, useRegister, useScene, type RegisterView } from "./context";
import { sameBoxes, useKeptDraft } from "./drafts";
import { useKeys } from "./keys";
import { Marks } from "./Marks";
import { words, type Wording } from "./words";
import style from "./Editor.module.css";

/** A form's answer: the value, or that something is missing (the form says what, beside its boxes). */
export type Finished<T> = { readonly value: T } | "unfinished";

export interface FormParts<D> {
  readonly draft: D;
  readonly change: (next: D) => void;
  /** Done was pressed: problems are shown from then on, not while somebody types. */
  readonly tried: boolean;
}

export interface Shape<T, D> {
  readonly begin: (value: T | null) => D;
  readonly finish: (draft: D) => Finished<T | null>;
  readonly form: (parts: FormParts<D>) => ReactNode;
}

interface Draft<D> {
  readonly value: D;
  /** What the person had seen when they began. */
  readonly base: Base;
  readonly seen: number;
  /** Candidates shown, when this is to end a conflict. */
  readonly resolving: readonly number[] | null;
}

export function useWording(): Wording {
  const { say, g } = useLanguage();
  const named = useRowNames();
  return { say, g, named };
}

/** Says that an editor of this register is open at this seat. */
export function useOpenMark(field: RegisterName, row: RowId | undefined, open: boolean): void {
  const { record } = useScene();
  useEffect(() => {
    if (!open) return;
    const kind = FIELDS[field].doc;
    record.setCaret(kind, { at: address(field, row), head: null, anchor: null });
    return () => record.setCaret(kind, null);
  }, [record, field, row, open]);
}

export function RegisterEditor<F extends RegisterName, D>(props: {
  readonly field: F;
  readonly row?: RowId | undefined;
  readonly shape: Shape<ValueOf<F>, D>;
  readonly label?: string;
  /** How the value is shown when nobody edits; its words, unless something else is better. */
  readonly show?: (value: ValueOf<F>) => ReactNode;
  readonly empty?: string;
  /** The label is for screen readers alone: what stands there says what it is. */
  readonly bare?: boolean;
  /** Closed to edits for another reason than the role. */
  readonly locked?: boolean;
  /** Opens at once with this draft, and reports its end. */
  readonly opened?: { readonly draft: D; readonly onEnd: () => void };
}) {
  const { field, row, shape } = props;
  const { record, seat } = useScene();
  const { say } = useLanguage();
  const wording = useWording();
  const view = useRegister(field, row);
  const at = address(field, row);
  const [draft, setDraft] = useState<Draft<D> | null>(() =>
    props.opened === undefined ? null : { value: props.opened.draft, base: record.base(at), seen: view.rev, resolving: null });
  const [tried, setTried] = useState(false);
  const opener = useRef<HTMLButtonElement>(null);
  const focusBack = useRef(false);
  useOpenMark(field, row, draft !== null);
  useKeptDraft(field, row, draft, sameBoxes(shape.begin(null)), (kept) => {
    if (view.writable && props.locked !== true) setDraft({ ...kept, resolving: null });
  });
  useEffect(() => {
    if (draft !== null || !focusBack.current) return;
    focusBack.current = false;
    opener.current?.focus();
  }, [draft]);

  const label = props.label ?? fieldLabel(say, field);
  const writable = view.writable && props.locked !== true;
  const open = (value: ValueOf<F> | null, resolving: readonly number[] | null): void => {
    setTried(false);
    setDraft({ value: shape.begin(value), base: record.base(at), seen: view.rev, resolving });
  };
  // A refused value comes back as an open editor: it is the person's, and nobody else has it.
  const refusedValue = view.refused === null ? undefined : view.refused.entry.op.kind === "set" || view.refused.entry.op.kind === "resolve" ? view.refused.entry.op.value : undefined;
  if (view.refused !== null && draft === null && writable && view.state !== "conflict") open(read(field, refusedValue ?? null), null);

  const end = (): void => {
    focusBack.current = true;
    setDraft(null);
    props.opened?.onEnd();
  };
  const cancel = (): void => {
    if (view.refused !== null) record.dismiss(view.refused.entry.edit);
    end();
  };
  const done = (event: FormEvent): void => {
    event.preventDefault();
    if (draft === null) return;
    const finished = shape.finish(draft.value);
    if (finished === "unfinished") return setTried(true);
    if (draft.resolving !== null && view.state === "conflict") record.resolve(at, draft.resolving, finished.value);
    else if (view.refused !== null || JSON.stringify(finished.value) !== JSON.stringify(view.value)) record.set(at, finished.value, draft.base);
    end();
  };
  const keys = useKeys<HTMLFormElement>((event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    cancel();
  });

  if (view.state === "conflict" && (draft === null || draft.resolving === null)) {
    return (
      <Marks field={field} row={row} view={view} label={label} labelled={props.bare === true}>
        <ConflictCard
          field={field} row={row} label={label} view={view} wording={wording} writable={writable}
          {...(draft === null ? {} : { mine: say("plan.strip.conflict") })}
          onOther={() => {
            const shown = view.candidates.map(({ rev }) => rev);
            // What was being typed goes on as the other value.
            if (draft !== null) setDraft({ ...draft, resolving: shown });
            else open(read(field, refusedValue ?? null), shown);
          }}
        />
      </Marks>
    );
  }
  if (draft === null) {
    const shown = view.value === null ? null : props.show?.(view.value) ?? words(field, view.value, wording);
    const nothing = props.empty ?? say("plan.not_stated");
    return (
      <Marks field={field} row={row} view={view} label={label} labelled={props.bare === true}>
        {writable
          ? (
            <button ref={opener} type="button" className={style["open"]} onClick={() => open(view.value, null)}>
              <span className="unseen">{view.value === null ? say("plan.add_value", { what: label }) : say("plan.edit", { what: label })}: </span>
              <span className={shown === null ? style["nothing"] : style["value"]}>{shown ?? nothing}</span>
              {shown === null ? <Plus size={18} aria-hidden /> : <Pencil size={18} aria-hidden />}
            </button>
          )
          : <div className={style["read"]}>{shown ?? <span className={style["nothing"]}>{nothing}</span>}</div>}
      </Marks>
    );
  }
  const theirs = view.state !== "conflict" && view.rev !== draft.seen && view.by !== null && !(view.by.kind === "seat" && view.by.seat === seat);
  return (
    <Marks field={field} row={row} view={view} label={label} labelled={props.bare === true} refused={view.refused !== null}>
      {theirs && (
        <Strip
          view={view} value={words(field, view.value, wording)}
          onTheirs={end} onMine={() => setDraft({ ...draft, base: record.base(at), seen: view.rev, resolving: null })}
        />
      )}
      {view.refused !== null && (
        <p role="alert" className={style["refusal"]}>
          <span>{say(`plan.refused.${view.refused.code}`)}</span>
          {view.value !== null && <span>{say("plan.stands_now", { value: words(field, view.value, wording) })}</span>}
        </p>
      )}
      <form ref={keys} className={style["form"]} aria-label={label} noValidate onSubmit={done}>
        <Focused>{shape.form({ draft: draft.value, change: (value) => setDraft({ ...draft, value }), tried })}</Focused>
        <div className={style["actions"]}>
          <Button type="submit" kind="primary">{say("plan.done")}</Button>
          <Button kind="quiet" onClick={cancel}>{say("plan.cancel")}</Button>
        </div>
      </form>
    </Marks>
  );
}

/** Puts the focus into the first box of what appears. */
export function Focused({ children }: { readonly children: ReactNode }) {
  const frame = useRef<HTMLDivElement>(null);
  useEffect(() => {
    frame.current?.querySelector<HTMLElement>("input, select, textarea")?.focus();
  }, []);
  return <div ref={frame} className={style["boxes"]}>{children}</div>;
}

/** Above an open editor: somebody changed the same value. */
export function Strip<F extends RegisterName>(props: {
  readonly view: RegisterView<F>;
  readonly value: string;
  readonly onTheirs: () => void;
  readonly onMine: () => void;
}) {
  const { say } = useLanguage();
  const names = useNames();
  return (
    <div role="status" className={style["strip"]}>
      <p>{say("plan.strip", { name: props.view.by === null ? say("plan.somebody") : names.short(props.view.by), value: props.value })}</p>
      <div className={style["actions"]}>
        <Button onClick={props.onTheirs}>{say("plan.use_theirs")}</Button>
        <Button onClick={props.onMine}>{say("plan.keep_mine")}</Button>
      </div>
    </div>
  );
}

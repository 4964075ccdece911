/** Registers of one box: a line, a choice, a choice that sometimes asks why. */
import { useMemo, useRef, useState, type KeyboardEvent } from "react";
import { useLanguage } from "../i18n";
import type { Base, RowId } from "../wire";
import { classes } from "../ui/classes";
import { Select } from "../ui/Field";
import { address, type RegisterName, type ValueOf } from "./fold";
import { fieldLabel, useRegister, useScene, type RegisterView } from "./context";
import { RegisterEditor, Strip, useOpenMark, useWording, type Shape } from "./Editor";
import { GrowField } from "./GrowField";
import { Marks } from "./Marks";
import { useKeptDraft } from "./drafts";
import { READ_BY_PATIENT, ReadingHint } from "./ReadingHint";
import { words } from "./words";
import editor from "./Editor.module.css";

/** Registers that hold a plain line. */
export type LineName = "meds.indication" | "meds.prescriber" | "meds.as_taken" | "problems.plain_text";

/** What the server takes of a line, in UTF-16 units. */
const LINE_MOST: Record<LineName, number> = { "meds.indication": 400, "meds.prescriber": 400, "meds.as_taken": 400, "problems.plain_text": 200 };

const line = (label: string, most: number): Shape<string, string> => ({
  begin: (value) => value ?? "",
  finish: (draft) => ({ value: draft.trim() }),
  form: ({ draft, change }) => <GrowField label={label} value={draft} most={most} onChange={change} />,
});

const isText = (value: unknown): value is string => typeof value === "string";

/** Sent at Enter and on leaving the box; Esc gives back what stood there. */
export function LineField(props: { readonly field: LineName; readonly row: RowId; readonly label?: string; readonly hint?: string }) {
  const { field, row } = props;
  const { record, seat } = useScene();
  const { say } = useLanguage();
  const wording = useWording();
  const view = useRegister(field, row);
  const at = address(field, row);
  const label = props.label ?? fieldLabel(say, field);
  const [draft, setDraft] = useState<{ readonly text: string; readonly base: Base; readonly seen: number } | null>(null);
  const frame = useRef<HTMLDivElement>(null);
  const [focused, setFocused] = useState(false);
  // Words of an earlier page come back as an open editor: in the box they would look like what everybody sees.
  const [left, setLeft] = useState(false);
  useOpenMark(field, row, focused && view.writable);
  const kept = useMemo(() => (draft === null ? null : { value: draft.text, base: draft.base, seen: draft.seen }), [draft]);
  useKeptDraft(field, row, kept, isText, ({ value, base, seen }) => {
    setDraft({ text: value, base, seen });
    setLeft(true);
  });

  if (view.state === "conflict" || view.refused !== null || (left && draft !== null && view.writable)) {
    const shape = line(label, LINE_MOST[field]);
    const opened = draft === null ? {} : { opened: { draft: draft.text, onEnd: () => {
      setDraft(null);
      setLeft(false);
    } } };
    return <RegisterEditor field={field} row={row} shape={shape} label={label} {...opened} />;
  }
  if (!view.writable) {
    return (
      <Marks field={field} row={row} view={view} label={label}>
        <div className={editor["read"]}>{view.value === null ? <span className={editor["nothing"]}>{say("plan.not_stated")}</span> : words(field, view.value, wording)}</div>
      </Marks>
    );
  }
  const commit = (): void => {
    if (draft === null) return;
    const text = draft.text.trim();
    if (text !== (view.value ?? "")) record.set(at, text, draft.base);
    setDraft(null);
  };
  const keys = (event: KeyboardEvent): void => {
    if (event.key !== "Escape" || draft === null) return;
    event.stopPropagation();
    setDraft(null);
  };
  const theirs = draft !== null && view.rev !== draft.seen && view.by !== null && !(view.by.kind === "seat" && view.by.seat === seat);
  return (
    <Marks field={field} row={row} view={view} label={label} labelled>
      {theirs && (
        <div ref={frame}>
          <Strip
            view={view} value={words(field, view.value, wording)} onTheirs={() => setDraft(null)}
            onMine={() => setDraft({ ...draft, base: record.base(at), seen: view.rev })}
          />
        </div>
      )}
      <GrowField
        label={label} hint={props.hint} value={draft?.text ?? view.value ?? ""} most={LINE_MOST[field]} onEnter={commit}
        onFocus={() => setFocused(true)}
        onChange={(text) => {
          setDraft((before) => (before === null ? { text, base: record.base(at), seen: view.rev } : { ...before, text }));
        }}
        onBlur={(event) => {
          setFocused(false);
          // Going up to the strip is not the end of typing.
          if (frame.current?.contains(event.relatedTarget) !== true) commit();
        }}
        onKeyDown={keys}
      />
      {READ_BY_PATIENT.has(field) && <ReadingHint text={draft?.text ?? view.value ?? ""} />}
    </Marks>
  );
}

/** A choice acts at once. */
export function Choice<F extends RegisterName>(props: {
  readonly field: F;
  readonly row?: RowId | undefined;
  readonly label?: string;
  /** Each possible value and its key in the list. */
  readonly options: readonly { readonly key: string; readonly words: string; readonly value: ValueOf<F> }[];
  readonly keyOf: (value: ValueOf<F>) => string;
  /** Values that need a word of why, before or after they are set. */
  readonly asks?: (value: ValueOf<F>) => boolean;
  readonly shape?: Shape<ValueOf<F>, ValueOf<F> | null>;
  readonly locked?: boolean;
  readonly bare?: boolean;
  readonly empty?: string;
  readonly className?: string | undefined;
}) {
  const { field, row } = props;
  const { record } = useScene();
  const { say } = useLanguage();
  const wording = useWording();
  const view: RegisterView<F> = useRegister(field, row);
  const [asking, setAsking] = useState<ValueOf<F> | null>(null);
  const label = props.label ?? fieldLabel(say, field);
  const shape = props.shape ?? chosen(props.options, props.keyOf, label);
  if (asking !== null) {
    return <RegisterEditor field={field} row={row} shape={shape} label={label} opened={{ draft: asking, onEnd: () => setAsking(null) }} />;
  }
  if (view.state === "conflict" || view.refused !== null) return <RegisterEditor field={field} row={row} shape={shape} label={label} />;
  if (!view.writable || props.locked === true) {
    return (
      <Marks field={field} row={row} view={view} label={label} className={props.className}>
        <div className={editor["read"]}>{view.value === null ? <span className={editor["nothing"]}>{props.empty ?? say("plan.not_stated")}</span> : words(field, view.value, wording)}</div>
      </Marks>
    );
  }
  const pick = (key: string): void => {
    const option = props.options.find((one) => one.key === key);
    if (option === undefined) return;
    if (props.asks?.(option.value) === true) setAsking(option.value);
    else record.set(address(field, row), option.value);
  };
  const { value } = view;
  const detail = value !== null && props.asks?.(value) === true;
  return (
    <Marks field={field} row={row} view={view} label={label} labelled className={props.className}>
      <Select
        label={label} value={value === null ? "" : props.keyOf(value)} className={classes(props.bare === true && editor["bare"])}
        onChange={(event) => pick(event.currentTarget.value)}
      >
        {value === null && <option value="" disabled>{props.empty ?? say("plan.none_chosen")}</option>}
        {props.options.map((option) => <option key={option.key} value={option.key}>{option.words}</option>)}
      </Select>
      {detail && (
        <button type="button" className={editor["detail"]} onClick={() => setAsking(value)}>
          <span className="unseen">{say("plan.edit", { what: label })}: </span>{words(field, value, wording)}
        </button>
      )}
    </Marks>
  );
}

/** The form of a plain choice, for conflicts and refusals. */
function chosen<F extends RegisterName>(
  options: readonly { readonly key: string; readonly words: string; readonly value: ValueOf<F> }[], keyOf: (value: ValueOf<F>) => string, label: string,
): Shape<ValueOf<F>, ValueOf<F> | null> {
  return {
    begin: (value) => value,
    finish: (draft) => (draft === null ? "unfinished" : { value: draft }),
    form: ({ draft, change }) => (
      <Select
        label={label} value={draft === null ? "" : keyOf(draft)}
        onChange={(event) => {
          const option = options.find(({ key }) => key === event.currentTarget.value);
          if (option !== undefined) change(option.value);
        }}
      >
        {draft === null && <option value="" disabled>–</option>}
        {options.map((option) => <option key={option.key} value={option.key}>{option.words}</option>)}
      </Select>
    ),
  };
}

/** The area of a narrative field. React draws it once; from then on its text is the binding's. */
import { useCallback, useEffect, useId, useMemo, useRef, useState, useSyncExternalStore, type ClipboardEvent } from "react";
import { useLanguage } from "../i18n";
import { FIELDS, type FieldName, type RowId } from "../wire";
import { address, keyOf } from "./fold";
import { useNames, useRecordSlice, useScene } from "./context";
import { READ_BY_PATIENT, ReadingHint } from "./ReadingHint";
import { bind } from "./textarea";
import { narrative } from "./text";
import { drawTwin, FLAG_MS } from "./twin";
import { PLAIN } from "./plain";
import { sameItems } from "./store";
import editor from "./Editor.module.css";
import style from "./NarrativeText.module.css";

/** Share of the limit from which the rest is counted. */
const COUNT_FROM = 0.8;

export function NarrativeArea(props: {
  readonly field: FieldName;
  readonly row: RowId | undefined;
  readonly writable: boolean;
  readonly labelId: string;
  readonly describedBy: string | undefined;
  readonly fresh: boolean;
}) {
  const { record } = useScene();
  const at = useMemo(() => address(props.field, props.row), [props.field, props.row]);
  const text = useMemo(() => narrative(record, at), [record, at]);
  const words = useSyncExternalStore(useCallback((changed: () => void) => text.onChange(changed), [text]), text.read);
  const { say } = useLanguage();
  return props.writable
    ? <><Writable {...props} at={at} text={text} length={words.length} />{READ_BY_PATIENT.has(props.field) && <ReadingHint text={words} />}</>
    : <p className={editor["read"]} aria-labelledby={props.labelId}>{words === "" ? <span className={editor["nothing"]}>{say("plan.nothing_yet")}</span> : words}</p>;
}

function Writable(props: {
  readonly field: FieldName;
  readonly at: ReturnType<typeof address>;
  readonly text: ReturnType<typeof narrative>;
  readonly length: number;
  readonly labelId: string;
  readonly describedBy: string | undefined;
  readonly fresh: boolean;
}) {
  const { at, text } = props;
  const { kind, limit } = { kind: FIELDS[props.field].doc, limit: FIELDS[props.field].limit };
  const { record, seat, roster } = useScene();
  const { say } = useLanguage();
  const names = useNames();
  const area = useRef<HTMLTextAreaElement>(null);
  const twin = useRef<HTMLDivElement>(null);
  const id = useId();
  const [refusedPaste, setRefusedPaste] = useState<number | null>(null);
  const key = keyOf(at);
  const carets = useRecordSlice((state) => [...state.carets]
    .filter(([other, { caret }]) => other !== seat && caret.head !== null && keyOf(caret.at) === key && roster.some((one) => one.seat === other))
    .flat(), sameItems);

  const redraw = useRef<() => void>(() => {});
  useEffect(() => {
    redraw.current = () => {
      if (twin.current === null || area.current === null) return;
      const all = [...record.get().carets].flatMap(([other, { caret, movedAt }]) => {
        if (other === seat || caret.head === null || keyOf(caret.at) !== key || !roster.some((one) => one.seat === other)) return [];
        const position = text.place(caret.head);
        return position === null ? [] : [{ position, name: names.seat(other), colour: names.colour(other), fresh: performance.now() - movedAt < FLAG_MS }];
      });
      drawTwin(twin.current, area.current.value, all);
    };
    redraw.current();
    const timer = setTimeout(() => redraw.current(), FLAG_MS);
    return () => clearTimeout(timer);
  }, [carets, names, record, roster, seat, key, text]);

  useEffect(() => {
    const element = area.current;
    if (element === null) return;
    const unbind = bind(element, text, () => redraw.current());
    const selection = (): void => {
      if (document.activeElement === element) record.setCaret(kind, text.caret(element.selectionStart, element.selectionEnd));
    };
    const left = (): void => {
      text.flush();
      record.setCaret(kind, null);
    };
    document.addEventListener("selectionchange", selection);
    element.addEventListener("blur", left);
    return () => {
      text.flush();
      unbind();
      document.removeEventListener("selectionchange", selection);
      element.removeEventListener("blur", left);
      if (document.activeElement === element) record.setCaret(kind, null);
    };
  }, [text, record, kind]);

  useEffect(() => {
    if (props.fresh) area.current?.focus();
  }, [props.fresh]);

  const paste = (event: ClipboardEvent<HTMLTextAreaElement>): void => {
    const element = event.currentTarget;
    const count = element.value.length - (element.selectionEnd - element.selectionStart) + event.clipboardData.getData("text/plain").length;
    if (count > limit) event.preventDefault(); // refused whole: a text cut somewhere is worse than none
    setRefusedPaste(count > limit ? count : null);
  };
  const left = limit - props.length;
  return (
    <>
      <div className={style["grow"]}>
        <textarea
          ref={area} className={style["area"]} rows={1} maxLength={limit} {...PLAIN} autoCapitalize="sentences"
          aria-labelledby={props.labelId} aria-describedby={[props.describedBy, `${id}-left`].filter(Boolean).join(" ")}
          onPaste={paste} onInput={refusedPaste === null ? undefined : () => setRefusedPaste(null)}
        />
        <div ref={twin} className={style["twin"]} aria-hidden />
      </div>
      <p id={`${id}-left`} className={left < 0 ? style["over"] : style["left"]}>
        {refusedPaste !== null ? say("plan.text.too_much", { limit, count: refusedPaste })
          : props.length >= limit * COUNT_FROM ? say("plan.text.left", { left: Math.max(0, left) }) : null}
      </p>
    </>
  );
}

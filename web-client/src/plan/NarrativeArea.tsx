/** The area of a narrative field. React draws it once; from then on its text is the binding's. */
import { useCallback, useEffect, useId, useMemo, useRef, useState, useSyncExternalStore, type ClipboardEvent } from "react";
import { useLanguage } from "../i18n";
import { FIELDS, type FieldName, type RowId, type SeatId } from "../wire";
import { address, keyOf } from "./fold";
import { TEXTS, useNames, useScene } from "./context";
import { READ_BY_PATIENT, ReadingHint } from "./ReadingHint";
import type { RemoteCaret } from "./state";
import { bind } from "./textarea";
import { narrative, type NarrativeDoc } from "./text";
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
  return props.writable
    ? <><Writable {...props} at={at} text={text} />{READ_BY_PATIENT.has(props.field) && <Hint text={text} />}</>
    : <Read text={text} labelId={props.labelId} />;
}

/** What a part needs of the words: it is drawn again only when that is another, not with each letter. */
function useWords<T extends string | number | null>(text: NarrativeDoc, select: (words: string) => T): T {
  return useSyncExternalStore(useCallback((changed: () => void) => text.onChange(changed), [text]), () => select(text.read()));
}

const all = (words: string): string => words;

function Hint({ text }: { readonly text: NarrativeDoc }) {
  return <ReadingHint text={useWords(text, all)} />;
}

function Read({ text, labelId }: { readonly text: NarrativeDoc; readonly labelId: string }) {
  const { say } = useLanguage();
  const words = useWords(text, all);
  return <p className={editor["read"]} aria-labelledby={labelId}>{words === "" ? <span className={editor["nothing"]}>{say("plan.nothing_yet")}</span> : words}</p>;
}

function Writable(props: {
  readonly field: FieldName;
  readonly at: ReturnType<typeof address>;
  readonly text: NarrativeDoc;
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
  const left = useWords(text, (words) => (words.length < limit * COUNT_FROM ? null : limit - words.length));

  // Carets come ten times a second from each person who types: they are drawn past React.
  const redraw = useRef<() => void>(() => {});
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const here = (): readonly (readonly [SeatId, RemoteCaret])[] => [...record.get().carets]
      .filter(([other, { caret }]) => other !== seat && caret.head !== null && keyOf(caret.at) === key && roster.some((one) => one.seat === other));
    const placed = new Map<SeatId, number>();
    let drawn = here();
    const draw = (): void => {
      if (twin.current === null || area.current === null) return;
      drawTwin(twin.current, area.current.value, drawn.flatMap(([other, { caret, movedAt }]) => {
        // A caret is told before the letter it stands behind is stored: until that comes it stays where it was.
        const position = (caret.head === null ? null : text.place(caret.head)) ?? placed.get(other);
        if (position === undefined) return [];
        placed.set(other, position);
        return [{ position, name: names.seat(other), colour: names.colour(other), fresh: performance.now() - movedAt < FLAG_MS }];
      }));
    };
    redraw.current = draw;
    const look = (): void => {
      const now = here();
      if (sameItems(now.flat(), drawn.flat())) return;
      drawn = now;
      draw();
      clearTimeout(timer);
      timer = setTimeout(draw, FLAG_MS);
    };
    draw();
    timer = setTimeout(draw, FLAG_MS);
    const stop = record.subscribe(look);
    return () => {
      stop();
      clearTimeout(timer);
    };
  }, [names, record, roster, seat, key, text]);

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
  return (
    <>
      <div className={style["grow"]}>
        <textarea
          form={TEXTS} ref={area} className={style["area"]} rows={1} maxLength={limit} {...PLAIN} autoCapitalize="sentences"
          aria-labelledby={props.labelId} aria-describedby={[props.describedBy, `${id}-left`].filter(Boolean).join(" ")}
          onPaste={paste} onInput={refusedPaste === null ? undefined : () => setRefusedPaste(null)}
        />
        <div ref={twin} className={style["twin"]} aria-hidden />
      </div>
      <p id={`${id}-left`} className={left !== null && left < 0 ? style["over"] : style["left"]}>
        {refusedPaste !== null ? say("plan.text.too_much", { limit, count: refusedPaste })
          : left !== null ? say("plan.text.left", { left: Math.max(0, left) }) : null}
      </p>
    </>
  );
}

/**
 * A medicine in one line, by keyboard alone: typed, looked at as it will be stored, Enter. The line stays open for the
 * next one; boxes are there for who prefers them.
 */
import { Plus } from "lucide-react";
import { useEffect, useId, useRef, useState, type FormEvent, type KeyboardEvent } from "react";
import { useLanguage } from "../../i18n";
import type { MedicationKind } from "../../wire";
import { announce } from "../../ui/Announcer";
import { Button } from "../../ui/Button";
import { Field, Select } from "../../ui/Field";
import { useCanEditRows, useCanWrite, useFieldSlice, useScene } from "../context";
import { KINDS, ProductBoxes, productOf, type ProductDraft } from "../forms/collect";
import { picked } from "../forms/sig";
import { useKeys } from "../keys";
import { PLAIN } from "../plain";
import { AddRow, type Values } from "../rows";
import { readLine, suggestions, TEXT_MOST, withSuggestion, type ReadLine } from "../sigline";
import { composeSig } from "../words";
import editor from "../Editor.module.css";
import style from "./AddMedicine.module.css";

/** Name, strength, instruction and purpose at their longest. */
const LINE_MOST = 800;

type Open = "no" | "line" | "boxes";

export function AddMedicine() {
  const { say } = useLanguage();
  const [open, setOpen] = useState<Open>("no");
  const opener = useRef<HTMLButtonElement>(null);
  const back = useRef(false);
  const allowed = useCanEditRows("meds");
  const begin = useFirstValues();
  useEffect(() => {
    if (open !== "no" || !back.current) return;
    back.current = false;
    opener.current?.focus();
  }, [open]);
  if (!allowed) return null;
  const end = (): void => {
    back.current = true;
    setOpen("no");
  };
  if (open === "line") return <Line begin={begin} onBoxes={() => setOpen("boxes")} onEnd={end} />;
  if (open === "boxes") return <Boxes begin={begin} onEnd={end} />;
  return <Button ref={opener} data-add="meds" className={style["add"]} icon={<Plus size={20} aria-hidden />} onClick={() => setOpen("line")}>{say("plan.add.meds")}</Button>;
}

/** What a new medicine begins with, as far as this seat may say it. */
function useFirstValues(): (kind: MedicationKind) => Values {
  const kinds = useCanWrite("meds.kind");
  const status = useCanWrite("meds.status");
  const verify = useCanWrite("meds.verify");
  return (kind) => ({
    ...(status ? { "meds.status": { state: "active" } } : {}), ...(verify ? { "meds.verify": { state: "unverified" } } : {}), ...(kinds ? { "meds.kind": kind } : {}),
  });
}

interface Part {
  readonly begin: (kind: MedicationKind) => Values;
  readonly onEnd: () => void;
}

function Line({ begin, onBoxes, onEnd }: Part & { readonly onBoxes: () => void }) {
  const { record } = useScene();
  const { say } = useLanguage();
  const id = useId();
  const box = useRef<HTMLInputElement>(null);
  const last = useFieldSlice((state) => state.docs.get("plan")?.shown.lists.get("meds")?.at(-1) ?? null);
  const [text, setText] = useState("");
  const [tried, setTried] = useState(false);
  const [marked, setMarked] = useState(-1);
  const [shut, setShut] = useState(false);
  const read = readLine(text);
  const offered = shut ? [] : suggestions(text);
  const tooLong = (read.sig?.text.length ?? 0) > TEXT_MOST;
  useEffect(() => box.current?.focus(), []);
  // The preview is what the reader decides by: it must not stand below the screen.
  const named = read.product !== null;
  useEffect(() => {
    box.current?.form?.scrollIntoView({ block: "nearest" }); // newer browsers answer with a promise, which is no undoing
  }, [named, offered.length]);

  const type = (next: string): void => {
    setText(next);
    setMarked(-1);
    setShut(false);
    setTried(false);
  };
  const add = (event: FormEvent): void => {
    event.preventDefault();
    if (read.product === null || tooLong) return setTried(true);
    record.add("meds", last, {
      "meds.product": read.product, ...(read.sig === null ? {} : { "meds.sig": read.sig }), ...(read.indication === "" ? {} : { "meds.indication": read.indication }),
      ...begin(read.overTheCounter ? "otc" : "rx"),
    });
    announce("polite", `added ${text} ${Date.now()}`, say("plan.line.added", { what: [read.product.name, read.product.strength_form].filter(Boolean).join(" ") }));
    type("");
    box.current?.focus();
  };
  const take = (suggestion: string): void => {
    type(withSuggestion(text, suggestion));
    setShut(true);
    box.current?.focus();
  };
  const keys = (event: KeyboardEvent<HTMLInputElement>): void => {
    if (event.nativeEvent.isComposing) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined && offered.length > 0) {
      event.preventDefault();
      // One place more than there are suggestions: the line itself.
      setMarked((marked + 1 + step + offered.length + 1) % (offered.length + 1) - 1);
      return;
    }
    const chosen = offered[marked];
    if (chosen !== undefined && (event.key === "Enter" || event.key === "Tab")) {
      event.preventDefault();
      take(chosen);
    }
  };
  const escape = useKeys<HTMLFormElement>((event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    if (offered.length > 0 && marked >= 0) setMarked(-1);
    else onEnd();
  });
  return (
    <form ref={escape} data-adding="meds" className={editor["form"]} aria-label={say("plan.add.meds")} noValidate onSubmit={add}>
      <Field
        ref={box} label={say("plan.line.label")} hint={text === "" ? say("plan.line.hint") : undefined} value={text} maxLength={LINE_MOST} {...PLAIN} autoCapitalize="none"
        role="combobox" aria-expanded={offered.length > 0} aria-controls={`${id}-offered`} aria-autocomplete="list" aria-activedescendant={marked < 0 ? undefined : `${id}-${marked}`}
        problem={tried && read.product === null ? say("plan.line.needed") : tooLong ? say("plan.refused.too_long") : undefined}
        onChange={(event) => type(event.currentTarget.value)} onKeyDown={keys}
      />
      <div id={`${id}-offered`} role="listbox" aria-label={say("plan.line.suggestions")} className={style["offered"]} hidden={offered.length === 0}>
        {offered.map((one, index) => (
          <div
            key={one} id={`${id}-${index}`} role="option" aria-selected={index === marked} className={style["one"]}
            onPointerDown={(event) => {
              event.preventDefault(); // the focus stays in the line
              take(one);
            }}
          >
            {one}
          </div>
        ))}
      </div>
      {read.product !== null && <Preview read={read} />}
      <div className={editor["actions"]}>
        <Button type="submit" kind="primary">{say("plan.line.add")}</Button>
        <Button onClick={onBoxes}>{say("plan.line.boxes")}</Button>
        <Button kind="quiet" onClick={onEnd}>{say("plan.line.end")}</Button>
      </div>
    </form>
  );
}

/** What Enter stores, box by box: nothing else. */
function Preview({ read }: { readonly read: ReadLine }) {
  const { say } = useLanguage();
  const { product, sig, indication, left, respelt } = read;
  const structure = sig === null ? "" : composeSig(sig, say);
  return (
    <dl className={style["preview"]} aria-label={say("plan.line.preview")}>
      <dt>{say("plan.field.meds.product")}</dt>
      <dd><bdi translate="no"><strong>{product?.name}</strong> {product?.strength_form}</bdi>{read.overTheCounter && `, ${say("plan.med.kind.otc")}`}</dd>
      <dt>{say("plan.field.meds.sig")}</dt>
      <dd>{sig === null ? <span className={editor["nothing"]}>{say("plan.not_stated")}</span> : sig.text}</dd>
      {structure !== "" && <><dt>{say("plan.line.structure")}</dt><dd>{structure}</dd></>}
      {indication !== "" && <><dt>{say("plan.field.meds.indication")}</dt><dd>{indication}</dd></>}
      {left.length > 0 && <><dt>{say("plan.line.words_only")}</dt><dd className={style["left"]}>{say("plan.line.left", { what: left })}</dd></>}
      {respelt.length > 0 && <><dt>{say("plan.line.respelt")}</dt><dd>{respelt.map(({ typed, written }) => say("plan.line.respelt_one", { typed, written })).join(", ")}</dd></>}
    </dl>
  );
}

function Boxes({ begin, onEnd }: Part) {
  const { say } = useLanguage();
  const draft: { readonly product: ProductDraft; readonly kind: MedicationKind } = { product: { name: "", strength: "", from: null }, kind: "rx" };
  return (
    <AddRow<typeof draft>
      list="meds" begin={() => draft} opened={{ draft, onEnd }}
      finish={({ product, kind }) => {
        const value = productOf(product);
        return value === null ? "unfinished" : { value: { "meds.product": value, ...begin(kind) } };
      }}
      form={({ draft: now, change, tried }) => (
        <>
          <ProductBoxes draft={now.product} tried={tried} change={(product) => change({ ...now, product })} />
          <Select label={say("plan.field.meds.kind")} value={now.kind} onChange={(event) => change({ ...now, kind: picked(KINDS, event.currentTarget.value) })}>
            {KINDS.map((kind) => <option key={kind} value={kind}>{say(`plan.med.kind.${kind}`)}</option>)}
          </Select>
        </>
      )}
    />
  );
}

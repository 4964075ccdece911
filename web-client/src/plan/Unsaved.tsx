/** What no field can show any more: it stands here with where it came from, until a person takes it away. */
import { Copy } from "lucide-react";
import { useState } from "react";
import { useLanguage } from "../i18n";
import { Button } from "../ui/Button";
import type { FieldValues } from "../wire";
import { fieldLabel, useRowNames, useRecordSlice, useScene } from "./context";
import { useWording } from "./Editor";
import { read, type RegisterName } from "./fold";
import type { Refused } from "./record";
import { sameItems } from "./store";
import { words, type Wording } from "./words";
import style from "./Unsaved.module.css";

export function Unsaved() {
  const { say } = useLanguage();
  const boxed = useRecordSlice((state) => state.refused.filter(({ place }) => place === "box"), sameItems);
  if (boxed.length === 0) return null;
  return (
    <section aria-label={say("plan.unsaved.title")} className={style["box"]}>
      <h3 className={style["title"]}>{say("plan.unsaved.title")}</h3>
      <p>{say("plan.unsaved.words")}</p>
      <ul className={style["list"]}>{boxed.map((one) => <Item key={one.entry.edit} refused={one} />)}</ul>
    </section>
  );
}

function Item({ refused }: { readonly refused: Refused }) {
  const { record } = useScene();
  const { say } = useLanguage();
  const wording = useWording();
  const medicine = useRowNames();
  const [copied, setCopied] = useState(false);
  const { op } = refused.entry;
  const text = typed(refused, wording);
  const where = "at" in op ? fieldLabel(say, op.at.field) : op.kind === "add" ? say(`plan.add.${op.list}`) : say("plan.field.presence");
  const row = "at" in op && op.at.row !== undefined && op.at.field.startsWith("meds.") ? medicine(op.at.row) : null;
  return (
    <li className={style["item"]}>
      <p className={style["where"]}>{row === null ? where : `${where}, ${row}`}</p>
      {text !== "" && <p className={style["words"]}>{text}</p>}
      <p className={style["why"]}>{say(`plan.refused.${refused.code}`)}</p>
      <div className={style["actions"]}>
        {text !== "" && (
          <Button icon={<Copy size={18} aria-hidden />} onClick={() => void navigator.clipboard.writeText(text).then(() => setCopied(true))}>
            {say(copied ? "plan.unsaved.copied" : "plan.unsaved.copy")}
          </Button>
        )}
        <Button kind="quiet" onClick={() => record.dismiss(refused.entry.edit)}>{say("plan.unsaved.away")}</Button>
      </div>
    </li>
  );
}

/** An edit in words a person can use again. */
export function typed({ entry }: Pick<Refused, "entry">, wording: Wording): string {
  const { op } = entry;
  switch (op.kind) {
    case "text":
      return entry.words ?? "";
    case "set":
    case "resolve":
      return valueWords(op.at.field, op.value, wording);
    case "add":
      return Object.entries(op.values).map(([field, value]) => valueWords(field, value, wording)).join("; ");
    case "tombstone":
      return op.reason;
    case "restore":
    case "move":
    case "reviewed":
      return "";
    default:
      return op satisfies never;
  }
}

function valueWords(field: string, value: unknown, wording: Wording): string {
  const name = field as RegisterName;
  return words(name, read(name, value) as NonNullable<FieldValues[RegisterName]> | null, wording);
}

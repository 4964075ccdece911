/** What surrounds a field: its label, who is in it, that it is on its way, that somebody just changed it. */
import { useId, useState, type ReactNode } from "react";
import { useLanguage } from "../i18n";
import type { Author, FieldName, RowId } from "../wire";
import { classes } from "../ui/classes";
import { History } from "lucide-react";
import { IconButton } from "../ui/Button";
import { address, keyOf } from "./fold";
import { useEditing, useNames, useScene } from "./context";
import { useHistory } from "./historyContext";
import { spot } from "./jump";
import { personClass } from "./person";
import style from "./Marks.module.css";

export interface Marked {
  readonly rev: number;
  readonly by: Author | null;
  /** Not on the server yet; it shows after a second, or at once if that second is over. */
  readonly pending: boolean | "late";
}

/** Whether somebody else changed it since the reader was here; `null` after it was looked at. */
function useTouched({ rev, by }: Marked): [number | null, () => void] {
  const { seat } = useScene();
  const [last, setLast] = useState(rev);
  const [touched, setTouched] = useState<number | null>(null);
  if (rev !== last) {
    setLast(rev);
    if (by !== null && by.kind === "seat" && by.seat !== seat) setTouched(rev);
  }
  return [touched, () => setTouched(null)];
}

/** `labelled`: the children carry the label themselves. */
export function Marks(props: {
  readonly field: FieldName;
  readonly row?: RowId | undefined;
  readonly view: Marked;
  readonly label?: string | undefined;
  readonly labelled?: boolean;
  readonly refused?: boolean;
  readonly className?: string | undefined;
  readonly children: ReactNode | ((labelId: string, describedBy: string | undefined) => ReactNode);
}) {
  const { say } = useLanguage();
  const names = useNames();
  const id = useId();
  const editing = useEditing(keyOf(address(props.field, props.row)));
  const [touched, looked] = useTouched(props.view);
  const [inside, setInside] = useState(false);
  const history = useHistory();
  const label = props.label ?? say(`plan.field.${props.field}`);
  const first = editing[0];
  const notes = [editing.length > 0 && `${id}-editing`, props.view.pending !== false && `${id}-pending`].filter((note) => note !== false).join(" ");
  return (
    <div
      data-field={props.field}
      className={classes(
        style["field"], props.view.pending !== false && style["pending"], props.view.pending === "late" && style["late"], props.refused === true && style["refused"],
        touched !== null && style[touched % 2 === 0 ? "touchedEven" : "touchedOdd"],
        first !== undefined && style["editing"], first !== undefined && personClass(names.colour(first)), props.className,
      )}
      onFocus={() => {
        if (touched !== null) looked();
        setInside(true);
      }}
      onBlur={(event) => setInside(event.currentTarget.contains(event.relatedTarget))}
      {...spot(address(props.field, props.row))}
    >
      {inside && history !== null && (
        <IconButton tabIndex={-1} className={style["history"]} label={say("plan.history.of", { what: label })} onClick={() => history(props.field, props.row)}><History size={16} aria-hidden /></IconButton>
      )}
      {props.labelled !== true && (
        <p id={`${id}-label`} className={style["label"]}>
          {label}
          {touched !== null && <span className={style["dot"]} aria-hidden />}
        </p>
      )}
      {typeof props.children === "function" ? props.children(`${id}-label`, notes === "" ? undefined : notes) : props.children}
      {editing.length > 0 && (
        <p id={`${id}-editing`} className={style["who"]}>{say("plan.editing", { names: editing.map(names.seat) })}</p>
      )}
      {props.view.pending !== false && <span id={`${id}-pending`} className="unseen">{say("plan.pending")}</span>}
    </div>
  );
}

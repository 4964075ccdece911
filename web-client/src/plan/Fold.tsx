/** What is needed seldom stands folded away; that something is in it, or is in doubt, is said on the outside. */
import { ChevronDown, ChevronRight } from "lucide-react";
import { createContext, use, useId, useState, type ReactNode } from "react";
import { useLanguage } from "../i18n";
import { FIELDS, type FieldName, type RowId } from "../wire";
import { useFieldSlice } from "./context";
import { address, keyOf } from "./fold";
import { WantedContext } from "./jump";
import style from "./Fold.module.css";

/** Draws every fold open: for paper, and for the test that every field has a place. */
export const Unfolded = createContext(false);

export function Fold(props: {
  readonly label: string;
  /** Whose row. */
  readonly of?: string;
  readonly row?: RowId | undefined;
  readonly fields: readonly FieldName[];
  readonly children: ReactNode;
  readonly begin?: "open" | "closed";
}) {
  const { say } = useLanguage();
  const id = useId();
  const unfolded = use(Unfolded);
  const [wanted, setWanted] = useState(props.begin === "open");
  const sought = use(WantedContext);
  if (!wanted && sought !== null && props.fields.includes(sought.field) && sought.row === props.row) setWanted(true);
  const filled = useFieldSlice((state) => props.fields.filter((field) => {
    const doc = state.docs.get(FIELDS[field].doc)?.shown;
    const key = keyOf(address(field, props.row));
    const register = doc?.registers.get(key);
    return (register?.state === "value" && register.value !== null && register.value !== false) || doc?.texts.has(key) === true;
  }).length);
  // Two values are never folded away.
  const doubt = useFieldSlice((state) => props.fields.some((field) =>
    state.docs.get(FIELDS[field].doc)?.shown.registers.get(keyOf(address(field, props.row)))?.state === "conflict"));
  const open = wanted || doubt || unfolded;
  return (
    <div className={style["fold"]}>
      <button type="button" aria-expanded={open} aria-controls={id} className={style["button"]} onClick={() => setWanted(!open)}>
        {open ? <ChevronDown size={18} aria-hidden /> : <ChevronRight size={18} aria-hidden />}
        <span>{props.label}</span>
        {props.of !== undefined && <span className="unseen">: {props.of}</span>}
        {!open && filled > 0 && <span className={style["filled"]}>{say("plan.fold.filled", { count: filled })}</span>}
      </button>
      <div id={id} className={style["inside"]} hidden={!open}>{open && props.children}</div>
    </div>
  );
}

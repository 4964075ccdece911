/** A narrative field, several people at once. Its text engine comes with the first one on the screen. */
import { lazy, Suspense, useEffect, useState } from "react";
import { useLanguage } from "../i18n";
import { FIELDS, type FieldName, type RowId } from "../wire";
import { Button } from "../ui/Button";
import { Chip } from "../ui/Chip";
import { TriangleAlert } from "lucide-react";
import { address, keyOf } from "./fold";
import { fieldLabel, useCanWrite, useFieldSlice, useNames, useRecordSlice, useScene } from "./context";
import { Marks } from "./Marks";
import { GRACE_MS } from "./saved";
import editor from "./Editor.module.css";
import style from "./NarrativeText.module.css";

const loading = () => import("./NarrativeArea");
const Area = lazy(async () => ({ default: (await loading()).NarrativeArea }));

/** Fetches the text engine before it is needed: nothing is loaded in the middle of a call. */
export const prepareNarrative = (): Promise<unknown> => loading();

export type TextName = { [F in FieldName]: (typeof FIELDS)[F]["kind"] extends "text" ? F : never }[FieldName];

export function NarrativeText(props: {
  readonly field: TextName;
  readonly row?: RowId | undefined;
  readonly label?: string;
  readonly hint?: string | undefined;
  readonly locked?: boolean;
  /** Takes the focus when it appears: a row just added. */
  readonly fresh?: boolean;
}) {
  const { field, row } = props;
  const { record } = useScene();
  const { say } = useLanguage();
  const names = useNames();
  const key = keyOf(address(field, row));
  const writable = useCanWrite(field) && props.locked !== true;
  const merged = useRecordSlice((state) => state.docs.get(FIELDS[field].doc)?.server.texts.get(key)?.merged);
  const reviewing = useFieldSlice((state) => state.pending.some(({ entry }) => entry.op.kind === "reviewed" && keyOf(entry.op.at) === key));
  const late = useLate(key);
  const label = props.label ?? fieldLabel(say, field);
  // Carets say who types: this is not drawn anew for each letter.
  return (
    <Marks field={field} row={row} view={{ rev: 0, by: null, pending: late ? "late" : false }} label={label}>
      {(labelId, describedBy) => (
        <>
          {props.hint !== undefined && <p className={style["hint"]}>{props.hint}</p>}
          {merged !== undefined && !reviewing && (
            <div className={style["merged"]}>
              <Chip tone="warn" icon={<TriangleAlert size={18} aria-hidden />}>
                {merged.with.length === 0 ? say("plan.merged") : say("plan.merged.with", { names: merged.with.map(names.person) })}
              </Chip>
              {writable && <Button onClick={() => record.reviewed(address(field, row))}>{say("plan.merged.read")}</Button>}
            </div>
          )}
          <Suspense fallback={<div className={editor["read"]}>{say("plan.loading")}</div>}>
            <Area field={field} row={row} writable={writable} labelId={labelId} describedBy={describedBy} fresh={props.fresh === true} />
          </Suspense>
        </>
      )}
    </Marks>
  );
}

/** Whether letters typed here have waited for their answer so long that it is said. Each of them waits a moment: the field is not drawn for that. */
function useLate(key: string): boolean {
  const { record } = useScene();
  const [late, setLate] = useState(false);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = (): void => {
      clearTimeout(timer);
      const first = record.get().pending.find(({ entry }) => entry.op.kind === "text" && keyOf(entry.op.at) === key);
      const wait = first === undefined ? null : first.since + GRACE_MS - performance.now();
      setLate(wait !== null && wait <= 0);
      if (wait !== null && wait > 0) timer = setTimeout(look, wait);
    };
    look();
    const stop = record.subscribe(look);
    return () => {
      stop();
      clearTimeout(timer);
    };
  }, [record, key]);
  return late;
}

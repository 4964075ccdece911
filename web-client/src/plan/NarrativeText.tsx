/** A narrative field, several people at once. Its text engine comes with the first one on the screen. */
import { lazy, Suspense } from "react";
import { useLanguage } from "../i18n";
import { FIELDS, type FieldName, type RowId } from "../wire";
import { Button } from "../ui/Button";
import { Chip } from "../ui/Chip";
import { TriangleAlert } from "lucide-react";
import { address, keyOf } from "./fold";
import { fieldLabel, useCanWrite, useNames, useRecordSlice, useScene } from "./context";
import { Marks } from "./Marks";
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
  const rev = useRecordSlice((state) => state.docs.get(FIELDS[field].doc)?.server.texts.get(key)?.rev ?? 0);
  const merged = useRecordSlice((state) => state.docs.get(FIELDS[field].doc)?.server.texts.get(key)?.merged);
  const reviewing = useRecordSlice((state) => state.pending.some(({ entry }) => entry.op.kind === "reviewed" && keyOf(entry.op.at) === key));
  const pending = useRecordSlice((state) => state.pending.some(({ entry }) => entry.op.kind === "text" && keyOf(entry.op.at) === key));
  const label = props.label ?? fieldLabel(say, field);
  return (
    <Marks field={field} row={row} view={{ rev, by: null, pending }} label={label}>
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

/** Where the edits are, always visible. From acknowledgements only. */
import { CircleCheck, CircleDot, CloudUpload, TriangleAlert } from "lucide-react";
import { useEffect, useId, useRef, useState, type ReactNode } from "react";
import { useLanguage, type Say } from "../i18n";
import { announce, forget } from "../ui/Announcer";
import { classes } from "../ui/classes";
import type { FieldName, Op, RecordId } from "../wire";
import { useKeys } from "./keys";
import type { SharedRecord } from "./record";
import { openRecords } from "./registry";
import { nextTurn, saveState, type SaveState } from "./saved";
import { useSlice } from "./store";
import style from "./SavePill.module.css";

export function SavePill({ record: id }: { readonly record: RecordId }) {
  const record = useSlice(openRecords, (open) => open.get(id)?.record ?? null);
  return record === null ? null : <Pill record={record} />;
}

const ICON: Record<SaveState["kind"], ReactNode> = {
  onServer: <CircleCheck size={18} aria-hidden />,
  saving: <CircleDot size={18} aria-hidden />,
  onThisDevice: <CloudUpload size={18} aria-hidden />,
  notSaved: <TriangleAlert size={18} aria-hidden />,
};

/** The state in words; the patient's side has its own. */
export function caption(say: Say, state: SaveState, patient: boolean): string {
  switch (state.kind) {
    case "onServer": return say(patient ? "patient.saved.on_server" : "plan.saved.on_server");
    case "saving": return say(patient ? "patient.saved.saving" : "plan.saved.saving");
    case "onThisDevice": return patient ? say("patient.saved.on_this_device") : say("plan.saved.on_this_device", { count: state.count });
    case "notSaved": return patient ? say("patient.saved.not_saved") : say("plan.saved.not_saved", { count: state.count });
    default: return state satisfies never;
  }
}

const sameState = (a: SaveState, b: SaveState): boolean => a.kind === b.kind && ("count" in a ? a.count : 0) === ("count" in b ? b.count : 0);

/** The state now, drawn again when it is another, also by time alone. */
export function useSaveState(record: SharedRecord): SaveState {
  const [, tick] = useState(0);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const wait = (): void => {
      clearTimeout(timer);
      const turn = nextTurn(record.facts());
      if (turn === null) return;
      timer = setTimeout(() => {
        tick((count) => count + 1);
        wait();
      }, Math.max(0, turn - performance.now()) + 1);
    };
    wait();
    const stop = record.subscribe(wait);
    return () => {
      stop();
      clearTimeout(timer);
    };
  }, [record]);
  return useSlice(record, () => saveState(record.facts()), sameState);
}

function Pill({ record }: { readonly record: SharedRecord }) {
  const { say } = useLanguage();
  const patient = record.self.role === "patient" || record.self.role === "caregiver";
  const state = useSaveState(record);
  const [listed, setListed] = useState(false);
  const id = useId();
  const button = useRef<HTMLButtonElement>(null);
  const keys = useKeys<HTMLDivElement>((event) => {
    if (event.key !== "Escape" || !listed) return;
    setListed(false);
    button.current?.focus();
  });
  const words = caption(say, state, patient);
  useEffect(() => {
    if (state.kind === "notSaved") announce("assertive", "not saved", words);
    else forget("not saved");
  }, [state.kind, words]);
  return (
    <div ref={keys} className={style["frame"]}>
      <button ref={button} type="button" className={classes(style["pill"], style[state.kind])} aria-expanded={listed} aria-controls={id} onClick={() => setListed(!listed)}>
        {ICON[state.kind]}
        <span role="status">{words}</span>
      </button>
      {listed && <Waiting record={record} id={id} />}
    </div>
  );
}

/** Edits the server does not have, and where each of them is. */
function Waiting({ record, id }: { readonly record: SharedRecord; readonly id: string }) {
  const { say } = useLanguage();
  const pending = useSlice(record, (state) => state.pending);
  const refused = useSlice(record, (state) => state.refused);
  const locked = useSlice(record, (state) => state.locked);
  const fields = [
    ...pending.map(({ entry, device }) => ({ id: entry.edit, field: at(entry.op), where: device === "kept" ? "kept" as const : device === "writing" ? "sent" as const : "refused" as const })),
    ...refused.map(({ entry }) => ({ id: entry.edit, field: at(entry.op), where: "refused" as const })),
  ];
  return (
    <div id={id} className={style["list"]}>
      <p className={style["title"]}>{say("plan.saved.list")}</p>
      {locked > 0 && <p>{say("plan.saved.locked", { count: locked })}</p>}
      {fields.length === 0 && locked === 0 ? <p>{say("plan.saved.nothing")}</p> : (
        <ul>{fields.map((one) => <li key={one.id}>{say(`plan.field.${one.field}`)}: {say(`plan.saved.where.${one.where}`)}</li>)}</ul>
      )}
    </div>
  );
}

const at = (op: Op): FieldName => ("at" in op ? op.at.field : "presence");

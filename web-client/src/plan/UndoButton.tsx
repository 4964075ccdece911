/** Takes the own last change back, and says which. What somebody changed since is never overwritten unseen: it is asked. */
import { Undo2 } from "lucide-react";
import { useCallback, useState } from "react";
import { useLanguage } from "../i18n";
import { announce } from "../ui/Announcer";
import { Button } from "../ui/Button";
import { Dialog } from "../ui/Dialog";
import { fieldLabel, useNames, useRecordSlice, useRegister, useRowNames, useScene } from "./context";
import { useWording } from "./Editor";
import { EMPTY_DOC, read, type RegisterName } from "./fold";
import { sealed } from "./sign";
import { sinceDone, type Done } from "./undo";
import { words } from "./words";

/** The newest own change that can still be taken back. */
export function useUndo() {
  const { record } = useScene();
  const { say } = useLanguage();
  const last = useRecordSlice((state) => {
    if (state.closed !== null) return null;
    // What is signed is not taken back: only an addendum or a revision goes on from it.
    const shut = sealed(state.docs.get("plan")?.server ?? EMPTY_DOC);
    return state.done.findLast((done) => done.doc !== "plan" || !shut) ?? null;
  });
  const [asking, setAsking] = useState<Done | null>(null);
  const sentence = useSentence();
  const undo = useCallback((): void => {
    if (last === null) return;
    switch (sinceDone(last, record.get().docs.get(last.doc)?.server ?? EMPTY_DOC, record.self.person)) {
      case "still":
        record.takeBack(last, say("plan.undo.reason"));
        return announce("polite", `undone ${last.edit}`, say("plan.undo.done", { what: sentence(last) }));
      case "changed":
        return setAsking(last);
      case "gone":
        record.forgetDone(last);
        return announce("polite", `gone ${last.edit}`, say("plan.undo.gone", { what: sentence(last) }));
    }
  }, [last, record, say, sentence]);
  return { last, undo, sentence, asking, answered: () => setAsking(null) };
}

export function UndoButton({ undo: { last, undo, sentence, asking, answered } }: { readonly undo: ReturnType<typeof useUndo> }) {
  const { say } = useLanguage();
  return (
    <>
      {last !== null && <Button kind="quiet" icon={<Undo2 size={18} aria-hidden />} aria-keyshortcuts="Control+Z Meta+Z" onClick={undo}>{say("plan.undo", { what: sentence(last) })}</Button>}
      {asking !== null && <Changed done={asking} what={sentence(asking)} onEnd={answered} />}
    </>
  );
}

function Changed({ done, what, onEnd }: { readonly done: Done; readonly what: string; readonly onEnd: () => void }) {
  const { record } = useScene();
  const { say } = useLanguage();
  const stay = (): void => {
    record.forgetDone(done);
    onEnd();
  };
  const back = (): void => {
    record.takeBack(done, say("plan.undo.reason"));
    onEnd();
  };
  return (
    <Dialog
      title={say("plan.undo.changed")} onClose={onEnd}
      actions={(
        <>
          <Button kind="primary" onClick={stay}>{say("plan.undo.stay")}</Button>
          <Button onClick={back}>{say("plan.undo.back")}</Button>
        </>
      )}
    >
      <p>{say("plan.undo.yours", { what })}</p>
      {done.what.kind === "set" && <Now done={done} />}
    </Dialog>
  );
}

/** What stands there now, and who wrote it. */
function Now({ done }: { readonly done: Done & { readonly what: Done["what"] } }) {
  const { say } = useLanguage();
  const names = useNames();
  const wording = useWording();
  const { what } = done;
  const at = what.kind === "set" ? what.at : { field: "presence" as const };
  const view = useRegister(at.field as RegisterName, at.row);
  if (view.state === "conflict") return <p>{say("plan.strip.conflict")}</p>;
  return (
    <>
      <p>{say("plan.stands_now", { value: words(at.field as RegisterName, view.value, wording) })}</p>
      {view.by !== null && <p>{say("plan.changed_by", { name: names.short(view.by), at: view.at_ms ?? 0 })}</p>}
    </>
  );
}

/** Longer values are left to the history: a button is no place for them. */
const SHORT = 48;

function useSentence(): (done: Done) => string {
  const { say } = useLanguage();
  const named = useRowNames();
  const wording = useWording();
  return useCallback(({ what }) => {
    switch (what.kind) {
      case "set": {
        const field = what.at.field as RegisterName;
        const label = what.at.row === undefined ? fieldLabel(say, field) : say("plan.undo.field_of", { field: fieldLabel(say, field), row: named(what.at.row) });
        const [before, after] = [what.before, what.after].map((value) => (value === null ? say("plan.not_stated") : words(field, read(field, value), wording)));
        const change = `${after ?? ""} → ${before ?? ""}`;
        return change.length > SHORT ? label : `${label}: ${change}`;
      }
      case "added": {
        // A row of the patient's part, or one without words yet, is named by its list.
        const row = named(what.row);
        const list = say(`plan.list.${what.list}`);
        return row === say("plan.row_unnamed") ? say("plan.undo.added_one", { what: list }) : say("plan.undo.added", { what: list, row });
      }
      case "removed":
        return say("plan.undo.removed", { row: named(what.row) });
      case "moved":
        return say("plan.undo.moved", { row: named(what.row) });
      default:
        return what satisfies never;
    }
  }, [say, named, wording]);
}

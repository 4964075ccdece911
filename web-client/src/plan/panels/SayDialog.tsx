/** Something a person says to the record in a dialog: a box of text, *Done*, *Cancel*, and why it was not taken. */
import { useState, type FormEvent, type ReactNode } from "react";
import { useLanguage } from "../../i18n";
import { Button } from "../../ui/Button";
import { Dialog } from "../../ui/Dialog";
import { GrowField } from "../GrowField";
import editor from "../Editor.module.css";

/** The box of the dialog. */
export interface Box {
  readonly label: string;
  /** What the server takes, in UTF-16 units. */
  readonly most: number;
  /** *Done* does nothing while it is empty. */
  readonly needed?: boolean;
}

/** Stands in the page while it is open: what was typed, and why it was refused, ends with it. */
export function SayDialog(props: {
  readonly title: string;
  readonly box?: Box;
  /** What is said or asked above the box. */
  readonly children?: ReactNode;
  /** Says it, without spaces around; answers why it was not taken, or nothing once it was. */
  readonly send: (text: string) => Promise<string | null> | null;
  readonly onClose: () => void;
}) {
  const { box, send, onClose } = props;
  const { say } = useLanguage();
  const [text, setText] = useState("");
  const [tried, setTried] = useState(false);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const words = text.trim();
  const missing = box?.needed === true && words === "";
  const done = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setTried(true);
    if (missing || busy) return;
    setBusy(true);
    setProblem(null);
    const why = await send(words);
    setBusy(false);
    setProblem(why);
    if (why === null) onClose();
  };
  return (
    <Dialog title={props.title} onClose={onClose}>
      <form className={editor["boxes"]} noValidate onSubmit={(event) => void done(event)}>
        {props.children}
        {box !== undefined && (
          <GrowField label={box.label} value={text} most={box.most} problem={tried && missing ? say("plan.needed") : undefined} onChange={setText} />
        )}
        {problem !== null && <p role="alert" className={editor["refusal"]}>{problem}</p>}
        <div className={editor["actions"]}>
          <Button type="submit" kind="primary" disabled={busy}>{say(busy ? "plan.command.busy" : "plan.done")}</Button>
          <Button onClick={onClose}>{say("plan.cancel")}</Button>
        </div>
      </form>
    </Dialog>
  );
}

/** A button that opens such a dialog. */
export function SayButton({ label, ...dialog }: { readonly label: string; readonly box: Box; readonly children?: ReactNode; readonly send: (text: string) => Promise<string | null> | null }) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button onClick={() => setOpen(true)}>{label}</Button>
      {open && <SayDialog title={label} {...dialog} onClose={() => setOpen(false)} />}
    </>
  );
}

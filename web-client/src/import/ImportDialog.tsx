/** A chart from elsewhere: chosen, compared, accepted row by row. Nothing is stored before "Import". */
import { FileInput, Upload } from "lucide-react";
import { useRef, useState } from "react";
import { ApiFailure, importChart } from "../api";
import { useLanguage, type Say, type TextKey } from "../i18n";
import { announce } from "../ui/Announcer";
import { Button } from "../ui/Button";
import { Dialog } from "../ui/Dialog";
import type { ImportFault, ImportPerson, ImportPreview, ImportReply, ImportTick, SeatId } from "../wire";
import { Preview } from "./Preview";
import { StepHeading } from "./StepHeading";
import style from "./import.module.css";

/** As on the server: a larger one is not even sent. */
const FILE_BYTES = 16 * 1024 * 1024;

type Shown =
  | { readonly kind: "choose"; readonly problem: string | null }
  | { readonly kind: "busy"; readonly what: "import.reading" | "import.importing" }
  | { readonly kind: "fault"; readonly fault: ImportFault }
  | { readonly kind: "other"; readonly person: ImportPerson }
  | { readonly kind: "preview"; readonly preview: ImportPreview; readonly problem: string | null }
  | { readonly kind: "done"; readonly accepted: number; readonly left: number }
  | { readonly kind: "stopped"; readonly words: string };

export function ImportButton({ seat }: { readonly seat: SeatId }) {
  const { say } = useLanguage();
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button kind="quiet" icon={<FileInput size={18} aria-hidden />} onClick={() => setOpen(true)}>{say("import.open")}</Button>
      {open && <ImportDialog seat={seat} onClose={() => setOpen(false)} />}
    </>
  );
}

function ImportDialog({ seat, onClose }: { readonly seat: SeatId; readonly onClose: () => void }) {
  const { say } = useLanguage();
  const [shown, setShown] = useState<Shown>({ kind: "choose", problem: null });
  const [file, setFile] = useState<Blob | null>(null);

  const look = async (chosen: Blob): Promise<void> => {
    setFile(chosen);
    if (chosen.size > FILE_BYTES) return setShown({ kind: "fault", fault: { code: "too_large", limit: FILE_BYTES } });
    setShown({ kind: "busy", what: "import.reading" });
    try {
      setShown(afterwards(await importChart(seat, { kind: "preview" }, chosen), say, null));
    } catch (failure) {
      setShown({ kind: "stopped", words: whyNot(failure, say) });
    }
  };
  const take = async (preview: ImportPreview, accept: readonly string[], ticks: readonly ImportTick[]): Promise<void> => {
    if (file === null) return;
    setShown({ kind: "busy", what: "import.importing" });
    try {
      const next = afterwards(await importChart(seat, { kind: "take", accept: [...accept], ticks: [...ticks] }, file), say, preview);
      setShown(next);
      if (next.kind === "done") announce("polite", "import.done", say("import.done", { count: next.accepted }));
    } catch (failure) {
      setShown({ kind: "stopped", words: whyNot(failure, say) });
    }
  };
  const again = file === null ? null : () => void look(file);
  const another = () => setShown({ kind: "choose", problem: null });

  return (
    <Dialog title={say("import.title")} sheet onClose={onClose}>
      <div className={style["step"]}>
        {shown.kind === "choose" && <Choose problem={shown.problem} onFile={(chosen) => void look(chosen)} />}
        {shown.kind === "busy" && <p role="status" className={style["strong"]}>{say(shown.what)}</p>}
        {shown.kind === "fault" && (
          <>
            <StepHeading>{say("import.fault.title")}</StepHeading>
            <p role="alert">{faultWords(shown.fault, say)}</p>
            <p className={style["quiet"]}>{say("import.fault.stays")}</p>
            <Tools another={another} again={null} />
          </>
        )}
        {shown.kind === "other" && (
          <>
            <StepHeading>{say("import.other.title")}</StepHeading>
            <p role="alert"><bdi>{say("import.other.what", { name: shown.person.name, born: shown.person.birth_date })}</bdi></p>
            <p>{say("import.other.next")}</p>
            <Tools another={another} again={null} />
          </>
        )}
        {shown.kind === "preview" && (
          <Preview
            preview={shown.preview} problem={shown.problem} onAnother={another}
            onTake={(accept, ticks) => void take(shown.preview, accept, ticks)}
          />
        )}
        {shown.kind === "done" && (
          <>
            <StepHeading>{say("import.done", { count: shown.accepted })}</StepHeading>
            {shown.left > 0 && <p role="alert">{say("import.left", { count: shown.left })}</p>}
            <Tools another={another} again={again} />
          </>
        )}
        {shown.kind === "stopped" && (
          <>
            <p role="alert">{shown.words}</p>
            <Tools another={another} again={again} />
          </>
        )}
      </div>
    </Dialog>
  );
}

function Tools({ another, again }: { readonly another: () => void; readonly again: (() => void) | null }) {
  const { say } = useLanguage();
  return (
    <div className={style["tools"]}>
      {again !== null && <Button kind="primary" onClick={again}>{say("import.again")}</Button>}
      <Button onClick={another}>{say("import.another")}</Button>
    </div>
  );
}

function Choose({ problem, onFile }: { readonly problem: string | null; readonly onFile: (file: Blob) => void }) {
  const { say } = useLanguage();
  const input = useRef<HTMLInputElement>(null);
  const [over, setOver] = useState(false);
  const [pasted, setPasted] = useState("");
  const [wrong, setWrong] = useState<string | null>(problem);
  return (
    <>
      <p>{say("import.what")}</p>
      <div
        className={style["drop"]} data-over={over}
        onDragOver={(event) => { event.preventDefault(); setOver(true); }}
        onDragLeave={() => setOver(false)}
        onDrop={(event) => {
          event.preventDefault();
          setOver(false);
          const dropped = event.dataTransfer.files[0];
          if (dropped !== undefined) onFile(dropped);
        }}
      >
        <Upload size={28} aria-hidden />
        <p>{say("import.drop")}</p>
        <Button kind="primary" onClick={() => input.current?.click()}>{say("import.choose")}</Button>
        <input
          ref={input} type="file" hidden aria-label={say("import.choose")} accept=".json,.ndjson,.xml,application/json,application/fhir+json,application/x-ndjson"
          onChange={(event) => {
            const chosen = event.currentTarget.files?.[0];
            event.currentTarget.value = "";
            if (chosen !== undefined) onFile(chosen);
          }}
        />
      </div>
      <label className={style["paste"]}>
        <span className={style["label"]}>{say("import.paste")}</span>
        <textarea rows={5} spellCheck={false} translate="no" value={pasted} onChange={(event) => { setPasted(event.currentTarget.value); setWrong(null); }} />
      </label>
      {wrong !== null && <p role="alert" className={style["problem"]}>{wrong}</p>}
      <div className={style["tools"]}>
        <Button onClick={() => (pasted.trim() === "" ? setWrong(say("import.nothing_pasted")) : onFile(new Blob([pasted])))}>{say("import.preview")}</Button>
      </div>
    </>
  );
}

/** What is shown after an answer. `before`: the preview that was on the screen. */
function afterwards(reply: ImportReply, say: Say, before: ImportPreview | null): Shown {
  switch (reply.state) {
    case "unreadable":
      return { kind: "fault", fault: reply.fault };
    case "other_person":
      return { kind: "other", person: reply.person };
    case "preview":
      return { kind: "preview", preview: reply, problem: null };
    case "not_ticked":
      return before === null ? { kind: "stopped", words: say("import.ticks_missing") } : { kind: "preview", preview: before, problem: say("import.ticks_missing") };
    case "not_taken":
      return { kind: "stopped", words: say(reply.code === "sealed" ? "import.not_taken.sealed" : "import.not_taken.away") };
    case "taken":
      return { kind: "done", accepted: reply.accepted, left: reply.left.length };
    default:
      return reply satisfies never;
  }
}

function whyNot(failure: unknown, say: Say): string {
  const status = failure instanceof ApiFailure ? failure.status : 0;
  const words: Partial<Record<number, TextKey & ("import.over" | "import.busy" | "import.not_allowed")>> = { 410: "import.over", 429: "import.busy", 404: "import.not_allowed" };
  return say(words[status] ?? "import.away");
}

function faultWords(fault: ImportFault, say: Say): string {
  const { code, line = 0, column = 0, entry = 0, count = 0, limit = 0, version } = fault;
  switch (code) {
    case "empty":
    case "xml":
    case "not_fhir":
    case "no_patient":
      return say(`import.fault.${code}`);
    case "too_large":
    case "too_many_resources":
      return say(`import.fault.${code}`, { limit });
    case "too_deep":
    case "not_json":
    case "duplicate_name":
      return say(`import.fault.${code}`, { line, column });
    case "too_many_values":
      return say("import.fault.too_many_values", { line });
    case "not_utf8":
    case "several_patients":
      return say(`import.fault.${code}`, { count });
    case "not_r4":
      return say("import.fault.not_r4", { version: version === "stu3" ? "STU3" : "R5", entry });
    default:
      return code satisfies never;
  }
}

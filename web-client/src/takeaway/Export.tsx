/** The record as a file: for staff which and what for, for the patient one button. */
import { Download } from "lucide-react";
import { useState } from "react";
import { exportRecord } from "../api";
import { useLanguage } from "../i18n";
import { announce } from "../ui/Announcer";
import { Button } from "../ui/Button";
import { Card } from "../ui/Card";
import { Select } from "../ui/Field";
import { save } from "../ui/save";
import type { ExportKind, ExportReason, ExportRequest, Role, SeatId } from "../wire";
import style from "./EndPage.module.css";

const KINDS: readonly ExportKind[] = ["medication_profile", "care_plan", "whole_record"];
const REASONS: readonly ExportReason[] = ["treatment", "patient_request", "own_system"];
/** Names of files say nothing about anybody. */
const FILES: Record<ExportKind, string> = {
  medication_profile: "medication-profile.json",
  care_plan: "pharmacist-care-plan.json",
  whole_record: "record.json",
};

type State = "idle" | "busy" | "done" | "failed";

export function Export({ seat, role }: { readonly seat: SeatId; readonly role: Role }) {
  const { say } = useLanguage();
  const [kind, setKind] = useState<ExportKind>("medication_profile");
  const [reason, setReason] = useState<ExportReason>("treatment");
  const [state, setState] = useState<State>("idle");
  const take = (request: ExportRequest) => {
    setState("busy");
    exportRecord(seat, request).then(
      (file) => {
        save(file, FILES[request.kind]);
        setState("done");
        announce("polite", "export.done", say("takeaway.export.done"));
      },
      () => {
        setState("failed");
        announce("assertive", "export.failed", say("takeaway.export.failed"));
      },
    );
  };
  const said = state === "done" ? say("takeaway.export.done") : state === "failed" ? say("takeaway.export.failed") : null;
  if (role === "patient") {
    return (
      <div className={style["tools"]}>
        <Button icon={<Download size={24} aria-hidden />} disabled={state === "busy"} onClick={() => take({ kind: "whole_record", reason: "patient_request" })}>{say("takeaway.export.mine")}</Button>
        <p className={style["quiet"]}>{said ?? say("takeaway.export.mine.what")}</p>
      </div>
    );
  }
  return role !== "pharmacist" && role !== "pcp" ? null : (
    <Card aria-label={say("takeaway.export.title")}>
      <h3>{say("takeaway.export.title")}</h3>
      <Select label={say("takeaway.export.kind")} value={kind} onChange={({ target }) => setKind(KINDS.find((one) => one === target.value) ?? kind)}>
        {KINDS.map((one) => <option key={one} value={one}>{say(`takeaway.export.kind.${one}`)}</option>)}
      </Select>
      <Select label={say("takeaway.export.reason")} hint={say("takeaway.export.reason.what")} value={reason} onChange={({ target }) => setReason(REASONS.find((one) => one === target.value) ?? reason)}>
        {REASONS.map((one) => <option key={one} value={one}>{say(`takeaway.export.reason.${one}`)}</option>)}
      </Select>
      <div className={style["tools"]}>
        <Button icon={<Download size={20} aria-hidden />} disabled={state === "busy"} onClick={() => take({ kind, reason })}>{say("takeaway.export.download")}</Button>
        {said !== null && <p className={style["quiet"]}>{said}</p>}
      </div>
    </Card>
  );
}

/** A link for a prescriber who is not in the visit: one recommendation, one page, 14 days. */
import { Link2 } from "lucide-react";
import { useState } from "react";
import { ApiFailure, linkTo, revokeLinks } from "../../api";
import { useLanguage } from "../../i18n";
import type { DecisionLink, RowId } from "../../wire";
import { Button } from "../../ui/Button";
import { Dialog } from "../../ui/Dialog";
import { Field } from "../../ui/Field";
import { useMay, useScene } from "../context";
import style from "./panels.module.css";

type State = { readonly kind: "closed" | "busy" | "failed" | "shut_out" | "revoked" } | { readonly kind: "link"; readonly link: DecisionLink };

export function LinkOut({ row }: { readonly row: RowId }) {
  const { say, g } = useLanguage();
  const { seat } = useScene();
  const may = useMay("send_recommendation");
  const [state, setState] = useState<State>({ kind: "closed" });
  const [copied, setCopied] = useState(false);
  if (!may) return null;
  const make = async (): Promise<void> => {
    setState({ kind: "busy" });
    setCopied(false);
    try {
      setState({ kind: "link", link: await linkTo(seat, row) });
    } catch (failure) {
      if (!(failure instanceof ApiFailure)) throw failure;
      setState({ kind: failure.code === "addressee_shut_out" ? "shut_out" : "failed" });
    }
  };
  const revoke = async (): Promise<void> => {
    try {
      await revokeLinks(seat, row);
      setState({ kind: "revoked" });
    } catch (failure) {
      if (!(failure instanceof ApiFailure)) throw failure;
      setState({ kind: "failed" });
    }
  };
  const close = (): void => setState({ kind: "closed" });
  const address = state.kind === "link" ? `${location.origin}/d#${state.link.token}` : "";
  return (
    <div className={style["actions"]}>
      <Button icon={<Link2 size={18} aria-hidden />} disabled={state.kind === "busy"} onClick={() => void make()}>{say("plan.rec.link")}</Button>
      <Button kind="quiet" onClick={() => void revoke()}>{say("plan.rec.link.revoke")}</Button>
      {state.kind === "failed" && <p role="alert" className={style["problem"]}>{say("plan.rec.link.failed")}</p>}
      {state.kind === "shut_out" && <p role="alert" className={style["problem"]}>{say("plan.rec.link.shut_out")}</p>}
      {state.kind === "revoked" && <p role="status" className={style["hint"]}>{say("plan.rec.link.revoked")}</p>}
      {state.kind === "link" && (
        <Dialog title={say("plan.rec.link")} onClose={close} actions={<Button kind="primary" onClick={close}>{say("plan.done")}</Button>}>
          <p>{say("plan.rec.link.words", { until: g.moment(state.link.expires_ms) })}</p>
          <Field label={say("plan.rec.link.address")} value={address} readOnly onFocus={(event) => event.currentTarget.select()} />
          <Button onClick={() => void navigator.clipboard.writeText(address).then(() => setCopied(true), () => setCopied(false))}>{say("plan.rec.link.copy")}</Button>
          <p role="status" className={style["hint"]}>{copied ? say("plan.rec.link.copied") : ""}</p>
        </Dialog>
      )}
    </div>
  );
}

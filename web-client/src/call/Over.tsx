import { ReceiptText } from "lucide-react";
import { lazy, Suspense, useState } from "react";
import { useLanguage } from "../i18n";
import { Button } from "../ui/Button";
import { Column } from "../ui/Column";
import { useScreenHeading } from "../ui/focus";
import { Help } from "./Help";
import { hasSheet, printsForPrescribers } from "./layout";
import type { Over as Reason } from "./state";
import type { SeatHome } from "../wire";

const PrescriberPaperButton = lazy(() => import("../fax/PrescriberPaper").then((m) => ({ default: m.PrescriberPaperButton })));
const SheetPage = lazy(() => import("../billing/SheetPage").then((m) => ({ default: m.SheetPage })));
const EndPage = lazy(() => import("../takeaway/EndPage").then((m) => ({ default: m.EndPage })));

/** After the call: why it is over, the way back where there is one, and what the person takes home. */
export function Over(props: { readonly why: Reason["why"]; readonly facts?: SeatHome; readonly onBack?: () => void }) {
  const { language, say } = useLanguage();
  const [sheet, setSheet] = useState(false);
  const heading = useScreenHeading(sheet ? "sheet" : props.why);
  const { facts } = props;
  if (sheet && facts !== undefined) {
    return (
      <Column over={<bdi>{facts.practice}</bdi>}>
        <h1 ref={heading} tabIndex={-1}>{say("billing.title")}</h1>
        <div className="screen-only"><Button onClick={() => setSheet(false)}>{say("billing.back")}</Button></div>
        <Suspense fallback={<p>{say("billing.loading")}</p>}><SheetPage seat={facts.seat} onPaper /></Suspense>
      </Column>
    );
  }
  const atEnd = (props.why === "ended" || props.why === "left") && facts !== undefined;
  const back = props.why === "left" ? say("over.left.back") : props.why === "elsewhere" ? say("over.elsewhere.here") : null;
  return (
    <Column over={<bdi>{props.facts?.practice}</bdi>}>
      <h1 ref={heading} tabIndex={-1}>{say(`over.${props.why}.title`)}</h1>
      <p>{say(`over.${props.why}.what`)}</p>
      {back !== null && props.onBack !== undefined && <Button kind="primary" onClick={props.onBack}>{back}</Button>}
      {atEnd && !facts.reads_only && hasSheet(facts.role, facts.kind) && (
        <div className="screen-only"><Button icon={<ReceiptText size={20} aria-hidden />} onClick={() => setSheet(true)}>{say("billing.open")}</Button></div>
      )}
      {atEnd && !facts.reads_only && printsForPrescribers(facts.role) && (
        <div className="screen-only"><Suspense><PrescriberPaperButton seat={facts.seat} /></Suspense></div>
      )}
      {atEnd && (
        <Suspense><EndPage seat={facts.seat} role={facts.role} language={language} readsOnly={facts.reads_only} /></Suspense>
      )}
      <Help phone={props.facts?.phone ?? null} />
    </Column>
  );
}

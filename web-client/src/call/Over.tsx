import { lazy, Suspense } from "react";
import { useLanguage } from "../i18n";
import { Button } from "../ui/Button";
import { Column } from "../ui/Column";
import { useScreenHeading } from "../ui/focus";
import { Help } from "./Help";
import type { Over as Reason } from "./state";
import type { SeatHome } from "../wire";

const EndPage = lazy(() => import("../takeaway/EndPage").then((m) => ({ default: m.EndPage })));

/** After the call: why it is over, the way back where there is one, and what the person takes home. */
export function Over(props: { readonly why: Reason["why"]; readonly facts?: SeatHome; readonly onBack?: () => void }) {
  const { language, say } = useLanguage();
  const heading = useScreenHeading(props.why);
  const back = props.why === "left" ? say("over.left.back") : props.why === "elsewhere" ? say("over.elsewhere.here") : null;
  return (
    <Column over={<bdi>{props.facts?.practice}</bdi>}>
      <h1 ref={heading} tabIndex={-1}>{say(`over.${props.why}.title`)}</h1>
      <p>{say(`over.${props.why}.what`)}</p>
      {back !== null && props.onBack !== undefined && <Button kind="primary" onClick={props.onBack}>{back}</Button>}
      {(props.why === "ended" || props.why === "left") && props.facts !== undefined && (
        <Suspense><EndPage seat={props.facts.seat} role={props.facts.role} language={language} /></Suspense>
      )}
      <Help phone={props.facts?.phone ?? null} />
    </Column>
  );
}

import { lazy, Suspense, useCallback } from "react";
import { useLanguage } from "../i18n";
import type { DrawVisit } from "../plan/visit";
import { Chip } from "../ui/Chip";
import { SkipLink } from "../ui/landmarks";
import { CallBanners } from "./CallBanners";
import style from "./ClinicianCall.module.css";
import { ControlBar } from "./ControlBar";
import { People, WaitingList } from "./People";
import type { Session } from "./session";
import { Stage } from "./Stage";
import { useStore } from "./store";
import { TelephoneBanner } from "./Telephone";
import type { Self } from "./state";
import { hasSheet, mayAgree, mayBook, mayImport, printsForPrescribers } from "./layout";

const RecordPanel = lazy(() => import("../plan/RecordPanel").then((m) => ({ default: m.RecordPanel })));
const NextVisitButton = lazy(() => import("../schedule/NextVisit").then((m) => ({ default: m.NextVisitButton })));
const TouchpointVisit = lazy(() => import("../schedule/TouchpointVisit").then((m) => ({ default: m.TouchpointVisit })));
const ImportButton = lazy(() => import("../import/ImportDialog").then((m) => ({ default: m.ImportButton })));
const PrescriberPaperButton = lazy(() => import("../fax/PrescriberPaper").then((m) => ({ default: m.PrescriberPaperButton })));
const TimerButton = lazy(() => import("../billing/TimerButton").then((m) => ({ default: m.TimerButton })));
const AgreementButton = lazy(() => import("../cdtm/AgreementButton").then((m) => ({ default: m.AgreementButton })));
const SavePill = lazy(() => import("../plan/SavePill").then((m) => ({ default: m.SavePill })));

/** "Record first": the record takes the room, faces stand beside it, on a phone above it. Without a record, faces take it all. */
export function ClinicianCall(props: { readonly session: Session; readonly self: Self; /** It was agreed to be by telephone. */ readonly byPhone: boolean }) {
  const { session, self } = props;
  const { language, say } = useLanguage();
  const seats = useStore(session.call, (state) => state.seats);
  const link = useStore(session.media, (state) => state.link);
  const { visit } = self;
  const drawVisit = useCallback<DrawVisit>((proposal, booked) => (
    <Suspense fallback={<p>{say("ui.loading")}</p>}><TouchpointVisit seat={self.seat} proposal={proposal} visit={booked} /></Suspense>
  ), [self.seat, say]);
  return (
    <div className={visit.record === null ? style["faces"] : style["shell"]}>
      <SkipLink />
      <header className={style["header"]}>
        <div className={style["patient"]}>
          <h1>{visit.patient === null ? say(`visit.${visit.kind}`) : <bdi>{visit.patient.name}</bdi>}</h1>
          {visit.patient !== null && <span>{say("call.born", { date: visit.patient.birth_date })}</span>}
          {visit.patient !== null && <span>{say(`visit.${visit.kind}`)}</span>}
        </div>
        <div className={style["status"]}>
          {mayBook(self.role) && visit.record !== null && <Suspense><NextVisitButton seat={self.seat} /></Suspense>}
          {mayAgree(self.role) && visit.record !== null && <Suspense><AgreementButton seat={self.seat} /></Suspense>}
          {hasSheet(self.role, visit.kind) && <Suspense><TimerButton seat={self.seat} role={self.role} /></Suspense>}
          {visit.record !== null && <Suspense><SavePill record={visit.record} /></Suspense>}
          <Chip tone={link === "up" ? "ok" : "warn"}>{say(link === "up" ? "call.connected" : link === "reconnecting" ? "call.reconnecting_short" : "call.connecting")}</Chip>
        </div>
      </header>
      <div className={style["banners"]}>
        <CallBanners session={session} />
        <TelephoneBanner session={session} booked={props.byPhone} />
      </div>
      {visit.record !== null && (
        <main className={style["panel"]} aria-label={say("call.record")}>
          <Suspense fallback={<p className={style["loading"]}>{say("ui.loading")}</p>}>
            <RecordPanel line={session.line} record={visit.record} role={self.role} seat={self.seat} roster={seats} language={language} tools={<Papers self={self} />} visit={drawVisit} />
          </Suspense>
        </main>
      )}
      <aside className={style["stage"]} aria-label={say("call.stage")}>
        <div role="group" className={style["scroll"]} aria-label={say("call.people")} tabIndex={0}>
          <WaitingList session={session} />
          <Stage session={session} compact={visit.record !== null} />
          <People session={session} compact={visit.record !== null} />
        </div>
      </aside>
      <ControlBar session={session} full className={style["controls"]} />
    </div>
  );
}

/** What comes into the record on paper or as a file, and what leaves it for a prescriber. */
function Papers({ self }: { readonly self: Self }) {
  return (
    <Suspense>
      {mayImport(self.role) && <ImportButton seat={self.seat} />}
      {printsForPrescribers(self.role) && <PrescriberPaperButton seat={self.seat} />}
    </Suspense>
  );
}

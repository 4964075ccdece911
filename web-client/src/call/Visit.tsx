import { lazy, Suspense, useEffect, useState } from "react";
import { ApiFailure, seatFacts } from "../api";
import { useLanguage } from "../i18n";
import { Column } from "../ui/Column";
import { useScreenHeading } from "../ui/focus";
import { useLandmarkKeys } from "../ui/landmarks";
import { useSide } from "../ui/side";
import type { Admission, SeatHome, SeatId } from "../wire";
import { Help } from "./Help";
import { isPatientSide, isStaff } from "./layout";
import { Over } from "./Over";
import type { Session } from "./session";
import { useStore } from "./store";
import { useSession } from "./useSession";

const loadCheck = () => import("../check/Check");
const loadWaiting = () => import("../lobby/Waiting");
const loadPhoneVisit = () => import("../lobby/PhoneVisit");
const loadClinician = () => import("./ClinicianCall");
const loadPatient = () => import("./PatientCall");
const Check = lazy(() => loadCheck().then((m) => ({ default: m.Check })));
const Waiting = lazy(() => loadWaiting().then((m) => ({ default: m.Waiting })));
const PhoneVisit = lazy(() => loadPhoneVisit().then((m) => ({ default: m.PhoneVisit })));
const ClinicianCall = lazy(() => loadClinician().then((m) => ({ default: m.ClinicianCall })));
const PatientCall = lazy(() => loadPatient().then((m) => ({ default: m.PatientCall })));

/** Pause before the server is asked again who this seat is, while it cannot be reached. */
const ASK_AGAIN_MS = 2_000;

/** The page of one seat, from the device check to the end. */
export function Visit(props: { readonly seat: SeatId }) {
  const { say } = useLanguage();
  const facts = useFacts(props.seat);
  useSide(facts.kind === "known" && isStaff(facts.facts.role) ? "staff" : "patient");
  switch (facts.kind) {
    case "asking": return <p className="page">{say("ui.loading")}</p>;
    case "away": return <p className="page">{say("join.refused.offline.title")}. {say("join.refused.offline.what")}</p>;
    case "refused": return <Over why="session_over" />;
    case "known": return facts.facts.over ? <Over why="ended" facts={facts.facts} /> : <Seated facts={facts.facts} />;
    default: return facts satisfies never;
  }
}

function Seated(props: { readonly facts: SeatHome }) {
  const { role, seat, waits } = props.facts;
  // Nobody is asked for a camera in a visit that is held by telephone.
  const byPhone = props.facts.booked?.format === "phone";
  const session = useSession(seat, byPhone);
  useLandmarkKeys();
  const [checked, setChecked] = useState(() => byPhone || wasChecked());
  const admission = useStore(session.call, (state) => state.admission);
  const over = useStore(session.call, (state) => state.over);

  // Who waits to be let in is seen from the first step of the check, so that somebody can help; staff is seen when ready.
  const connect = waits || checked;
  useEffect(() => {
    if (connect) session.connect();
  }, [session, connect]);

  // Nothing is loaded in the middle of a call: an update of the server may have taken the old files away.
  useEffect(() => {
    void loadWaiting().catch(() => undefined);
    void loadPhoneVisit().catch(() => undefined);
    if (isPatientSide(role)) {
      void loadPatient().catch(() => undefined);
      void import("../patient/PatientPage").catch(() => undefined);
    } else {
      void loadClinician().catch(() => undefined);
      void import("../plan/RecordPanel").catch(() => undefined);
      void import("../plan/SavePill").catch(() => undefined);
    }
    void import("../takeaway/EndPage").catch(() => undefined);
  }, [role]);

  const admitted = admission?.state === "admitted";
  useEffect(() => {
    if (checked || admitted) rememberChecked();
    // An old page that misses a file reloads itself, but never in the middle of a call.
    document.documentElement.toggleAttribute("data-live", admitted && over === null);
  }, [checked, admitted, over]);

  if (over !== null) return <Over why={over.why} facts={props.facts} onBack={() => session.connect()} />;
  return <Suspense><Screen session={session} facts={props.facts} checked={checked} onChecked={() => { setChecked(true); session.do({ kind: "step", step: "ready" }); }} admission={admission} /></Suspense>;
}

function Screen(props: { readonly session: Session; readonly facts: SeatHome; readonly checked: boolean; readonly onChecked: () => void; readonly admission: Admission | null }) {
  const { session } = props;
  const { role, booked } = props.facts;
  const byPhone = booked?.format === "phone";
  const self = useStore(session.call, (state) => state.self);
  const called = useStore(session.call, (state) => state.telephone !== null) && role === "patient";
  if (props.admission?.state === "admitted" && self !== null) {
    return isPatientSide(role) ? <PatientCall session={session} self={self} byPhone={byPhone ? booked : undefined} /> : <ClinicianCall session={session} self={self} byPhone={byPhone} />;
  }
  // Who is stuck at the camera and is called by telephone needs no camera any more.
  if (called || (byPhone && isPatientSide(role))) return <PhoneVisit session={session} facts={props.facts} />;
  if (!props.checked) return <Check session={session} facts={props.facts} onDone={props.onChecked} />;
  // "You are next" is the server's to say.
  if (props.admission === null) return <Connecting session={session} facts={props.facts} />;
  return <Waiting session={session} facts={props.facts} />;
}

function Connecting(props: { readonly session: Session; readonly facts: SeatHome }) {
  const { say } = useLanguage();
  const heading = useScreenHeading("connecting");
  const retrying = useStore(props.session.line.state, (state) => state.kind === "connecting" && state.tries > 0);
  return (
    <Column over={<bdi>{props.facts.practice}</bdi>}>
      <h1 ref={heading} tabIndex={-1}>{say("ui.loading")}</h1>
      {retrying && <p role="status">{say("wait.connecting")}</p>}
      <Help phone={props.facts.phone} />
    </Column>
  );
}

type Facts =
  | { readonly kind: "asking" }
  | { readonly kind: "away" }
  | { readonly kind: "refused" }
  | { readonly kind: "known"; readonly facts: SeatHome };

function useFacts(seat: SeatId): Facts {
  const [facts, setFacts] = useState<Facts>({ kind: "asking" });
  useEffect(() => {
    let here = true;
    let timer: number | undefined;
    const ask = () => {
      seatFacts(seat).then(
        (found) => here && setFacts({ kind: "known", facts: found }),
        (failure: unknown) => {
          if (!here) return;
          const status = failure instanceof ApiFailure ? failure.status : 0;
          if (status >= 400 && status < 500 && status !== 429) {
            setFacts({ kind: "refused" });
            return;
          }
          setFacts({ kind: "away" });
          timer = window.setTimeout(ask, ASK_AGAIN_MS);
        },
      );
    };
    ask();
    return () => {
      here = false;
      clearTimeout(timer);
    };
  }, [seat]);
  return facts;
}

/** A reload comes back to where the person was. It is a fact about this tab, not about anybody's health. */
function wasChecked(): boolean {
  const state: unknown = history.state;
  return typeof state === "object" && state !== null && "checked" in state && state.checked === true;
}

function rememberChecked(): void {
  history.replaceState({ checked: true }, "");
}

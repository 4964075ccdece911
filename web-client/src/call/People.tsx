import { CircleAlert, Hand, MicOff, PhoneCall, VideoOff } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { useSay } from "../i18n";
import { Button } from "../ui/Button";
import { Chip } from "../ui/Chip";
import { Dialog } from "../ui/Dialog";
import { usePhone } from "../ui/usePhone";
import type { CheckStep, RosterSeat } from "../wire";
import { isStaff } from "./layout";
import { playTone } from "./meter";
import style from "./People.module.css";
import type { Session } from "./session";
import { useStore } from "./store";
import { weak } from "./weak";

const MINUTE_MS = 60_000;

/** Who waits, with the step they are at; stands above everything else, since somebody is waiting. */
export function WaitingList(props: { readonly session: Session }) {
  const { session } = props;
  const say = useSay();
  const seats = useStore(session.call, (state) => state.seats);
  const mayAdmit = useStore(session.call, (state) => state.self?.may.includes("admit") === true);
  const waiting = seats.filter((seat) => seat.state === "waiting");
  useKnock(mayAdmit ? waiting.length : 0);
  if (waiting.length === 0) return null;
  return (
    <section aria-label={say("call.waiting.title")} className={style["waiting"]}>
      <h2>{say("call.waiting.note", { count: waiting.length })}</h2>
      <ul className={style["list"]}>
        {waiting.map((seat, i) => <Waiting key={seat.seat} session={session} seat={seat} first={i === 0} mayAdmit={mayAdmit} />)}
      </ul>
    </section>
  );
}

/** A soft tone when one more waits, and the number in the tab's title: staff may be reading another page. Never a name. */
function useKnock(count: number): void {
  const before = useRef(0);
  useEffect(() => {
    if (count > before.current) void playTone();
    before.current = count;
    document.title = count > 0 ? `(${count}) Mortar` : "Mortar";
    return () => {
      document.title = "Mortar";
    };
  }, [count]);
}

/** Who is here, and how. `compact`: on a phone behind one line, since the faces show the same. */
export function People(props: { readonly session: Session; readonly compact?: boolean }) {
  const { session } = props;
  const say = useSay();
  const seats = useStore(session.call, (state) => state.seats);
  const self = useStore(session.call, (state) => state.self);
  const onPhone = useStore(session.call, (state) => state.telephone !== null);
  const others = seats.filter((seat) => seat.state !== "waiting");
  const folded = usePhone() && props.compact === true;
  const list = (
    <ul className={style["list"]}>
      {others.map((seat) => (
        <li key={seat.seat} className={style["row"]}>
          <span className={style["who"]}>
            <bdi className={style["name"]}>{seat.name}</bdi>
            <span className={style["what"]}>{seat.seat === self?.seat ? `${say(`role.${seat.role}`)}, ${say("call.you")}` : say(`role.${seat.role}`)}</span>
          </span>
          <span className={style["states"]}>
            {onPhone && seat.role === "patient" && <Chip tone="info" icon={<PhoneCall size={16} aria-hidden />}>{say("phone.chip")}</Chip>}
            {seat.state !== "present" && !(onPhone && seat.role === "patient") && <Chip tone={seat.state === "reconnecting" ? "warn" : "plain"}>{say(`call.seat.${seat.state}`)}</Chip>}
            <Weak seat={seat} />
            {seat.state === "present" && seat.presence.camera_resting && !seat.presence.camera_off && <Chip tone="plain" icon={<VideoOff size={16} aria-hidden />}>{say("call.paused.chip")}</Chip>}
            {seat.presence.hand && <Chip tone="info" icon={<Hand size={16} aria-hidden />}>{say("call.hand_up")}</Chip>}
            {seat.state === "present" && seat.presence.muted && <Chip tone="plain" icon={<MicOff size={16} aria-hidden />}>{say("call.muted")}</Chip>}
            {seat.state === "present" && seat.presence.camera_off && <Chip tone="plain" icon={<VideoOff size={16} aria-hidden />}>{say("call.camera_is_off")}</Chip>}
          </span>
          {self?.may.includes("admit") === true && seat.seat !== self.seat && seat.state === "present" && !isStaff(seat.role) && (
            <Button kind="quiet" aria-label={say("call.send_back.name", { name: seat.name })} onClick={() => session.do({ kind: "sendBack", seat: seat.seat })}>{say("call.send_back")}</Button>
          )}
        </li>
      ))}
    </ul>
  );
  if (folded) {
    return (
      <details className={style["folded"]}>
        <summary>{say("call.people.count", { count: others.length })}</summary>
        {list}
      </details>
    );
  }
  return (
    <section aria-label={say("call.people")} className={style["people"]}>
      <h2 className={style["title"]}>{say("call.people")}</h2>
      {list}
    </section>
  );
}

/** In numbers, for the one who has to decide whether to call by telephone instead. */
function Weak(props: { readonly seat: RosterSeat }) {
  const say = useSay();
  const found = props.seat.state === "present" ? weak(props.seat.loss) : null;
  if (found === null) return null;
  return <Chip tone="warn" icon={<CircleAlert size={16} aria-hidden />}>{say(`call.weak.${found.way}`, { percent: found.percent })}</Chip>;
}

function Waiting(props: { readonly session: Session; readonly seat: RosterSeat; readonly first: boolean; readonly mayAdmit: boolean }) {
  const { session, seat } = props;
  const say = useSay();
  const { step } = seat.presence;
  const minutes = useMinutesSince(seat.since_ms);
  const [asking, setAsking] = useState(false);
  return (
    <li className={style["row"]}>
      <span className={style["who"]}>
        <bdi className={style["name"]}>{seat.name}</bdi>
        <span className={style["what"]}>{say(`role.${seat.role}`)}, {say("call.since", { minutes })}</span>
        <Chip tone={tone(step)}>{say(`call.step.${step ?? "none"}`)}</Chip>
      </span>
      {props.mayAdmit && (
        <Button
          kind={props.first ? "primary" : "normal"} aria-label={say("call.admit.name", { name: seat.name })}
          onClick={() => (byAgreement(seat.role) ? setAsking(true) : session.do({ kind: "admit", seat: seat.seat, agreed: false }))}
        >
          {say("call.admit")}
        </Button>
      )}
      {asking && (
        <Dialog
          title={say("call.agreed.title", { name: seat.name })} onClose={() => setAsking(false)}
          actions={(
            <>
              <Button onClick={() => setAsking(false)}>{say("call.agreed.no")}</Button>
              <Button
                kind="primary"
                onClick={() => {
                  setAsking(false);
                  session.do({ kind: "admit", seat: seat.seat, agreed: true });
                }}
              >
                {say("call.agreed.yes")}
              </Button>
            </>
          )}
        >
          <p>{say("call.agreed.words", { name: seat.name })}</p>
        </Dialog>
      )}
    </li>
  );
}

/** Whoever is beside patient and team joins when the patient agreed aloud; the server asks the same. */
const byAgreement = (role: RosterSeat["role"]): boolean => role === "caregiver" || role === "interpreter" || role === "observer";

function tone(step: CheckStep | null): "ok" | "warn" | "plain" {
  if (step === "ready") return "ok";
  return step === "stuck_camera" || step === "stuck_microphone" ? "warn" : "plain";
}

/** Whole minutes, counted again each half minute. */
function useMinutesSince(sinceMs: number): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), MINUTE_MS / 2);
    return () => clearInterval(timer);
  }, []);
  return Math.max(0, Math.floor((now - sinceMs) / MINUTE_MS));
}

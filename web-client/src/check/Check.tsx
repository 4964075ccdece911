import { useCallback, useEffect, useRef, useState } from "react";
import type { Kind } from "../call/devices";
import type { DeviceFault } from "../call/faults";
import { Help } from "../call/Help";
import { playTone, VOICE_SCORE, voiceScore } from "../call/meter";
import { Picture } from "../call/Picture";
import type { Session } from "../call/session";
import { useStore } from "../call/store";
import { useFaultWords } from "../call/useFaultWords";
import { useLanguage, useSay } from "../i18n";
import { Button } from "../ui/Button";
import { Column } from "../ui/Column";
import { useScreenHeading } from "../ui/focus";
import style from "./Check.module.css";
import { Level } from "./Level";
import type { SeatHome } from "../wire";

type Step = "same" | "camera" | "microphone" | "speaker";

/** After this long without a voice another microphone is tried, if there is one. */
const SILENT_AFTER_MS = 4_000;
/** "We hear you" stays long enough to be read. */
const HEARD_STAYS_MS = 1_500;

/** One question a screen, and each can be skipped: a fault here never keeps anybody from the visit. */
export function Check(props: { readonly session: Session; readonly facts: SeatHome; readonly onDone: () => void }) {
  const { session, onDone } = props;
  const [step, setStep] = useState<Step>(() => (session.devices.returning() ? "same" : "camera"));
  const cam = useStore(session.devices.state, (state) => state.cam);
  const mic = useStore(session.devices.state, (state) => state.mic);

  // Staff see where a patient is stuck within the time one message takes.
  useEffect(() => {
    const now = step === "same" ? "camera"
      : step === "camera" && cam.kind === "stuck" ? "stuck_camera"
      : step === "microphone" && mic.kind === "stuck" ? "stuck_microphone"
      : step;
    session.do({ kind: "step", step: now });
  }, [session, step, cam.kind, mic.kind]);

  return (
    <Column over={<bdi>{props.facts.practice}</bdi>}>
      {step === "same" && <Same onYes={() => { void session.devices.open(); onDone(); }} onNo={() => setStep("camera")} />}
      {step !== "same" && <Progress step={step} onSkip={onDone} />}
      {step === "camera" && <Camera session={session} onNext={() => setStep("microphone")} />}
      {step === "microphone" && <Microphone session={session} onNext={() => setStep("speaker")} />}
      {step === "speaker" && <Sound onNext={onDone} />}
      <Help phone={props.facts.phone} />
    </Column>
  );
}

function Same(props: { readonly onYes: () => void; readonly onNo: () => void }) {
  const say = useSay();
  const heading = useScreenHeading("same");
  return (
    <>
      <h1 ref={heading} tabIndex={-1}>{say("check.same.title")}</h1>
      <p>{say("check.same.what")}</p>
      <Button kind="primary" wide onClick={props.onYes}>{say("check.same.yes")}</Button>
      <Button wide onClick={props.onNo}>{say("check.same.no")}</Button>
    </>
  );
}

const STEPS = ["camera", "microphone", "speaker"] as const;

/** On top of every step, so that *Skip* never moves under a finger. */
function Progress(props: { readonly step: (typeof STEPS)[number]; readonly onSkip: () => void }) {
  const say = useSay();
  return (
    <div className={style["progress"]}>
      <p>{say("check.progress", { step: STEPS.indexOf(props.step) + 1, of: STEPS.length, name: say(`check.name.${props.step}`) })}</p>
      <Button kind="quiet" onClick={props.onSkip}>{say("check.skip_all")}</Button>
    </div>
  );
}

function Camera(props: { readonly session: Session; readonly onNext: () => void }) {
  const { session } = props;
  const say = useSay();
  const cam = useStore(session.devices.state, (state) => state.cam);
  useEffect(() => {
    void session.devices.open();
  }, [session]);
  const heading = useScreenHeading(`camera ${cam.kind}`);
  const without = () => {
    session.do({ kind: "camera", off: true });
    props.onNext();
  };
  if (cam.kind === "stuck") return <Stuck kind="cam" fault={cam.fault} onTry={() => void session.devices.open()} onWithout={without} />;
  // While the device asks, everything stands where it will stand after the answer.
  const on = cam.kind === "on";
  return (
    <>
      <figure className={style["picture"]}>{on && <Picture track={cam.track} mirrored label={say("call.you")} />}</figure>
      <h1 ref={heading} tabIndex={-1}>{say(on ? "check.camera.title" : "check.camera.asking.title")}</h1>
      <p>{say(on ? "check.camera.what" : "check.camera.asking.what")}</p>
      <Button kind="primary" wide disabled={!on} onClick={props.onNext}>{say("check.camera.yes")}</Button>
      <Button wide onClick={without}>{say("check.camera.without")}</Button>
    </>
  );
}

function Microphone(props: { readonly session: Session; readonly onNext: () => void }) {
  const { session, onNext } = props;
  const say = useSay();
  const mic = useStore(session.devices.state, (state) => state.mic);
  const mics = useStore(session.devices.state, (state) => state.mics);
  const [heard, setHeard] = useState(false);
  const [silent, setSilent] = useState(false);
  const [tried, setTried] = useState(0);
  const loud = useRef(0);
  const track = mic.kind === "on" ? mic.track : null;

  useEffect(() => {
    void session.devices.open(["mic"]);
  }, [session]);
  const onLevel = useCallback((dbfs: number) => {
    loud.current = voiceScore(loud.current, dbfs);
    if (loud.current >= VOICE_SCORE) setHeard(true);
  }, []);
  useEffect(() => {
    if (!heard) return;
    const timer = setTimeout(onNext, HEARD_STAYS_MS);
    return () => clearTimeout(timer);
  }, [heard, onNext]);
  useEffect(() => {
    if (heard || track === null) return;
    const timer = setTimeout(() => {
      setSilent(true);
      setTried(tried + 1);
      if (tried + 1 < mics) void session.devices.nextMicrophone();
    }, SILENT_AFTER_MS);
    return () => clearTimeout(timer);
  }, [heard, track, mics, tried, session]);

  const state = mic.kind === "stuck" ? "stuck" : heard ? "heard" : track === null ? "asking" : silent ? "silent" : "listening";
  const heading = useScreenHeading(`microphone ${state === "stuck" || state === "asking" ? state : "on"}`);
  const without = () => {
    session.do({ kind: "mute", muted: true });
    onNext();
  };
  if (mic.kind === "stuck") return <Stuck kind="mic" fault={mic.fault} onTry={() => void session.devices.open(["mic"])} onWithout={without} />;
  return (
    <>
      <h1 ref={heading} tabIndex={-1} aria-live="polite">
        {say(state === "heard" ? "check.mic.heard" : state === "asking" ? "check.mic.asking.title" : state === "silent" ? "check.mic.silent" : "check.mic.title")}
      </h1>
      {track !== null && <Level track={track} label={say("check.mic.level")} onLevel={onLevel} />}
      <p>{say(state === "asking" ? "check.camera.asking.what" : state === "silent" ? (tried < mics ? "check.mic.trying" : "check.mic.silent.what") : "check.mic.what")}</p>
      {state === "silent" && mics > 1 && <Button wide onClick={() => void session.devices.nextMicrophone()}>{say("check.mic.other")}</Button>}
      <Button kind={heard ? "primary" : "normal"} wide onClick={onNext}>{say("check.mic.go")}</Button>
    </>
  );
}

function Sound(props: { readonly onNext: () => void }) {
  const say = useSay();
  const [help, setHelp] = useState(false);
  const played = useRef(false);
  const heading = useScreenHeading(`speaker ${help}`);
  useEffect(() => {
    if (played.current) return;
    played.current = true;
    void playTone();
  }, []);
  return (
    <>
      <h1 ref={heading} tabIndex={-1}>{say(help ? "check.sound.help.title" : "check.sound.title")}</h1>
      <p>{say(help ? "check.sound.help.what" : "check.sound.what")}</p>
      <Button kind="primary" wide onClick={props.onNext}>{say("check.sound.yes")}</Button>
      <Button wide onClick={() => void playTone()}>{say("check.sound.again")}</Button>
      {help
        ? <Button kind="quiet" wide onClick={props.onNext}>{say("check.sound.go")}</Button>
        : <Button wide onClick={() => { setHelp(true); void playTone(); }}>{say("check.sound.no")}</Button>}
    </>
  );
}

function Stuck(props: { readonly kind: Kind; readonly fault: DeviceFault; readonly onTry: () => void; readonly onWithout: () => void }) {
  const { say } = useLanguage();
  const heading = useScreenHeading(`stuck ${props.kind} ${props.fault}`);
  const { title, help } = useFaultWords(props.kind, props.fault);
  const helps = props.fault === "blocked" || props.fault === "blocked_system";
  return (
    <>
      <h1 ref={heading} tabIndex={-1}>{title}</h1>
      <p className={style["help"]}>{help}</p>
      {helps && <p>{say("check.by_itself")}</p>}
      {props.fault !== "insecure" && <Button kind="primary" wide onClick={props.onTry}>{say("check.try")}</Button>}
      <Button wide onClick={props.onWithout}>{say(props.kind === "cam" ? "check.camera.without" : "check.mic.without")}</Button>
    </>
  );
}

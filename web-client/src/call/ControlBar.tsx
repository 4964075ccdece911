import { Hand, Mic, MicOff, PhoneCall, PhoneOff, Settings as SettingsIcon, Video, VideoOff } from "lucide-react";
import { useEffect, useState, type ReactNode } from "react";
import { useSay } from "../i18n";
import { settle } from "../plan/registry";
import { Button } from "../ui/Button";
import { classes } from "../ui/classes";
import { Dialog } from "../ui/Dialog";
import type { Session } from "./session";
import { Settings } from "./Settings";
import { useStore } from "./store";
import { TelephoneDialog } from "./Telephone";
import style from "./ControlBar.module.css";

/** Mute, camera, leave: always in sight, icon over word. */
export function ControlBar(props: { readonly session: Session; /** Hand and settings, for those who have room and use for them. */ readonly full?: boolean; /** On the telephone there is nothing here to mute. */ readonly silent?: boolean; readonly className?: string | undefined }) {
  const { session } = props;
  const say = useSay();
  const own = useStore(session.call, (state) => state.own);
  const micSent = useStore(session.media, (state) => state.micSent);
  const mic = useStore(session.devices.state, (state) => state.mic);
  const cam = useStore(session.devices.state, (state) => state.cam);
  const [leaving, setLeaving] = useState(false);
  const [settings, setSettings] = useState(false);
  const [calling, setCalling] = useState(false);
  const mayCall = useStore(session.call, (state) => state.self?.may.includes("telephone") === true);
  const onPhone = useStore(session.call, (state) => state.telephone !== null);

  const muteAction = () => {
    if (mic.kind === "stuck") void session.devices.open(["mic"]);
    else session.do({ kind: "mute", muted: !own.muted });
  };
  const cameraAction = () => session.do({ kind: "camera", off: cam.kind === "on" });
  useShortcuts({
    KeyM: muteAction,
    KeyV: cameraAction,
    KeyH: () => session.do({ kind: "hand", up: !own.hand }),
    KeyE: () => setLeaving(true),
  });

  const micWord = mic.kind === "stuck" ? say("call.mic_fix")
    : own.muted ? say("call.unmute")
    : micSent ? say("call.mute")
    : say("call.mic_paused");
  const camWord = cam.kind === "stuck" ? say("call.camera_fix") : cam.kind === "on" ? say("call.camera_stop") : say("call.camera_start");
  return (
    <nav aria-label={say("call.controls")} className={classes(style["bar"], props.className)}>
      {props.silent !== true && <Control icon={micSent ? <Mic size={24} aria-hidden /> : <MicOff size={24} aria-hidden />} off={!micSent} onClick={muteAction}>{micWord}</Control>}
      {props.silent !== true && <Control icon={cam.kind === "on" ? <Video size={24} aria-hidden /> : <VideoOff size={24} aria-hidden />} off={cam.kind !== "on"} onClick={cameraAction}>{camWord}</Control>}
      {props.silent === true && <Control icon={<SettingsIcon size={24} aria-hidden />} onClick={() => setSettings(true)}>{say("call.settings")}</Control>}
      {props.full === true && (
        <>
          <Control icon={<Hand size={24} aria-hidden />} on={own.hand} onClick={() => session.do({ kind: "hand", up: !own.hand })}>
            {own.hand ? say("call.hand_down") : say("call.hand")}
          </Control>
          {mayCall && <Control icon={<PhoneCall size={24} aria-hidden />} on={onPhone} onClick={() => setCalling(true)}>{say("phone.control")}</Control>}
          <Control icon={<SettingsIcon size={24} aria-hidden />} onClick={() => setSettings(true)}>{say("call.settings")}</Control>
        </>
      )}
      <Control icon={<PhoneOff size={24} aria-hidden />} danger onClick={() => setLeaving(true)}>{say("call.leave")}</Control>
      {settings && <Settings session={session} onClose={() => setSettings(false)} />}
      {calling && <TelephoneDialog session={session} onClose={() => setCalling(false)} />}
      {leaving && <LeaveDialog session={session} onClose={() => setLeaving(false)} />}
    </nav>
  );
}

function Control(props: { readonly icon: ReactNode; readonly off?: boolean; readonly on?: boolean; readonly danger?: boolean; readonly onClick: () => void; readonly children: string }) {
  return (
    <button type="button" onClick={props.onClick} className={classes(style["control"], props.off === true && style["off"], props.on === true && style["on"], props.danger === true && style["danger"])}>
      {props.icon}
      <span>{props.children}</span>
    </button>
  );
}

/** How long *Leave* waits for the server to have everything: longer than a slow line's answer, shorter than patience. */
const SETTLE_MS = 3_000;

function LeaveDialog(props: { readonly session: Session; readonly onClose: () => void }) {
  const say = useSay();
  const mayEnd = useStore(props.session.call, (state) => state.self?.may.includes("end_visit") === true);
  const [waiting, setWaiting] = useState(false);
  const [unsent, setUnsent] = useState(0);
  /** What was typed goes first. What the server still has not then is told once, and kept on this device. */
  const go = async (kind: "leave" | "end") => {
    if (unsent === 0) {
      setWaiting(true);
      const left = await settle(SETTLE_MS);
      setWaiting(false);
      if (left > 0) return setUnsent(left);
    }
    props.onClose();
    props.session.do({ kind });
  };
  return (
    <Dialog
      title={say("call.leave.title")}
      onClose={props.onClose}
      actions={(
        <>
          <Button onClick={props.onClose}>{say("call.leave.stay")}</Button>
          {mayEnd && <Button aria-disabled={waiting} onClick={() => { if (!waiting) void go("end"); }}>{say("call.end")}</Button>}
          <Button kind="danger" aria-disabled={waiting} onClick={() => { if (!waiting) void go("leave"); }}>
            {say(waiting ? "call.leave.saving" : unsent > 0 ? "call.leave.anyway" : "call.leave.yes")}
          </Button>
        </>
      )}
    >
      {unsent > 0
        ? <p role="alert">{say("call.leave.unsent", { count: unsent })}</p>
        : <p>{say("call.leave.what")}</p>}
      {mayEnd && <p>{say("call.end.what")}</p>}
    </Dialog>
  );
}

/** With two modifiers, so that no reader's own keys and no typing meet them. */
function useShortcuts(actions: Readonly<Record<string, () => void>>): void {
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      const action = event.altKey && event.shiftKey && !event.ctrlKey && !event.metaKey ? actions[event.code] : undefined;
      if (action === undefined) return;
      event.preventDefault();
      action();
    };
    window.addEventListener("keydown", pressed);
    return () => window.removeEventListener("keydown", pressed);
  });
}

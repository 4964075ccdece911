import { CircleAlert, MicOff, RefreshCw, TriangleAlert, Volume2, WifiOff } from "lucide-react";
import { useEffect, useState } from "react";
import { useSay } from "../i18n";
import { Banner } from "../ui/Banner";
import { Button } from "../ui/Button";
import style from "./CallBanners.module.css";
import type { DeviceFault } from "./faults";
import type { Session } from "./session";
import { useStore } from "./store";
import { useFaultWords } from "./useFaultWords";
import { weak } from "./weak";

/** A short break of the line is nobody's business: it is mended before a sentence about it is read. */
const LINE_WORDS_AFTER_MS = 2_000;

/** Messages that a person caused by a press; the others repair themselves. */
const PRESSED: readonly string[] = ["admit", "send_back", "telephone", "end"];

/** What needs to be known or done now, the most urgent first. Each stays until its cause is gone. */
export function CallBanners(props: { readonly session: Session; /** Where no chip says it. */ readonly connecting?: boolean }) {
  const { session } = props;
  const say = useSay();
  const link = useStore(session.media, (state) => state.link);
  const resting = useStore(session.media, (state) => state.camResting);
  const talkingMuted = useStore(session.media, (state) => state.talkingMuted);
  const mutedByChoice = useStore(session.call, (state) => state.own.muted);
  const fault = useStore(session.devices.state, (state) => (state.mic.kind === "stuck" ? state.mic.fault : null));
  const blocked = useStore(session.speakers.blocked, (state) => state);
  const newer = useStore(session.call, (state) => state.unknown > 0);
  const refused = useStore(session.call, (state) => state.refused);
  const [read, setRead] = useState(0);
  const weakLine = useStore(session.call, (state) => state.seats.some((seat) => seat.seat === state.self?.seat && weak(seat.loss) !== null));
  const lineDown = useLineDown(session);
  return (
    <div className={style["banners"]}>
      {blocked && (
        <button type="button" className={style["hear"]} onClick={() => void session.speakers.resume()}>
          <Volume2 size={24} aria-hidden />{say("call.tap_to_hear")}
        </button>
      )}
      {link === "reconnecting" && <Banner tone="warn" icon={<WifiOff size={20} aria-hidden />}>{say("call.reconnecting")}</Banner>}
      {props.connecting === true && link === "connecting" && <Banner tone="info">{say("call.connecting")}</Banner>}
      {link !== "reconnecting" && lineDown === "down" && <Banner tone="warn" icon={<WifiOff size={20} aria-hidden />}>{say("call.line_only")}</Banner>}
      {link === "up" && resting && <Banner tone="info" icon={<CircleAlert size={20} aria-hidden />}>{say("call.paused.own")}</Banner>}
      {link === "up" && weakLine && !resting && <Banner tone="info" icon={<CircleAlert size={20} aria-hidden />}>{say("call.weak.you")}</Banner>}
      {(lineDown === "reload" || newer) && (
        <Banner tone="warn" icon={<RefreshCw size={20} aria-hidden />} action={<Button onClick={() => location.reload()}>{say("ui.reload")}</Button>}>{say("call.update")}</Banner>
      )}
      {refused !== null && refused.n > read && PRESSED.includes(refused.of) && (
        <Banner tone="warn" icon={<TriangleAlert size={20} aria-hidden />} action={<Button onClick={() => setRead(refused.n)}>{say("ui.close")}</Button>}>
          {say(refused.code === "not_allowed" ? "call.refused.not_allowed" : "call.refused")}
        </Banner>
      )}
      {fault !== null && <MicFault fault={fault} onTry={() => void session.devices.open(["mic"])} />}
      {fault === null && mutedByChoice && talkingMuted && (
        <Banner tone="warn" icon={<MicOff size={20} aria-hidden />} action={<Button onClick={() => session.do({ kind: "mute", muted: false })}>{say("call.turn_sound_on")}</Button>}>
          {say("call.you_are_muted")}
        </Banner>
      )}
    </div>
  );
}

function MicFault(props: { readonly fault: DeviceFault; readonly onTry: () => void }) {
  const say = useSay();
  const { title, help } = useFaultWords("mic", props.fault);
  return (
    <Banner tone="warn" icon={<TriangleAlert size={20} aria-hidden />} action={<Button onClick={props.onTry}>{say("call.try")}</Button>}>
      {title}. {help}
    </Banner>
  );
}

function useLineDown(session: Session): "up" | "down" | "reload" {
  const state = useStore(session.line.state, (line) => line);
  const since = state.kind === "reconnecting" ? state.since : null;
  const [late, setLate] = useState<number | null>(null);
  useEffect(() => {
    if (since === null) return;
    const timer = setTimeout(() => setLate(since), Math.max(0, LINE_WORDS_AFTER_MS - (performance.now() - since)));
    return () => clearTimeout(timer);
  }, [since]);
  if (state.kind === "closed" && state.why === "reload") return "reload";
  return since !== null && late === since ? "down" : "up";
}

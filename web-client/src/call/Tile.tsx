import { CircleAlert, Hand, MicOff, Pencil, PhoneCall } from "lucide-react";
import { useCallback, useEffect, useRef, useState } from "react";
import { useSay } from "../i18n";
import { classes } from "../ui/classes";
import type { RosterSeat, SlotMap } from "../wire";
import { editing } from "./editing";
import type { Face } from "./layout";
import { Picture } from "./Picture";
import { revealOnFrame, revealOnTimeout, UNPROVEN_AFTER_MS, type Reveal } from "./reveal";
import { markOnce, type Session } from "./session";
import { useStore } from "./store";
import style from "./Tile.module.css";
import { weak } from "./weak";

/** A face with its name. A name never stands under a picture that may be somebody else's. */
export function Tile(props: { readonly session: Session; readonly face: Face; readonly large?: boolean }) {
  const { session, face } = props;
  const say = useSay();
  const { seat, mid } = face;
  const slot = useStore(session.call, (state) => (mid === null ? undefined : state.slots.get(mid)));
  const track = useStore(session.media, (state) => (mid === null ? undefined : state.videos.get(mid)));
  const speaking = useStore(session.call, (state) => state.speaker === seat.seat);
  const onPhone = useStore(session.call, (state) => state.telephone !== null) && seat.role === "patient";
  const colour = useStore(editing, (seats) => seats.get(seat.seat));
  const figure = useRef<HTMLElement>(null);

  useEffect(() => {
    const element = figure.current;
    if (element === null || mid === null) return;
    let inView = true;
    const tell = () => session.size(mid, inView ? element.clientHeight : 0);
    const size = new ResizeObserver(tell);
    size.observe(element);
    // A tile scrolled away costs nothing; one that is about to come into view is asked for before it does.
    const view = new IntersectionObserver((entries) => {
      inView = entries.at(-1)?.isIntersecting ?? true;
      tell();
    }, { rootMargin: "25%" });
    view.observe(element);
    return () => {
      size.disconnect();
      view.disconnect();
      session.size(mid, null);
    };
  }, [session, mid]);

  const paused = whyPaused(seat, slot);
  const picture = track !== undefined && slot !== undefined && !seat.presence.camera_off && paused === null;
  const [shown, setShown] = useState<Reveal>("blank");
  const named = !picture || shown === "proven";
  return (
    <figure ref={figure} className={classes(style["tile"], props.large === true && style["large"], speaking && style["speaking"], colour !== undefined && style["editing"], colour !== undefined && style[`person${colour}`])}>
      {picture
        ? <SlotPicture key={`${slot.mid} ${slot.seat} ${slot.from_rtp_timestamp}`} track={track} slot={slot} label={named ? seat.name : ""} onReveal={setShown} />
        : <span className={style["initials"]} aria-hidden>{initials(seat.name)}</span>}
      {paused !== null && (
        <p className={style["paused"]}>
          <strong>{say(paused === "format" ? "call.unshown" : "call.paused")}</strong>
          <span className={style["why"]}>{say(`call.paused.${paused}`)}</span>
        </p>
      )}
      <figcaption className={style["label"]}>
        {named && <bdi className={style["name"]}>{seat.name}</bdi>}
        {seat.presence.muted && <span className={style["state"]}><MicOff size={16} aria-hidden />{say("call.muted")}</span>}
        {colour !== undefined && <span className={style["state"]}><Pencil size={16} aria-hidden />{say("call.in_record")}</span>}
        {seat.presence.hand && <span className={style["state"]}><Hand size={16} aria-hidden />{say("call.hand_up")}</span>}
        {seat.state === "present" && weak(seat.loss) !== null && <span className={style["state"]}><CircleAlert size={16} aria-hidden />{say("call.weak")}</span>}
        {onPhone
          ? <span className={style["state"]}><PhoneCall size={16} aria-hidden />{say("phone.chip")}</span>
          : seat.state === "reconnecting" && <span className={style["state"]}>{say("call.seat.reconnecting")}</span>}
      </figcaption>
      {speaking && <span className="unseen">{say("call.speaking")}</span>}
    </figure>
  );
}

/** Why there is no picture though there is a camera: a frozen face would look like a fault, or like a fall. */
function whyPaused({ presence }: RosterSeat, slot: SlotMap | undefined): "yours" | "theirs" | "format" | null {
  if (presence.camera_off) return null;
  if (slot?.held === "line") return "yours";
  if (slot?.held === "format") return "format";
  return presence.camera_resting ? "theirs" : null;
}

function SlotPicture(props: { readonly track: MediaStreamTrack; readonly slot: SlotMap; readonly label: string; readonly onReveal: (reveal: Reveal) => void }) {
  const { onReveal, slot } = props;
  const [reveal, setReveal] = useState<Reveal>("blank");
  useEffect(() => onReveal(reveal), [onReveal, reveal]);
  useEffect(() => {
    const timer = setTimeout(() => setReveal(revealOnTimeout), UNPROVEN_AFTER_MS);
    return () => clearTimeout(timer);
  }, []);
  const onFrame = useCallback((rtpTimestamp: number | undefined) => {
    markOnce("mortar:first-video-frame");
    setReveal((before) => revealOnFrame(before, slot.from_rtp_timestamp, rtpTimestamp));
  }, [slot]);
  return (
    <>
      <Picture track={props.track} label={props.label} onFrame={reveal === "proven" ? undefined : onFrame} />
      {reveal === "blank" && <span className={style["blank"]} />}
    </>
  );
}

/** At most two letters, of the first and the last word. */
export function initials(name: string): string {
  const words = name.trim().split(/\s+/);
  const first = words[0] ?? "";
  const last = words.length > 1 ? words.at(-1) ?? "" : "";
  return ([...first][0] ?? "").toUpperCase() + ([...last][0] ?? "").toUpperCase();
}

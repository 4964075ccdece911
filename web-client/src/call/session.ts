/** One seat's visit while its page is open: line, state, devices, media and sound, tied together. Lives outside React. */
import type { ClientMessage, SeatId, ServerMessage, SlotWish } from "../wire";
import { Connection } from "./connection";
import { Devices } from "./devices";
import { EMPTY, layout, wishes, type Layout } from "./layout";
import { meter, VOICE_SCORE, voiceScore } from "./meter";
import { Peer, SLOTS, type Slot } from "./peer";
import { look, UNSEEN } from "./redundancy";
import { begin, isReconnecting, isWatched, lost, recover, type Recovery, type Sample } from "./recovery";
import { Speakers } from "./speakers";
import { act, closedBy, presenceNow, receive, START, withoutSlots, type CallState, type Intent } from "./state";
import { createStore, type Store } from "./store";
import { isOnTelephone } from "./telephone";
import { cameraRoom, isResting, thin, WIDE, type Thin } from "./thin";
import { wanted } from "./wanted";
import { isPhone } from "../ui/usePhone";

/** How the sound and picture of this seat stand. */
export type MediaLink = "none" | "connecting" | "up" | "reconnecting";

export interface MediaState {
  readonly link: MediaLink;
  /** What is on the senders: the mute button shows this, not the click. */
  readonly micSent: boolean;
  readonly camSent: boolean;
  /** The own picture rests, though the camera is on: the line carries the voice and not more. */
  readonly camResting: boolean;
  /** Incoming pictures by mid. */
  readonly videos: ReadonlyMap<string, MediaStreamTrack>;
  readonly layout: Layout;
  /** A voice near a muted microphone, a moment ago. */
  readonly talkingMuted: boolean;
}

const NO_MEDIA: MediaState = { link: "none", micSent: false, camSent: false, camResting: false, videos: new Map(), layout: EMPTY, talkingMuted: false };

const SAMPLE_EVERY_MS = 500;
/** The same where the path may be gone, and until it is back. */
const SAMPLE_WATCHED_EVERY_MS = 100;
/** A page hidden longer than this may come back on another network. */
const LONG_HIDDEN_MS = 10_000;
/** Wishes for picture sizes are collected this long: a window being dragged is one wish. */
const WANT_EVERY_MS = 500;
/** "You are muted" stays this long after the last word. */
const TALKING_STAYS_MS = 5_000;

export class Session {
  readonly seat: SeatId;
  readonly line: Connection;
  readonly call: Store<CallState> = createStore(START);
  readonly media: Store<MediaState> = createStore(NO_MEDIA);
  readonly devices = new Devices();
  readonly speakers = new Speakers();

  readonly #peer: Peer;
  readonly #quiet: boolean;
  #recovery: Recovery | null = null;
  #thin: Thin = WIDE;
  #uplink = UNSEEN;
  #slots: readonly Slot[] = [];
  #nudge = false;
  #hiddenSince: number | null = null;
  #timer: number | undefined;
  #watchTimer: number | undefined;
  #wantTimer: number | undefined;
  #sentWishes = new Map<string, SlotWish>();
  #heights = new Map<string, number>();
  #wakeLock: WakeLockSentinel | null = null;
  #metered: MediaStreamTrack | null = null;
  #stopMeter: () => void = () => undefined;
  #quietAt = 0;
  #mutedByFault = false;
  #undo: (() => void)[] = [];

  /** `quiet`: a visit by telephone, in which microphone and camera stay off until their person turns them on. */
  constructor(seat: SeatId, quiet = false) {
    this.seat = seat;
    this.#quiet = quiet;
    if (quiet) this.call.set({ ...START, own: { ...START.own, muted: true, cameraOff: true } });
    this.line = new Connection(seat);
    const small = isPhone();
    this.#peer = new Peer(
      {
        offer: (offer) => this.line.send({ type: "offer", ...offer }),
        sending: ({ mic, cam }) => this.#media({ micSent: mic !== null, camSent: cam !== null }),
        slots: (slots) => this.#gotSlots(slots),
        changed: () => void this.#sample(),
      },
      small ? SLOTS.phone : SLOTS.desktop,
    );
  }

  /** May be called again after `stop`: a development build mounts everything twice. */
  start(): void {
    if (this.#undo.length > 0) return;
    const nudge = () => {
      this.#nudge = true;
      void this.#sample();
    };
    const visible = () => {
      if (document.visibilityState === "hidden") {
        this.#hiddenSince = performance.now();
      } else {
        if (this.#hiddenSince !== null && performance.now() - this.#hiddenSince > LONG_HIDDEN_MS) nudge();
        this.#hiddenSince = null;
        void this.#keepAwake();
      }
      this.#wantSoon();
    };
    window.addEventListener("online", nudge);
    window.addEventListener("resize", this.#wantSoon);
    document.addEventListener("visibilitychange", visible);
    this.#timer = window.setInterval(() => void this.#sample(), SAMPLE_EVERY_MS);
    this.#undo = [
      () => window.removeEventListener("online", nudge),
      () => window.removeEventListener("resize", this.#wantSoon),
      () => document.removeEventListener("visibilitychange", visible),
      () => clearInterval(this.#timer),
      () => clearTimeout(this.#wantTimer),
      () => clearTimeout(this.#watchTimer),
      this.line.onMessage((message) => this.#received(message)),
      this.line.state.subscribe(() => this.#lineChanged()),
      this.devices.state.subscribe(() => this.#devicesChanged()),
    ];
  }

  /** Opens the line: from here on others can see this seat. */
  connect(): void {
    this.call.set({ ...this.call.get(), over: null, admission: null });
    this.line.start();
  }

  stop(): void {
    for (const undo of this.#undo) undo();
    this.#undo = [];
    this.#endMedia();
    this.devices.close();
    this.line.stop();
  }

  do(intent: Intent): void {
    this.#tell(intent);
    if (intent.kind === "mute") this.#mutedByFault = false;
    if (intent.kind === "mute" && !intent.muted && this.devices.state.get().mic.kind === "idle") void this.devices.open(["mic"]);
    if (intent.kind === "camera") void this.devices.setCamera(!intent.off);
    if (intent.kind === "leave") this.#over();
    this.#reconcile();
  }

  /** A tile tells how tall it stands; `null` when it is gone. */
  size(mid: string, cssHeight: number | null): void {
    if (cssHeight === null) this.#heights.set(mid, 0);
    else this.#heights.set(mid, cssHeight);
    this.#wantSoon();
  }

  #received(message: ServerMessage): void {
    const before = this.call.get();
    this.call.set(receive(before, message));
    switch (message.type) {
      case "welcome":
        this.#peer.prefer(message.visit.camera);
        break;
      case "answer":
        this.#peer.answer(message.n, message.sdp).catch(() => this.#lost());
        break;
      case "layers":
        if (message.source === "cam") this.#peer.watched(message.rids);
        break;
      case "media_failed":
        if (message.why === "replaced") break; // by our own newer one
        if (message.why === "dtls_srtp_profile") void this.#rebuild("fallback");
        else this.#lost();
        break;
      case "refused":
        if (message.of === "offer") this.#lost();
        break;
      case "ended":
        this.#over();
        break;
      default:
        // Folded by `receive`, or the record's: each letter that somebody types is one, and asks nothing of the media.
        if (this.call.get() === before) return;
    }
    this.#reconcile();
  }

  #lineChanged(): void {
    const state = this.line.state.get();
    if (state.kind === "open") {
      this.line.send(presenceNow(this.call.get().own));
      this.#sentWishes.clear();
      this.#wantSoon();
    }
    if (state.kind === "closed") {
      this.call.set(closedBy(this.call.get(), state.why));
      this.#endMedia();
    }
    this.#reconcile();
  }

  #over(): void {
    this.#endMedia();
    this.devices.close();
    // After the goodbye has left the buffer; a socket closes in order.
    this.line.stop("done");
  }

  #devicesChanged(): void {
    const { mic, cam } = this.devices.state.get();
    const track = mic.kind === "on" ? mic.track : null;
    if (track !== this.#metered) {
      this.#metered = track;
      this.#stopMeter();
      this.#stopMeter = track === null ? () => undefined : this.#watchVoice(track);
    }
    const { own } = this.call.get();
    // What others are told follows the device: a camera that is stuck is off, a microphone that is stuck is muted.
    if (cam.kind === "stuck" && !own.cameraOff) this.#tell({ kind: "camera", off: true });
    else if (cam.kind === "on" && own.cameraOff) this.#tell({ kind: "camera", off: false });
    if (mic.kind === "stuck" && !own.muted) {
      this.#mutedByFault = true;
      this.#tell({ kind: "mute", muted: true });
    } else if (mic.kind === "on" && this.#mutedByFault) {
      this.#mutedByFault = false;
      this.#tell({ kind: "mute", muted: false });
    }
    this.#reconcile();
  }

  #tell(intent: Intent): void {
    const done = act(this.call.get(), intent);
    this.call.set(done.state);
    for (const message of done.send) this.line.send(message);
  }

  #watchVoice(track: MediaStreamTrack): () => void {
    let score = 0;
    return meter(track, (dbfs) => {
      score = voiceScore(score, dbfs);
      const now = performance.now();
      if (this.call.get().own.muted && score >= VOICE_SCORE) this.#quietAt = now + TALKING_STAYS_MS;
      this.#media({ talkingMuted: this.call.get().own.muted && now < this.#quietAt });
    });
  }

  #media(change: Partial<MediaState>): void {
    const before = this.media.get();
    const next = { ...before, ...change };
    const same = (Object.keys(change) as (keyof MediaState)[]).every((key) => Object.is(before[key], next[key]));
    if (!same) this.media.set(next);
  }

  /** Makes media follow the state: the one place where a connection is begun or ended. */
  #reconcile(): void {
    const { admission, own, over, self } = this.call.get();
    const admitted = admission?.state === "admitted" && over === null;
    if (admitted && this.#recovery === null && this.line.state.get().kind === "open") {
      performance.mark("mortar:admitted");
      this.#recovery = begin(performance.now());
      if (!this.#quiet) void this.devices.open(own.cameraOff ? ["mic"] : ["mic", "cam"]);
      void this.#keepAwake();
      void this.#rebuild();
    } else if (!admitted && this.#recovery !== null) {
      this.#endMedia();
    }
    const { mic, cam } = this.devices.state.get();
    const reconnecting = this.#recovery !== null && isReconnecting(this.#recovery);
    const onTelephone = isOnTelephone(this.call.get());
    this.speakers.silence(onTelephone);
    this.#peer.want(wanted({
      admitted,
      muted: own.muted,
      cameraOff: own.cameraOff,
      reconnecting,
      onTelephone,
      mic: mic.kind === "on" ? mic.track : null,
      cam: cam.kind === "on" ? cam.track : null,
    }));
    const link: MediaLink = this.#recovery === null ? "none"
      : reconnecting ? "reconnecting"
      : this.#recovery.phase.kind === "first" ? "connecting"
      : "up";
    const { seats, slots, speaker } = this.call.get();
    const arranged = self === null ? EMPTY
      : layout(this.media.get().layout, { now: performance.now(), me: self.seat, role: self.role, seats, slots, speaker });
    this.#media({ link, ...(sameLayout(arranged, this.media.get().layout) ? {} : { layout: arranged }) });
    if (link === "up") this.#wantSoon();
  }

  async #sample(): Promise<void> {
    if (this.#recovery === null) return;
    const stats = await this.#peer.stats();
    if (this.#recovery === null) return;
    const now = performance.now();
    const lost = this.#lossTold();
    const seen = look(this.#uplink, { now, lost, available: stats.room, roundTrip: stats.roundTripMs });
    this.#uplink = seen.next;
    this.#peer.sendVoice(seen.voice);
    const sample: Sample = {
      now,
      ice: this.#peer.ice,
      bytes: stats.bytes,
      due: this.#due(),
      line: this.line.state.get().kind === "open",
      nudge: this.#nudge,
    };
    this.#nudge = false;
    const { next, repair } = recover(this.#recovery, sample);
    this.#recovery = next;
    // A path that is being repaired says nothing of how much it carries.
    if (next.phase.kind === "up") this.#giveWay(thin(this.#thin, { now, picture: this.media.get().camSent, told: lost / 100, held: this.#isHeld(), ...stats }));
    this.#reconcile();
    if (isWatched(next)) {
      this.#watchTimer ??= window.setTimeout(() => {
        this.#watchTimer = undefined;
        void this.#sample();
      }, SAMPLE_WATCHED_EVERY_MS);
    }
    if (repair === "restart") this.#peer.restart().catch(() => this.#lost());
    if (repair === "rebuild") void this.#rebuild();
  }

  #isHeld(): boolean {
    return [...this.call.get().slots.values()].some((slot) => slot.held === "line");
  }

  /** Of what we send, in hundredths, as the server tells it. */
  #lossTold(): number {
    const { seats, self } = this.call.get();
    return seats.find((seat) => seat.seat === self?.seat)?.loss.from ?? 0;
  }

  /** The picture gives way to the voice, and everybody is told why there is none. */
  #giveWay(next: Thin): void {
    this.#thin = next;
    this.#peer.allow(cameraRoom(next));
    const resting = isResting(next);
    this.#media({ camResting: resting });
    if (resting !== this.call.get().own.cameraResting) this.#tell({ kind: "rest", resting });
  }

  /** Whether bytes should arrive: somebody sends to us, or we send and the server's reports are due. */
  #due(): boolean {
    const { micSent, camSent, camResting } = this.media.get();
    if (micSent || (camSent && !camResting)) return true;
    const { seats, slots, self } = this.call.get();
    const carried = new Set([...slots.values()].map((slot) => slot.seat));
    return seats.some((seat) => seat.seat !== self?.seat && seat.state === "present" && carried.has(seat.seat)
      && !(seat.presence.muted && seat.presence.camera_off));
  }

  async #rebuild(srtp?: "first" | "fallback"): Promise<void> {
    this.#sentWishes.clear();
    // What the old transport's slots carried says nothing about the new one's, though they have the same mids.
    this.call.set(withoutSlots(this.call.get()));
    try {
      await this.#peer.rebuild(srtp);
    } catch {
      this.#lost();
    }
  }

  /** The first time at once; then the samples' clock paces the tries. */
  #lost(): void {
    if (this.#recovery === null) return;
    this.#recovery = lost(this.#recovery, performance.now());
    if (this.#recovery.phase.kind !== "up" && "tries" in this.#recovery.phase && this.#recovery.phase.tries === 1) void this.#rebuild();
    this.#reconcile();
  }

  #gotSlots(slots: readonly Slot[]): void {
    this.#slots = slots;
    const videos = new Map<string, MediaStreamTrack>();
    const voices = new Map<string, MediaStreamTrack>();
    for (const { mid, kind, track } of slots) {
      (kind === "video" ? videos : voices).set(mid, track);
      if (kind === "audio") track.addEventListener("unmute", () => markOnce("mortar:first-audio"), { once: true });
    }
    this.speakers.set(voices);
    this.#media({ videos });
  }

  readonly #wantSoon = () => {
    this.#wantTimer ??= window.setTimeout(() => {
      this.#wantTimer = undefined;
      if (this.media.get().link !== "up") return;
      const mids = this.#slots.filter((slot) => slot.kind === "video").map((slot) => slot.mid);
      const changed = wishes(mids, this.media.get().layout, this.#heights, document.visibilityState === "hidden", devicePixelRatio, this.#sentWishes);
      if (changed.length === 0) return;
      const message: ClientMessage = { type: "want", slots: [...changed] };
      if (this.line.send(message)) for (const wish of changed) this.#sentWishes.set(wish.mid, wish);
    }, WANT_EVERY_MS);
  };

  #endMedia(): void {
    this.#recovery = null;
    this.#giveWay(WIDE);
    this.#uplink = UNSEEN;
    this.#peer.close();
    this.speakers.close();
    this.#stopMeter();
    this.#stopMeter = () => undefined;
    this.#metered = null;
    void this.#wakeLock?.release();
    this.#wakeLock = null;
    this.media.set(NO_MEDIA);
  }

  async #keepAwake(): Promise<void> {
    if (this.#recovery === null || !("wakeLock" in navigator)) return;
    if (this.#wakeLock !== null && !this.#wakeLock.released) return;
    try {
      this.#wakeLock = await navigator.wakeLock.request("screen");
    } catch {
      // Low battery or a hidden page: the call goes on, the screen may go dark.
    }
  }
}

/** Marks once a page: when a face was first seen, when a voice first came. */
export function markOnce(name: "mortar:first-audio" | "mortar:first-video-frame"): void {
  if (performance.getEntriesByName(name).length === 0) performance.mark(name);
}

function sameLayout(a: Layout, b: Layout): boolean {
  const same = (x: Layout["strip"][number] | undefined | null, y: Layout["strip"][number] | undefined | null) =>
    x === y || (x?.seat === y?.seat && x?.mid === y?.mid);
  return same(a.large, b.large) && a.strip.length === b.strip.length && a.strip.every((face, i) => same(face, b.strip[i]));
}

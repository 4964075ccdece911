/**
 * The one RTCPeerConnection of a seat, and what makes it equal to what is wanted. The client always offers. Lives
 * outside React.
 *
 * Lines of the offer, in this order: microphone, camera, then the video slots, then as many audio slots. The i-th audio
 * slot goes with the i-th video slot: a browser's offer cannot say so, therefore the order says it.
 */
import type { CameraFormat, Rid, SrtpAttempt, TransportKind } from "../wire";
import { able, describe, formatOf, sendingOf, type Sizes } from "./format";
import { areAsWanted, asWanted, encodings, type Sent, type WatchedLayers } from "./layers";
import { withVoice, type Voice } from "./redundancy";
import { lineStats, NOTHING, type LineStats } from "./stats";
import type { CameraRoom } from "./thin";

/** Pictures at once. A phone decodes four without getting hot; a desk shows six beside a record. */
export const SLOTS = { desktop: 6, phone: 4 } as const;
/** Opus for speech at full bandwidth. More is not heard; at 32 a voice with its headers and both ways' reports fills a line of 64 kb/s. */
const MICROPHONE_MAX_BPS = 24_000;

export interface Tracks {
  readonly mic: MediaStreamTrack | null;
  readonly cam: MediaStreamTrack | null;
}

export interface Slot {
  readonly mid: string;
  readonly kind: "video" | "audio";
  readonly track: MediaStreamTrack;
}

export interface PeerEnvironment {
  /** False if the line is not open; then the next repair tries again. */
  offer(offer: { readonly n: number; readonly sdp: string; readonly srtp: SrtpAttempt; readonly transport: TransportKind }): boolean;
  /** What is really on the senders now. */
  sending(tracks: Tracks): void;
  /** The slots of a new connection, in the order of their lines. */
  slots(slots: readonly Slot[]): void;
  /** ICE changed. */
  changed(): void;
}

/** A sender that refuses what is wanted is asked again after a moment, for it may be busy, but not for ever: some browsers cannot. */
const RETRY_MS = 1_000;
const REFUSALS = 5;

export class Peer {
  readonly #environment: PeerEnvironment;
  readonly #slots: number;
  #pc: RTCPeerConnection | null = null;
  #mic: RTCRtpSender | null = null;
  #cam: RTCRtpSender | null = null;
  #wanted: Tracks = { mic: null, cam: null };
  #camera: CameraFormat = "vp8"; // as the practice prefers
  #sizes: Sizes = "simulcast";
  #watched: WatchedLayers = null;
  #answer: string | null = null; // what is said of layers before it speaks of the connection before
  #voice: Voice = "plain";
  /** As the connection was told. */
  #toldVoice: Voice = "plain";
  #turn: Promise<void> = Promise.resolve();
  #room: CameraRoom = "all";
  /** How often in a row a sender refused. */
  #refusals = 0;
  #reconciling = false;
  #n = 0;
  #srtp: SrtpAttempt = "first";

  constructor(environment: PeerEnvironment, slots: number) {
    this.#environment = environment;
    this.#slots = slots;
  }

  get ice(): RTCIceConnectionState | "none" {
    return this.#pc?.iceConnectionState ?? "none";
  }

  /** The newest wish wins; one change at a time. */
  want(tracks: Tracks): void {
    this.#wanted = tracks;
    void this.#reconcile();
  }

  /** Somebody looks at these layers of the camera, and at no other. */
  watched(rids: readonly Rid[]): void {
    if (this.#answer === null) return;
    this.#watched = rids;
    void this.#reconcile();
  }

  /** In which format the practice prefers cameras: from the next connection on. */
  prefer(format: CameraFormat): void {
    this.#camera = format;
  }

  /** How the own voice is sent. Where browser or server know no redundant audio it stays plain. */
  sendVoice(voice: Voice): void {
    if (this.#voice === voice) return;
    this.#voice = voice;
    void this.#reconcile();
  }

  /** A new connection for the same seat. The old one goes only when the new one stands, or at once if it is dead. */
  async rebuild(srtp: SrtpAttempt = this.#srtp): Promise<void> {
    this.#srtp = srtp;
    this.#discard();
    const pc = new RTCPeerConnection({ bundlePolicy: "max-bundle", iceServers: [] });
    this.#pc = pc;
    const mic = pc.addTransceiver("audio", { direction: "sendonly", sendEncodings: [{ maxBitrate: MICROPHONE_MAX_BPS }] });
    const { format, sizes } = sendingOf(this.#camera, able());
    const cam = pc.addTransceiver("video", { direction: "sendonly", sendEncodings: encodings(sizes) });
    this.#sizes = sizes;
    take(mic, isSound);
    take(cam, (codec) => formatOf(codec) === format || isRepair(codec));
    if (format === "av1") describe(cam);
    this.#mic = mic.sender;
    this.#cam = cam.sender;
    const receiving: RTCRtpTransceiver[] = [];
    for (const kind of ["video", "audio"] as const) {
      for (let i = 0; i < this.#slots; i += 1) {
        const line = pc.addTransceiver(kind, { direction: "recvonly" });
        take(line, kind === "video" ? (codec) => formatOf(codec) !== null || isRepair(codec) : isSound);
        if (kind === "video") describe(line);
        receiving.push(line);
      }
    }
    pc.oniceconnectionstatechange = () => this.#environment.changed();
    pc.onconnectionstatechange = () => this.#environment.changed();
    await this.#reconcile();
    await this.#offer(pc, "new");
    if (this.#pc !== pc) return;
    this.#environment.slots(receiving.flatMap((line) => {
      const { mid, receiver: { track } } = line;
      return mid === null ? [] : [{ mid, kind: track.kind === "video" ? "video" as const : "audio" as const, track }];
    }));
  }

  /** New ICE credentials on the same transport: tracks, slots and keys stay. */
  async restart(): Promise<void> {
    const pc = this.#pc;
    if (pc === null) {
      await this.rebuild();
      return;
    }
    await this.#offer(pc, "same");
  }

  async answer(n: number, sdp: string): Promise<void> {
    const pc = this.#pc;
    if (pc === null || n !== this.#n || pc.signalingState !== "have-local-offer") return; // of an older offer
    this.#answer = sdp;
    await this.#tell(pc, sdp);
  }

  /** How much of the camera the line may be given. */
  allow(room: CameraRoom): void {
    if (room === this.#room) return;
    this.#room = room;
    void this.#reconcile();
  }

  async stats(): Promise<LineStats> {
    return this.#pc === null ? NOTHING : lineStats(await this.#pc.getStats());
  }

  close(): void {
    this.#discard();
    this.#wanted = { mic: null, cam: null };
    this.#environment.slots([]);
    this.#environment.sending({ mic: null, cam: null });
  }

  #discard(): void {
    const pc = this.#pc;
    this.#pc = this.#mic = this.#cam = null;
    this.#watched = null;
    this.#answer = null;
    this.#toldVoice = "plain";
    this.#turn = Promise.resolve();
    if (pc === null) return;
    pc.oniceconnectionstatechange = pc.onconnectionstatechange = null;
    pc.close();
  }

  async #offer(pc: RTCPeerConnection, transport: TransportKind): Promise<void> {
    try {
      await this.#inTurn(async () => {
        const offer = await pc.createOffer({ iceRestart: transport === "same" });
        if (this.#pc !== pc) return;
        await pc.setLocalDescription(offer);
        if (this.#pc !== pc) return;
        this.#n = (this.#n + 1) >>> 0;
        // The server is ICE-lite and answers with its own addresses: ours need not be gathered first.
        this.#environment.offer({ n: this.#n, sdp: offer.sdp ?? "", srtp: this.#srtp, transport });
      });
    } catch (error) {
      if (this.#pc === pc) throw error;
      // closed under us: the next connection is already being built
    }
  }

  /** Gives the connection the server's answer with the own voice as wished. */
  async #tell(pc: RTCPeerConnection, answer: string): Promise<void> {
    const voice = this.#voice;
    const mid = pc.getTransceivers().find((line) => line.sender === this.#mic)?.mid ?? "";
    await pc.setRemoteDescription({ type: "answer", sdp: withVoice(answer, mid, voice) });
    if (this.#pc === pc) this.#toldVoice = voice;
  }

  /** Gives it the last answer anew; the server has no part in that. False if it must wait. */
  async #retell(pc: RTCPeerConnection, answer: string): Promise<boolean> {
    try {
      await this.#inTurn(async () => {
        if (pc.signalingState !== "stable") return; // the answer that is awaited brings it
        await pc.setLocalDescription(await pc.createOffer());
        await this.#tell(pc, answer);
      });
      return this.#toldVoice === this.#voice;
    } catch {
      if (pc.signalingState === "have-local-offer") await pc.setLocalDescription({ type: "rollback" }).catch(() => undefined);
      return false;
    }
  }

  /** Offers of one connection do not overtake each other. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    const mine = this.#turn.then(work);
    this.#turn = mine.catch(() => undefined);
    return mine;
  }

  /** One operation at a time until the senders hold what is wanted; muting is a sender without a track. */
  async #reconcile(): Promise<void> {
    if (this.#reconciling) return;
    this.#reconciling = true;
    try {
      for (;;) {
        const { mic, cam } = this.#wanted;
        const sent: Sent = { watched: this.#watched, room: this.#room, sizes: this.#sizes };
        const micSender = this.#mic;
        const camSender = this.#cam;
        const pc = this.#pc;
        const answer = this.#answer;
        let done = true;
        if (micSender !== null && micSender.track !== mic) done = await put(micSender, mic);
        else if (camSender !== null && camSender.track !== cam) done = await put(camSender, cam);
        else if (camSender !== null && !areAsWanted(camSender.getParameters().encodings, sent)) done = await send(camSender, sent);
        else if (pc !== null && answer !== null && this.#toldVoice !== this.#voice) done = await this.#retell(pc, answer);
        else {
          this.#refusals = 0;
          break;
        }
        // A sender of a connection that was closed meanwhile refuses; the next one starts from what is wanted.
        if (!done && this.#mic === micSender && this.#cam === camSender) {
          this.#refusals += 1;
          if (this.#refusals <= REFUSALS) setTimeout(() => void this.#reconcile(), RETRY_MS);
          break;
        }
        this.#report();
      }
    } finally {
      this.#reconciling = false;
    }
    this.#report();
  }

  #report(): void {
    this.#environment.sending({ mic: this.#mic?.track ?? null, cam: this.#cam?.track ?? null });
  }
}

async function put(sender: RTCRtpSender, track: MediaStreamTrack | null): Promise<boolean> {
  try {
    await sender.replaceTrack(track);
    return true;
  } catch {
    return false;
  }
}

async function send(sender: RTCRtpSender, sent: Sent): Promise<boolean> {
  try {
    const parameters = sender.getParameters();
    await sender.setParameters({ ...parameters, encodings: asWanted(parameters.encodings, sent) });
    return areAsWanted(sender.getParameters().encodings, sent); // not where a browser knows no `active`
  } catch {
    return false;
  }
}

/** Offers these codecs alone on a line, where a browser lets it be chosen. */
function take(line: RTCRtpTransceiver, isTaken: (codec: RTCRtpCodec) => boolean): void {
  const codecs = RTCRtpReceiver.getCapabilities(line.receiver.track.kind)?.codecs ?? [];
  const chosen = codecs.filter(isTaken);
  if (chosen.length > 0 && "setCodecPreferences" in line) line.setCodecPreferences(chosen);
}

function isSound({ mimeType }: RTCRtpCodec): boolean {
  return ["audio/opus", "audio/red"].includes(mimeType.toLowerCase());
}

function isRepair({ mimeType }: RTCRtpCodec): boolean {
  return mimeType.toLowerCase() === "video/rtx";
}

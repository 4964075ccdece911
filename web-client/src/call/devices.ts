/** Camera and microphone of this seat, from the first question to the end of the call. Lives outside React. */
import { deviceFault, goesOnByItself, type DeviceFault, type PermissionAnswer } from "./faults";
import { createStore, type Store } from "./store";

export type Kind = "mic" | "cam";

export type DeviceState =
  | { readonly kind: "idle" }
  | { readonly kind: "asking" }
  | { readonly kind: "on"; readonly track: MediaStreamTrack; readonly label: string }
  /** By the person's own choice; the lamp is out. */
  | { readonly kind: "off" }
  | { readonly kind: "stuck"; readonly fault: DeviceFault };

export interface DevicesState {
  readonly mic: DeviceState;
  readonly cam: DeviceState;
  /** Microphones there are: more than one makes "try another" an offer. */
  readonly mics: number;
}

const MIC: MediaTrackConstraints = { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1 };
const CAM: MediaTrackConstraints = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30, max: 30 } };
/** A track that was just stopped is released late; one pause and one retry tell this from a program that holds it. */
const BUSY_RETRY_MS = 300;
/** Permissions can change without an event (Safari, system dialogs): a look each second costs nothing while stuck. */
const WATCH_EVERY_MS = 1_000;
/** Devices come and go in bursts while a headset is plugged in. */
const CHANGE_SETTLES_MS = 500;

const STORED: Record<Kind, string> = { mic: "device.mic", cam: "device.cam" };

export class Devices {
  readonly state: Store<DevicesState> = createStore<DevicesState>({ mic: { kind: "idle" }, cam: { kind: "idle" }, mics: 0 });
  #watching: number | undefined;
  #settling: number | undefined;
  #round: Record<Kind, number> = { mic: 0, cam: 0 };

  /** Opens what is not open: both with one question, then each alone, so that a missing camera does not cost the microphone. */
  async open(kinds: readonly Kind[] = ["mic", "cam"]): Promise<void> {
    const wanted = kinds.filter((kind) => this.#get(kind).kind !== "on" && this.#get(kind).kind !== "asking");
    if (wanted.length === 0) return;
    this.#listen();
    if (navigator.mediaDevices === undefined) {
      for (const kind of wanted) this.#set(kind, { kind: "stuck", fault: "insecure" });
      return;
    }
    const rounds = wanted.map((kind) => this.#next(kind));
    const current = (kind: Kind) => this.#round[kind] === rounds[wanted.indexOf(kind)];
    for (const kind of wanted) this.#set(kind, { kind: "asking" });
    const opened = await attempt(wanted);
    if ("stream" in opened || wanted.length === 1) {
      for (const kind of wanted) this.#settle(kind, opened, current(kind));
    } else {
      for (const kind of wanted) {
        if (current(kind)) this.#settle(kind, await attempt([kind]), current(kind));
      }
    }
    await this.#count();
  }

  /** The person's choice: the camera's lamp goes out, not only its picture. */
  async setCamera(on: boolean): Promise<void> {
    if (on) {
      await this.open(["cam"]);
      return;
    }
    this.#next("cam");
    this.#stopTrack("cam");
    this.#set("cam", { kind: "off" });
  }

  /** The next microphone there is. The old track is stopped first: two at once fail in Firefox and mute the first on iOS. */
  async nextMicrophone(): Promise<void> {
    const inputs = await microphones();
    const before = this.#get("mic");
    const id = before.kind === "on" ? before.track.getSettings().deviceId : undefined;
    const at = inputs.findIndex((input) => input.deviceId === id);
    const next = inputs[(at + 1) % Math.max(1, inputs.length)];
    if (next !== undefined) await this.choose("mic", next.deviceId);
  }

  /** The person's choice, kept for the next visit. */
  async choose(kind: Kind, deviceId: string): Promise<void> {
    this.#next(kind);
    this.#stopTrack(kind);
    this.#set(kind, { kind: "idle" });
    remember(kind, deviceId);
    await this.open([kind]);
  }

  /** What there is to choose from, with the labels that browsers give once they have been allowed. */
  async choices(): Promise<readonly MediaDeviceInfo[]> {
    const all = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
    return all.filter((device) => device.deviceId !== "");
  }

  /** Whether this browser has opened devices for us before. */
  returning(): boolean {
    return remembered("mic") !== null || remembered("cam") !== null;
  }

  close(): void {
    for (const kind of ["mic", "cam"] as const) {
      this.#next(kind);
      this.#stopTrack(kind);
      this.#set(kind, { kind: "idle" });
    }
    clearInterval(this.#watching);
    clearTimeout(this.#settling);
    this.#watching = undefined;
    navigator.mediaDevices?.removeEventListener("devicechange", this.#changed);
    window.removeEventListener("focus", this.#look);
    document.removeEventListener("visibilitychange", this.#look);
  }

  #get(kind: Kind): DeviceState {
    return this.state.get()[kind];
  }

  #set(kind: Kind, next: DeviceState): void {
    this.state.set({ ...this.state.get(), [kind]: next });
  }

  #next(kind: Kind): number {
    this.#round[kind] += 1;
    return this.#round[kind];
  }

  #stopTrack(kind: Kind): void {
    const before = this.#get(kind);
    if (before.kind !== "on") return;
    before.track.onended = null;
    before.track.stop();
  }

  #settle(kind: Kind, opened: Opened, current: boolean): void {
    const track = "stream" in opened ? (kind === "mic" ? opened.stream.getAudioTracks() : opened.stream.getVideoTracks())[0] : undefined;
    if (!current) {
      track?.stop();
      return;
    }
    if (track === undefined) {
      this.#set(kind, { kind: "stuck", fault: "fault" in opened ? opened.fault : "none" });
      return;
    }
    track.contentHint = kind === "mic" ? "speech" : "motion";
    remember(kind, track.getSettings().deviceId);
    track.onended = () => this.#ended(kind, track);
    this.#set(kind, { kind: "on", track, label: track.label });
  }

  /** Pulled out, or taken back by the system: the next device of the kind takes over. */
  #ended(kind: Kind, track: MediaStreamTrack): void {
    const now = this.#get(kind);
    if (now.kind !== "on" || now.track !== track) return;
    this.#set(kind, { kind: "idle" });
    void this.open([kind]);
  }

  #listen(): void {
    if (this.#watching !== undefined) return;
    this.#watching = window.setInterval(this.#look, WATCH_EVERY_MS);
    navigator.mediaDevices?.addEventListener("devicechange", this.#changed);
    window.addEventListener("focus", this.#look);
    document.addEventListener("visibilitychange", this.#look);
  }

  /** Goes on by itself when the person has allowed it in the browser's settings, without a reload. */
  readonly #look = () => {
    for (const kind of ["mic", "cam"] as const) {
      const before = this.#get(kind);
      if (before.kind !== "stuck") continue;
      void permission(kind).then((answer) => {
        const now = this.#get(kind);
        if (now.kind === "stuck" && goesOnByItself(now.fault, answer)) void this.open([kind]);
      });
    }
  };

  readonly #changed = () => {
    clearTimeout(this.#settling);
    this.#settling = window.setTimeout(() => {
      void this.#count();
      for (const kind of ["mic", "cam"] as const) {
        const now = this.#get(kind);
        if (now.kind === "stuck" && now.fault === "none") void this.open([kind]);
      }
    }, CHANGE_SETTLES_MS);
  };

  async #count(): Promise<void> {
    const mics = (await microphones()).length;
    if (mics !== this.state.get().mics) this.state.set({ ...this.state.get(), mics });
  }
}

type Opened = { readonly stream: MediaStream } | { readonly fault: DeviceFault };

async function attempt(kinds: readonly Kind[]): Promise<Opened> {
  let ids = true;
  let waited = false;
  for (;;) {
    try {
      return { stream: await navigator.mediaDevices.getUserMedia(constraints(kinds, ids)) };
    } catch (error) {
      const name = error instanceof DOMException ? error.name : "";
      const message = error instanceof DOMException ? error.message : "";
      if (ids && (name === "OverconstrainedError" || name === "NotFoundError")) {
        ids = false; // the device of last time is gone; any other will do
        continue;
      }
      const answer = kinds[0] === undefined ? "unknown" : await permission(kinds[0]);
      const fault = deviceFault(name, message, answer);
      if (fault === "busy" && !waited) {
        waited = true;
        await new Promise((resolve) => setTimeout(resolve, BUSY_RETRY_MS));
        continue;
      }
      return { fault };
    }
  }
}

function constraints(kinds: readonly Kind[], ids: boolean): MediaStreamConstraints {
  const chosen = (kind: Kind): MediaTrackConstraints => {
    const id = ids ? remembered(kind) : null;
    return id === null ? {} : { deviceId: { ideal: id } };
  };
  return {
    audio: kinds.includes("mic") ? { ...MIC, ...chosen("mic") } : false,
    video: kinds.includes("cam") ? { ...CAM, ...chosen("cam") } : false,
  };
}

async function permission(kind: Kind): Promise<PermissionAnswer> {
  try {
    return (await navigator.permissions.query({ name: kind === "mic" ? "microphone" : "camera" })).state;
  } catch {
    return "unknown"; // a browser without this query
  }
}

async function microphones(): Promise<readonly MediaDeviceInfo[]> {
  const all = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
  // "default" and "communications" are second names of devices that are listed anyway.
  return all.filter((device) => device.kind === "audioinput" && device.deviceId !== "default" && device.deviceId !== "communications");
}

function remembered(kind: Kind): string | null {
  try {
    return localStorage.getItem(STORED[kind]);
  } catch {
    return null; // storage switched off
  }
}

function remember(kind: Kind, id: string | undefined): void {
  if (id === undefined || id === "") return;
  try {
    localStorage.setItem(STORED[kind], id);
  } catch {
    // storage switched off: the choice lasts as long as the page
  }
}

/** The WebSocket of one seat: kept open, resumed with a fresh ticket each time. The one place where JSON becomes types. */
import { ApiFailure, joinSeat } from "../api";
import type { ClientMessage, SeatId, ServerMessage } from "../wire";
import { afterClose, afterRefusedTicket, retryDelayMs, type AfterClose } from "./retry";
import { createStore, type Store } from "./store";

/** The open line to the server as features see it: they neither know nor care how it is kept open. */
export interface Line {
  /** False if the line is not open: the caller keeps the message. */
  send(message: ClientMessage): boolean;
  /** Returns the undoing. */
  onMessage(listener: (message: ServerMessage) => void): () => void;
  /** Called at once with the state it has, then at each change. Returns the undoing. */
  onState(listener: (state: "open" | "closed") => void): () => void;
}

/** Why a line is closed for good; `done` is our own wish. */
export type Closing = Exclude<AfterClose["kind"], "retry"> | "done";

/** How the line stands, for the screen. Times are of `performance.now()`. */
export type LineState =
  | { readonly kind: "idle" }
  /** Not open yet in this page's life; after how many tries that failed. */
  | { readonly kind: "connecting"; readonly tries: number }
  | { readonly kind: "open" }
  | { readonly kind: "reconnecting"; readonly since: DOMHighResTimeStamp }
  | { readonly kind: "closed"; readonly why: Closing };

const PING_EVERY_MS = 2_000;
/** Three pings: shorter would take a lost packet on a phone for a dead line, longer hides it from the person. */
const DEAD_AFTER_MS = 6_000;
/** A tick this late means that the machine slept or the page was frozen: the silence proves nothing yet. */
const LATE_TICK_MS = 5_000;
/** A handshake that takes longer is tried again. */
const OPEN_WITHIN_MS = 8_000;

export class Connection implements Line {
  readonly state: Store<LineState> = createStore<LineState>({ kind: "idle" });
  readonly #seat: SeatId;
  readonly #messages = new Set<(message: ServerMessage) => void>();
  readonly #states = new Set<(state: "open" | "closed") => void>();
  #socket: WebSocket | null = null;
  #attempt = 0;
  #round = 0; // each try has its number, so that a late answer of an older one is dropped
  #retry: number | undefined;
  #tick: number | undefined;
  #lastHeard = 0;
  #lastTick = 0;
  #ping = 0;

  constructor(seat: SeatId) {
    this.#seat = seat;
  }

  start(): void {
    const { kind } = this.state.get();
    if (kind !== "idle" && kind !== "closed") return;
    this.#attempt = 0;
    this.state.set({ kind: "connecting", tries: 0 });
    window.addEventListener("online", this.#hurry);
    document.addEventListener("visibilitychange", this.#hurry);
    void this.#connect();
  }

  /** Closes for good; `start` opens it again. */
  stop(why: Closing = "done"): void {
    this.#round += 1;
    clearTimeout(this.#retry);
    window.removeEventListener("online", this.#hurry);
    document.removeEventListener("visibilitychange", this.#hurry);
    this.#drop();
    this.#become({ kind: "closed", why });
  }

  send(message: ClientMessage): boolean {
    if (this.state.get().kind !== "open") return false;
    return this.#write(message);
  }

  onMessage(listener: (message: ServerMessage) => void): () => void {
    this.#messages.add(listener);
    return () => this.#messages.delete(listener);
  }

  onState(listener: (state: "open" | "closed") => void): () => void {
    this.#states.add(listener);
    listener(this.state.get().kind === "open" ? "open" : "closed");
    return () => this.#states.delete(listener);
  }

  #write(message: ClientMessage): boolean {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  #become(next: LineState): void {
    const before = this.state.get().kind === "open";
    this.state.set(next);
    const after = next.kind === "open";
    if (before !== after) for (const listener of this.#states) listener(after ? "open" : "closed");
  }

  async #connect(): Promise<void> {
    this.#round += 1;
    const round = this.#round;
    clearTimeout(this.#retry);
    this.#retry = undefined;
    try {
      const { ws_path, ticket } = await joinSeat(this.#seat);
      if (round !== this.#round) return;
      this.#open(ws_path, ticket, round);
    } catch (error) {
      if (round !== this.#round) return;
      this.#after(afterRefusedTicket(error instanceof ApiFailure ? error.status : 0));
    }
  }

  #open(path: string, ticket: string, round: number): void {
    const url = new URL(path, location.href);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(url, "mortar.v1");
    this.#socket = socket;
    const slow = window.setTimeout(() => this.#lost(round, 1006), OPEN_WITHIN_MS);
    socket.onopen = () => {
      this.#write({ type: "join", ticket });
      this.#beat(round);
    };
    socket.onmessage = (event) => {
      this.#lastHeard = performance.now();
      const message = parse(event.data);
      if (message === null) return;
      if (message.type === "welcome") {
        clearTimeout(slow);
        this.#attempt = 0;
        // First the message, so that a listener of the state already knows who it is.
        this.#deliver(message);
        this.#become({ kind: "open" });
        return;
      }
      this.#deliver(message);
    };
    socket.onclose = (event) => {
      clearTimeout(slow);
      this.#lost(round, event.code);
    };
  }

  #deliver(message: ServerMessage): void {
    for (const listener of this.#messages) listener(message);
  }

  #beat(round: number): void {
    clearInterval(this.#tick);
    this.#lastHeard = this.#lastTick = performance.now();
    this.#tick = window.setInterval(() => {
      const now = performance.now();
      const late = now - this.#lastTick > LATE_TICK_MS;
      this.#lastTick = now;
      if (late) this.#lastHeard = Math.max(this.#lastHeard, now - PING_EVERY_MS);
      if (now - this.#lastHeard > DEAD_AFTER_MS) {
        this.#lost(round, 1006);
        return;
      }
      this.#ping = (this.#ping + 1) >>> 0;
      this.#write({ type: "ping", n: this.#ping });
    }, PING_EVERY_MS);
  }

  #drop(): void {
    clearInterval(this.#tick);
    const socket = this.#socket;
    this.#socket = null;
    if (socket === null) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close(1000);
  }

  #lost(round: number, code: number): void {
    if (round !== this.#round) return;
    this.#drop();
    this.#after(afterClose(code));
  }

  #after(next: AfterClose): void {
    if (next.kind !== "retry") {
      this.stop(next.kind);
      return;
    }
    const before = this.state.get();
    if (before.kind === "open") this.#become({ kind: "reconnecting", since: performance.now() });
    if (before.kind === "connecting") this.state.set({ kind: "connecting", tries: before.tries + 1 });
    const wait = Math.max(next.notBeforeMs, retryDelayMs(this.#attempt, Math.random()));
    this.#attempt += 1;
    this.#retry = window.setTimeout(() => void this.#connect(), wait);
  }

  /** The network or the reader is back: do not wait for the rest of the pause. */
  readonly #hurry = () => {
    if (document.visibilityState === "hidden") return;
    if (this.#retry !== undefined) {
      this.#attempt = 0;
      void this.#connect();
    } else if (this.state.get().kind === "open") {
      this.#ping = (this.#ping + 1) >>> 0;
      this.#write({ type: "ping", n: this.#ping });
    }
  };
}

function parse(data: unknown): ServerMessage | null {
  if (typeof data !== "string") return null;
  try {
    const value: unknown = JSON.parse(data);
    if (typeof value !== "object" || value === null || !("type" in value) || typeof value.type !== "string") return null;
    return value as ServerMessage;
  } catch {
    return null; // not JSON: ignored like an unknown message, never a crash in a visit
  }
}

/**
 * When the media path is repaired, and with what. Pure: told the time and what was seen, it says what to do. The
 * browser alone may sit on a dead path for half a minute.
 */

/** The server reports each second; this long without a byte is half a report late and more than jitter. */
export const SILENT_AFTER_MS = 1_500;
/** A path that ICE calls disconnected is dead once this long nothing came over it: checks are lost in a full queue too, and
 *  a restart would only add to it. */
export const STALLED_AFTER_MS = 1_000;
/** And so many samples must agree: on a busy machine one late sample spans the whole time by itself. */
export const SILENT_SAMPLES = 3;
/** An ICE restart that is not connected by then is tried once more. */
export const RESTART_TAKES_MS = 3_000;
/** Two restarts without success: a new connection for the same seat. */
export const REBUILD_AFTER_MS = 6_000;
/** Between two samples lies half a second; a gap like this means that the machine slept. */
export const SLEPT_MS = 5_000;
/** Pauses between new connections: as long as those of the socket. */
const REBUILD_WAITS_MS = [4_000, 5_000, 6_000, 8_000] as const;
const LONGEST_REBUILD_MS = 8_000;

export interface Sample {
  /** `performance.now()`. */
  readonly now: number;
  /** `iceConnectionState`, or `none` while no connection stands. */
  readonly ice: "new" | "checking" | "connected" | "completed" | "disconnected" | "failed" | "closed" | "none";
  /** Bytes received; `null` if the browser does not say or no connection stands. */
  readonly bytes: number | null;
  /** Whether bytes should be flowing: somebody sends, or we do and reports are due. */
  readonly due: boolean;
  /** Whether the socket is open: an offer can go nowhere else. */
  readonly line: boolean;
  /** Something that makes the old path suspect: back online, network changed, page visible again, woken. */
  readonly nudge: boolean;
}

export type Phase =
  /** First connection; nothing to repair yet. */
  | { readonly kind: "first"; readonly since: number; readonly tries: number }
  | { readonly kind: "up" }
  | { readonly kind: "restarting"; readonly since: number; readonly restarts: 0 | 1 | 2 }
  | { readonly kind: "rebuilding"; readonly since: number; readonly tries: number };

export interface Recovery {
  readonly phase: Phase;
  readonly bytes: number | null;
  readonly bytesAt: number;
  /** Samples in a row without a new byte while bytes were due. */
  readonly quiet: number;
  /** Bytes were seen to flow since the last repair: only then does silence mean anything. */
  readonly flowed: boolean;
  readonly sampledAt: number;
}

export type Repair = "none" | "restart" | "rebuild";

export function begin(now: number): Recovery {
  return { phase: { kind: "first", since: now, tries: 0 }, bytes: null, bytesAt: now, quiet: 0, flowed: false, sampledAt: now };
}

const isUp = (sample: Sample) => sample.ice === "connected" || sample.ice === "completed";

export function recover(before: Recovery, sample: Sample): { readonly next: Recovery; readonly repair: Repair } {
  const grew = sample.bytes !== null && before.bytes !== null && sample.bytes > before.bytes;
  const slept = sample.now - before.sampledAt > SLEPT_MS;
  // Silence is counted only while bytes are due: a path that lost its consent is silent long before ICE calls itself
  // disconnected.
  const quiet = !grew && sample.due && !slept && before.bytes !== null;
  const seen: Recovery = {
    ...before,
    bytes: sample.bytes ?? before.bytes,
    bytesAt: quiet ? before.bytesAt : sample.now,
    quiet: quiet ? before.quiet + 1 : 0,
    flowed: before.flowed || grew,
    sampledAt: sample.now,
  };
  const stay = (phase: Phase = seen.phase) => ({ next: { ...seen, phase }, repair: "none" as const });
  const to = (phase: Phase, repair: Repair) => ({ next: { ...seen, phase, flowed: false, bytesAt: sample.now, quiet: 0 }, repair });
  switch (before.phase.kind) {
    case "up": {
      const silent = seen.flowed && seen.quiet >= SILENT_SAMPLES && sample.now - seen.bytesAt >= SILENT_AFTER_MS;
      const stalled = sample.ice === "disconnected" && sample.now - seen.bytesAt >= STALLED_AFTER_MS;
      const broken = stalled || sample.ice === "failed" || sample.ice === "closed" || sample.ice === "none";
      if (!(broken || silent || slept || sample.nudge)) return stay();
      if (!sample.line && !broken && !silent) return stay();
      // What is merely suspect is sent on while another path is sought: what leaves from a new address tells the server of it.
      if (!broken && !silent && !slept) return { next: seen, repair: "restart" };
      // Without the socket no offer can go; what is broken is shown, and repaired when the socket is back.
      return to({ kind: "restarting", since: sample.now, restarts: sample.line ? 1 : 0 }, sample.line ? "restart" : "none");
    }
    case "restarting": {
      const { since, restarts } = before.phase;
      // The restart itself leaves the old path connected while it is checked: bytes are the proof.
      if (isUp(sample) && (grew || !sample.due)) return stay({ kind: "up" });
      if (!sample.line) return stay({ kind: "restarting", since: sample.now, restarts: 0 });
      if (restarts === 0) return to({ kind: "restarting", since: sample.now, restarts: 1 }, "restart");
      const took = sample.now - since;
      if (took >= REBUILD_AFTER_MS) return to({ kind: "rebuilding", since: sample.now, tries: 1 }, "rebuild");
      if (took >= RESTART_TAKES_MS && restarts === 1) return to({ kind: "restarting", since, restarts: 2 }, "restart");
      return stay();
    }
    case "first":
    case "rebuilding": {
      if (isUp(sample)) return stay({ kind: "up" });
      if (!sample.line) return stay({ ...before.phase, since: sample.now });
      const wait = REBUILD_WAITS_MS[Math.min(before.phase.tries, REBUILD_WAITS_MS.length - 1)] ?? LONGEST_REBUILD_MS;
      if (sample.ice === "failed" || sample.now - before.phase.since >= wait) {
        return to({ kind: before.phase.kind, since: sample.now, tries: before.phase.tries + 1 }, "rebuild");
      }
      return stay();
    }
    default:
      return before.phase satisfies never;
  }
}


/** The server said that the transport is gone, or refused the offer. */
export function lost(before: Recovery, now: number): Recovery {
  const tries = before.phase.kind === "rebuilding" || before.phase.kind === "first" ? before.phase.tries + 1 : 1;
  const kind = before.phase.kind === "first" ? "first" : "rebuilding";
  return { ...before, phase: { kind, since: now, tries }, bytes: null, flowed: false, bytesAt: now, quiet: 0 };
}

/** Whether to look again soon: a path that may have gone silent is not to be silent for half a second more than it must, nor the
 *  microphone of one that has come back. */
export function isWatched(recovery: Recovery): boolean {
  return recovery.quiet > 0 || isReconnecting(recovery);
}

/** While this shows, the microphone is really not sent. */
export function isReconnecting(recovery: Recovery): boolean {
  return recovery.phase.kind === "restarting" || recovery.phase.kind === "rebuilding";
}

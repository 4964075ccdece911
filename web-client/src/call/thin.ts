/**
 * When the own picture rests so that the voice gets through, and when it comes back. Pure: told the time and what was
 * seen of the line, it says how much of the camera may be sent.
 *
 * The browser's own estimate does not do this: it ends near 85 kb/s whatever the line carries (its share for lost packets
 * is bounded below, and a queue that stays full shows no growing delay), and picture and voice then lose half each.
 */

/**
 * A line that is said to carry less than this, in bits per second, carries a voice with its headers (50 kb/s) and no
 * picture worth looking at. Higher would take away pictures that still move.
 */
export const THIN_BPS = 100_000;
/** The picture stays when the line is said to carry this. Apart from `THIN_BPS`, or it would flicker; below what the browser's first
 *  probe for the smallest layer reaches (175 kb/s), or no line would ever be found wide. */
export const WIDE_BPS = 130_000;
/** The estimate must say so for this long: a handover to another cell dips it for a moment. */
export const THIN_FOR_MS = 500;
/** A queue before the line that overflows: so much is lost… */
export const OVERFLOW_LOST = 0.1;
/** …while the way there and back takes so much longer than at best, or the estimate falls below `WIDE_BPS`. Loss without
 *  either is the radio's, and no pause mends it. */
export const OVERFLOW_DELAY_MS = 200;
/** A way that once took as long as a satellite's is not measured against a better one for ever. */
const BEST_FORGOTTEN_MS = 60_000;
/** Pause before the picture is tried again: doubled after each failure, for each may cost a word. */
export const FIRST_PAUSE_MS = 5_000;
/** Longest pause. Longer would hide a face for minutes after the line has healed. */
export const LONGEST_PAUSE_MS = 60_000;
/** The browser probes the line as soon as the camera is on and knows within a second. Longer would fill the queue of a thin one. */
export const TRY_MS = 3_000;
/** A try ends if the line is still thin after this: the answer to the first probe has come by then, and the queue is not full yet. */
export const TRY_AT_LEAST_MS = 1_500;
/** A picture that rests again this soon after it came back came too early. */
export const RELAPSE_MS = 20_000;

export interface LineSample {
  /** `performance.now()`. */
  readonly now: number;
  /** Whether the person wants a picture to be sent and the line stands at all. */
  readonly picture: boolean;
  /** What the browser believes it may send, in bits per second; `null` where it does not say. */
  readonly room: number | null;
  /** Share of what we sent that was lost, as the server reported a moment ago; `null` if it did not. */
  readonly lost: number | null;
  /** The same as the server told over the socket: sooner where reports are lost in the queue the other way, better late. */
  readonly told: number;
  /** Whether a picture that we should see is held back, since the line towards us does not carry it. */
  readonly held: boolean;
  /** There and back, from the same report as `lost`. */
  readonly roundTripMs: number | null;
}

/** How much of the camera the line may be given. */
export type CameraRoom =
  | "all"
  /** The smallest layer. */
  | "least"
  | "none";

export type ThinPhase =
  /** `thinSince`: since when the estimate is too low. `back`: when it last came back. */
  | { readonly kind: "sending"; readonly thinSince: number | null; readonly back: number }
  /** `held`: meanwhile a picture towards us was held back too. When that flows again, the line has probably healed. */
  | { readonly kind: "resting"; readonly since: number; readonly held: boolean }
  | { readonly kind: "trying"; readonly since: number };

export interface Thin {
  readonly phase: ThinPhase;
  /** How long the next rest lasts. */
  readonly pauseMs: number;
  /** The shortest way there and back that was seen, and when. */
  readonly best: { readonly ms: number; readonly at: number } | null;
}

export const WIDE: Thin = { phase: { kind: "sending", thinSince: null, back: -RELAPSE_MS }, pauseMs: FIRST_PAUSE_MS, best: null };

export function thin(before: Thin, sample: LineSample): Thin {
  const { now } = sample;
  const best = shortest(before.best, sample);
  const overflows = sample.lost !== null && sample.lost >= OVERFLOW_LOST
    && sample.roundTripMs !== null && best !== null && sample.roundTripMs >= best.ms + OVERFLOW_DELAY_MS;
  const narrow = sample.room !== null && sample.room < THIN_BPS;
  const to = (phase: ThinPhase, pauseMs = before.pauseMs): Thin => ({ phase, pauseMs, best });
  switch (before.phase.kind) {
    case "sending": {
      const { back } = before.phase;
      const thinSince = narrow ? before.phase.thinSince ?? now : null;
      const drops = Math.max(sample.lost ?? 0, sample.told) >= OVERFLOW_LOST && sample.room !== null && sample.room < WIDE_BPS;
      const rests = overflows || drops || (thinSince !== null && now - thinSince >= THIN_FOR_MS);
      if (!sample.picture || !rests) return to({ kind: "sending", thinSince: sample.picture ? thinSince : null, back });
      const pauseMs = now - back < RELAPSE_MS ? longer(before.pauseMs) : FIRST_PAUSE_MS;
      return to({ kind: "resting", since: now, held: sample.held }, pauseMs);
    }
    case "resting": {
      // Somebody who starts the camera anew has perhaps moved nearer to the Wi-Fi: that is tried at once.
      if (!sample.picture) return to({ kind: "sending", thinSince: null, back: -RELAPSE_MS }, FIRST_PAUSE_MS);
      // The line has to be calm for the whole pause.
      if (overflows) return to({ kind: "resting", since: now, held: sample.held });
      const { since, held } = before.phase;
      const pauseMs = held && !sample.held ? FIRST_PAUSE_MS : before.pauseMs;
      return now - since >= pauseMs ? to({ kind: "trying", since: now }) : to({ kind: "resting", since, held: held || sample.held });
    }
    case "trying": {
      if (!sample.picture) return to({ kind: "sending", thinSince: null, back: -RELAPSE_MS }, FIRST_PAUSE_MS);
      const took = now - before.phase.since;
      const isWide = sample.room === null ? took >= TRY_MS : sample.room >= WIDE_BPS;
      if (overflows || (took >= TRY_AT_LEAST_MS && narrow) || (took >= TRY_MS && !isWide)) {
        return to({ kind: "resting", since: now, held: sample.held }, longer(before.pauseMs));
      }
      return isWide ? to({ kind: "sending", thinSince: null, back: now }) : to(before.phase);
    }
    default:
      return before.phase satisfies never;
  }
}

export function cameraRoom(state: Thin): CameraRoom {
  switch (state.phase.kind) {
    case "sending":
      return "all";
    case "trying":
      return "least";
    case "resting":
      return "none";
    default:
      return state.phase satisfies never;
  }
}

/** While this shows nobody is promised a picture: a try that fails was none. */
export function isResting(state: Thin): boolean {
  return state.phase.kind !== "sending";
}

function longer(pauseMs: number): number {
  return Math.min(2 * pauseMs, LONGEST_PAUSE_MS);
}

function shortest(best: Thin["best"], { now, roundTripMs }: LineSample): Thin["best"] {
  if (roundTripMs === null) return best;
  return best === null || roundTripMs <= best.ms || now - best.at > BEST_FORGOTTEN_MS ? { ms: roundTripMs, at: now } : best;
}

/**
 * The own voice with earlier frames in each packet (RFC 2198): what is lost comes again in the next one. Costs twice the
 * rate, so only while something is lost, and not where it is lost because the line is full.
 */

export type Voice = "plain" | "redundant";

/** What is known of the way from here to the server, at one moment. */
export interface Uplink {
  /** Of `performance.now()`. */
  readonly now: DOMHighResTimeStamp;
  /** Share of packets lost, in hundredths, in the steps in which the server tells it. */
  readonly lost: number;
  /** What the browser believes that the line carries, in bits per second; `null` if it does not say. */
  readonly available: number | null;
  /** In ms; `null` if it was not measured. */
  readonly roundTrip: number | null;
}

/** What was seen of it before. */
export interface UplinkWatch {
  /** The least round trip in this memory and in the last, in ms. */
  readonly least: readonly [number, number];
  readonly since: DOMHighResTimeStamp;
  /** When packets last stood in a queue. */
  readonly queued: DOMHighResTimeStamp | null;
}

export const UNSEEN: UplinkWatch = { least: [Infinity, Infinity], since: 0, queued: null };

/** The first step that is told: one packet in twenty is a syllable now and then. */
const LOST_PERCENT = 5;
/** A round trip so much longer than the least is a queue. Radio links waver by less, a full line makes it several hundred. */
const QUEUE_MS = 100;
/** As long as the relay remembers a queue: the loss it caused is told for five seconds more. */
const QUEUE_MEMORY_MS = 10_000;
/** The least is remembered for one to two of these: longer finds a queue that stands, shorter follows a path that changed. */
const LEAST_MEMORY_MS = 30_000;
/** Twice what a voice with earlier frames costs, with headers. The browser's belief alone is no sign: random loss takes it down too. */
const AMPLE_BPS = 160_000;

export function look(before: UplinkWatch, { now, lost, available, roundTrip }: Uplink): { readonly next: UplinkWatch; readonly voice: Voice } {
  const isOld = now - before.since > LEAST_MEMORY_MS;
  const [recent, older] = isOld ? [Infinity, before.least[0]] : before.least;
  const least = [Math.min(recent, roundTrip ?? Infinity), older] as const;
  const isQueued = roundTrip !== null && roundTrip > Math.min(...least) + QUEUE_MS;
  const next = { least, since: isOld ? now : before.since, queued: isQueued ? now : before.queued };
  const isFull = next.queued !== null && now - next.queued < QUEUE_MEMORY_MS && (available ?? 0) < AMPLE_BPS;
  return { next, voice: lost >= LOST_PERCENT && !isFull ? "redundant" : "plain" };
}

/**
 * The answer as if the server had put redundant audio first on the line with this mid, or last. It takes both on each
 * packet, and a browser sends the first: so this is for this side alone to say, and no offer has to go through a bad line.
 * `setParameters` takes the codec too, but Chromium then goes on sending the other. Where the line has no redundant audio, the
 * answer stays as it is.
 */
export function withVoice(answer: string, mid: string, voice: Voice): string {
  const sections = answer.split(/^(?=m=)/mu);
  return sections.map((section) => {
    if (!section.split(/\r?\n/u).includes(`a=mid:${mid}`)) return section;
    const [, red] = section.match(/^a=rtpmap:(\d+) red\//mu) ?? [];
    return section.replace(/^(m=audio \S+ \S+ )(.*)$/mu, (line: string, head: string, list: string) => {
      const formats = list.trim().split(" ");
      if (red === undefined || !formats.includes(red)) return line;
      const others = formats.filter((format) => format !== red);
      return head + (voice === "redundant" ? [red, ...others] : [...others, red]).join(" ");
    });
  }).join("");
}

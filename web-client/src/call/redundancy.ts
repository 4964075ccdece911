/**
 * The own voice with earlier frames in each packet (RFC 2198): what is lost comes again in the next one. Costs twice the
 * rate, so only while something is lost, and not where it is lost because the line is full.
 */

export type Voice = "plain" | "redundant";

/** What is known of the way from here to the server. */
export interface Uplink {
  /** Share of packets lost, in hundredths, in the steps in which the server tells it. */
  readonly lost: number;
  /** What the browser believes that the line carries, in bits per second; `null` if it does not say. */
  readonly available: number | null;
}

/** The first step that is told: one packet in twenty is a syllable now and then. */
const LOST_PERCENT = 5;
/** A voice with its headers costs 50 kb/s, with earlier frames 80. On a line that carries less than this they would make the loss. */
const LEAST_BPS = 100_000;

export function voiceFor({ lost, available }: Uplink): Voice {
  return lost >= LOST_PERCENT && (available === null || available >= LEAST_BPS) ? "redundant" : "plain";
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

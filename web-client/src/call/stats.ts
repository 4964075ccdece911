/** What `getStats` says of the line, as the few figures that decide something. */

export interface LineStats {
  /** Received, whichever pair of addresses they came by; `null` where the browser does not say. */
  readonly bytes: number | null;
  /** What the browser believes it may send, in bits per second. */
  readonly room: number | null;
  /** Of the voice, or of the picture while no voice is sent; both from the same fresh report. */
  readonly lost: number | null;
  readonly roundTripMs: number | null;
}

export const NOTHING: LineStats = { bytes: null, room: null, lost: null, roundTripMs: null };

/** Reports come each second; an older one tells of another line. */
const FRESH_MS = 2_500;

/** The fields that are read, of entries of any type. */
interface Entry {
  readonly type: string;
  readonly timestamp: number;
  readonly kind?: string;
  readonly nominated?: boolean;
  readonly state?: string;
  readonly bytesReceived?: number;
  readonly availableOutgoingBitrate?: number;
  readonly fractionLost?: number;
  readonly roundTripTime?: number;
}

export function lineStats(entries: { forEach(each: (entry: Entry) => void): void }): LineStats {
  let now = 0; // of the browser's clock: that of the entries it makes up as it is asked
  let ofTransport: number | null = null;
  let ofPairs: number | null = null;
  let room: number | null = null;
  const reports: Entry[] = [];
  entries.forEach((entry) => {
    if (entry.type === "remote-inbound-rtp") {
      reports.push(entry);
      return;
    }
    if (!entry.type.startsWith("remote-")) now = Math.max(now, entry.timestamp);
    if (entry.type === "transport") ofTransport = (ofTransport ?? 0) + (entry.bytesReceived ?? 0);
    if (entry.type !== "candidate-pair") return;
    // All pairs: after an ICE restart the old one is still there, and the new one would first have to outgrow it.
    ofPairs = (ofPairs ?? 0) + (entry.bytesReceived ?? 0);
    // Whatever its state: a full queue delays its checks, and that is when this counts. Only the pair in use has it.
    if (entry.nominated === true) room = entry.availableOutgoingBitrate ?? room;
  });
  const fresh = reports.filter((entry) => now - entry.timestamp <= FRESH_MS);
  const report = fresh.find((entry) => entry.kind === "audio") ?? fresh[0];
  const { fractionLost, roundTripTime } = report ?? {};
  return { bytes: ofTransport ?? ofPairs, room, lost: fractionLost ?? null, roundTripMs: roundTripTime === undefined ? null : 1_000 * roundTripTime };
}

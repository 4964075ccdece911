/**
 * Sizes of the own camera, and which of them are sent: encodings beside each other (simulcast, RFC 8853), or layers of one stream
 * (SVC). The server calls them by the same names.
 */
import type { Rid } from "../wire";
import type { Sizes } from "./format";
import type { CameraRoom } from "./thin";

/**
 * The smallest first, as Chromium expects them. Bit rates in bits per second: below them a face grows blocks, above them a
 * line that carries three layers is full.
 */
export const CAMERA_LAYERS: readonly (RTCRtpEncodingParameters & { readonly rid: Rid })[] = [
  { rid: "q", scaleResolutionDownBy: 4, maxBitrate: 150_000 },
  { rid: "h", scaleResolutionDownBy: 2, maxBitrate: 500_000 },
  { rid: "f", scaleResolutionDownBy: 1, maxBitrate: 1_500_000 },
];

/**
 * The same sizes as layers of one stream, by how many of them are sent: a stream cannot leave out its smallest ones, so it is made
 * smaller as a whole. The larger sizes take what is left of the rate; together they need less than three encodings.
 */
const SCALABLE_LAYERS: readonly Required<Pick<RTCRtpEncodingParameters, "scalabilityMode" | "scaleResolutionDownBy" | "maxBitrate">>[] = [
  { scalabilityMode: "L1T3", scaleResolutionDownBy: 4, maxBitrate: 150_000 },
  { scalabilityMode: "L2T3_KEY", scaleResolutionDownBy: 2, maxBitrate: 600_000 },
  { scalabilityMode: "L3T3_KEY", scaleResolutionDownBy: 1, maxBitrate: 1_800_000 },
];

/** With what a camera is offered. */
export function encodings(sizes: Sizes): RTCRtpEncodingParameters[] {
  switch (sizes) {
    case "simulcast":
      return CAMERA_LAYERS.map((layer) => ({ ...layer }));
    case "scalable":
      return SCALABLE_LAYERS.slice(-1).map((layer) => ({ ...layer }));
    default:
      return sizes satisfies never;
  }
}

/** Which layers somebody looks at; `null` until the server says it, and then all are sent. */
export type WatchedLayers = readonly Rid[] | null;

/** What decides about the layers: who looks, and how much of the camera the line may be given. */
export interface Sent {
  readonly watched: WatchedLayers;
  readonly room: CameraRoom;
  readonly sizes: Sizes;
}

/** Whether each encoding is sent if and only if it should be, and with as many sizes. */
export function areAsWanted(encodings: readonly RTCRtpEncodingParameters[], sent: Sent): boolean {
  return encodings.every((encoding) => {
    const active = encoding.active ?? true;
    const layers = active ? scaled(sent) : null;
    return active === isWanted(encoding, sent)
      && (sent.room !== "all" || encoding.maxFramerate === undefined)
      && (layers === null || encoding.scalabilityMode === layers.scalabilityMode);
  });
}

/** How a stream of several sizes is to be sent while it is. */
function scaled({ watched, room, sizes }: Sent): (typeof SCALABLE_LAYERS)[number] | null {
  if (sizes === "simulcast") return null;
  const largest = watched === null ? CAMERA_LAYERS.length - 1 : Math.max(0, ...watched.map((rid) => CAMERA_LAYERS.findIndex((layer) => layer.rid === rid)));
  return SCALABLE_LAYERS[room === "all" ? largest : 0] ?? null;
}

/** Frames a second while a thin line is tried: enough for the browser to probe it, too few to fill its queue meanwhile. */
export const TRIAL_FPS = 4;

/** The same encodings, sent or not as they should be. */
export function asWanted(encodings: readonly RTCRtpEncodingParameters[], sent: Sent): RTCRtpEncodingParameters[] {
  return encodings.map((encoding) => {
    const active = isWanted(encoding, sent);
    const wanted: RTCRtpEncodingParameters = { ...encoding, ...(active ? scaled(sent) : null), active };
    if (sent.room === "all") delete wanted.maxFramerate;
    else wanted.maxFramerate = TRIAL_FPS;
    return wanted;
  });
}

/** An encoding without a name is the only one. Of one size it goes on whoever looks, unless the line has no room. */
function isWanted({ rid }: RTCRtpEncodingParameters, { watched, room, sizes }: Sent): boolean {
  switch (room) {
    case "none":
      return false;
    case "least":
      // Also if nobody looks: nobody can look at a picture that rests, and without it the line is never found to be wide.
      return rid === undefined || rid === CAMERA_LAYERS[0]?.rid;
    case "all":
      if (watched === null) return true;
      if (rid === undefined) return sizes === "simulcast" || watched.length > 0;
      return watched.some((name) => name === rid);
    default:
      return room satisfies never;
  }
}

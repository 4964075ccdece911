/** Simulcast of the own camera (RFC 8853): the layers that are offered, and which of them are sent. */
import type { Rid } from "../wire";
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

/** Which layers somebody looks at; `null` until the server says it, and then all are sent. */
export type WatchedLayers = readonly Rid[] | null;

/** What decides about the layers: who looks, and how much of the camera the line may be given. */
export interface Sent {
  readonly watched: WatchedLayers;
  readonly room: CameraRoom;
}

/** Whether each encoding is sent if and only if it should be. */
export function areAsWanted(encodings: readonly RTCRtpEncodingParameters[], sent: Sent): boolean {
  return encodings.every((encoding) =>
    (encoding.active ?? true) === isWanted(encoding, sent) && (sent.room !== "all" || encoding.maxFramerate === undefined));
}

/** Frames a second while a thin line is tried: enough for the browser to probe it, too few to fill its queue meanwhile. */
export const TRIAL_FPS = 4;

/** The same encodings, sent or not as they should be. */
export function asWanted(encodings: readonly RTCRtpEncodingParameters[], sent: Sent): RTCRtpEncodingParameters[] {
  return encodings.map((encoding) => {
    const wanted: RTCRtpEncodingParameters = { ...encoding, active: isWanted(encoding, sent) };
    if (sent.room === "all") delete wanted.maxFramerate;
    else wanted.maxFramerate = TRIAL_FPS;
    return wanted;
  });
}

/** An encoding without a name is the only one: it goes on whoever looks, unless the line has no room. */
function isWanted({ rid }: RTCRtpEncodingParameters, { watched, room }: Sent): boolean {
  switch (room) {
    case "none":
      return false;
    case "least":
      // Also if nobody looks: nobody can look at a picture that rests, and without it the line is never found to be wide.
      return rid === undefined || rid === CAMERA_LAYERS[0]?.rid;
    case "all":
      return watched === null || rid === undefined || watched.some((name) => name === rid);
    default:
      return room satisfies never;
  }
}

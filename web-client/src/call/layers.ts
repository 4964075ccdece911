/** Simulcast of the own camera (RFC 8853): the layers that are offered, and which of them are sent. */
import type { Rid } from "../wire";

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

/** Whether each encoding is sent if and only if somebody looks at it. An encoding without a name is the only one, and stays. */
export function areAsWatched(encodings: readonly RTCRtpEncodingParameters[], watched: WatchedLayers): boolean {
  return encodings.every((encoding) => (encoding.active ?? true) === isWatched(encoding, watched));
}

/** The same encodings, sent or not as somebody looks at them. */
export function asWatched(encodings: readonly RTCRtpEncodingParameters[], watched: WatchedLayers): RTCRtpEncodingParameters[] {
  return encodings.map((encoding) => ({ ...encoding, active: isWatched(encoding, watched) }));
}

function isWatched({ rid }: RTCRtpEncodingParameters, watched: WatchedLayers): boolean {
  return watched === null || rid === undefined || watched.some((name) => name === rid);
}

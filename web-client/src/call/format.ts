/**
 * In which format the own camera is sent, and which formats are shown. Nobody is asked: the practice says what it prefers,
 * and the browser what it can.
 */
import type { CameraFormat } from "../wire";

/** How the sizes of the own camera are sent: as encodings beside each other, or as layers of one stream. */
export type Sizes = "simulcast" | "scalable";

export interface Sending {
  readonly format: CameraFormat;
  readonly sizes: Sizes;
}

/** What this browser can send. */
export interface Able {
  readonly formats: ReadonlySet<CameraFormat>;
  /** One stream of several sizes. Firefox and Safari take the wish for it and send one size. */
  readonly scalable: boolean;
  /** Dependency descriptors, without which nobody can take the layers of AV1 apart. */
  readonly descriptors: boolean;
}

/** What the practice prefers where it can be had, or else VP8, or else H.264. */
export function sendingOf(wish: CameraFormat, able: Able): Sending {
  const layered = able.scalable && (wish === "vp9" || (wish === "av1" && able.descriptors));
  if (layered && able.formats.has(wish)) return { format: wish, sizes: "scalable" };
  if (wish === "h264" && able.formats.has("h264")) return { format: "h264", sizes: "simulcast" };
  return { format: able.formats.has("vp8") || !able.formats.has("h264") ? "vp8" : "h264", sizes: "simulcast" };
}

declare global {
  /** W3C WebRTC-SVC §4.1. */
  interface RTCRtpEncodingParameters {
    scalabilityMode?: string;
  }
}

/** Three sizes at three frame rates; between keyframes each size goes by itself. */
export const SCALABLE = "L3T3_KEY";

export const DEPENDENCY_DESCRIPTOR = "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension";

/** Which format a codec is, if the relay takes it: constrained baseline of H.264 in packetization mode 1, the first profile of the others. */
export function formatOf({ mimeType, sdpFmtpLine }: { readonly mimeType: string; readonly sdpFmtpLine?: string }): CameraFormat | null {
  const parameters = new Map((sdpFmtpLine ?? "").toLowerCase().split(";").map((pair) => {
    const [key = "", value = ""] = pair.split("=");
    return [key.trim(), value.trim()] as const;
  }));
  switch (mimeType.toLowerCase()) {
    case "video/vp8":
      return "vp8";
    case "video/h264":
      return parameters.get("packetization-mode") === "1" && /^42[c-f]0/.test(parameters.get("profile-level-id") ?? "") ? "h264" : null;
    case "video/vp9":
      return (parameters.get("profile-id") ?? "0") === "0" ? "vp9" : null;
    case "video/av1":
      return (parameters.get("profile") ?? "0") === "0" ? "av1" : null;
    default:
      return null;
  }
}

/** Lines whose header extensions can be chosen; only Chromium has them. */
interface Extensible {
  getHeaderExtensionsToNegotiate(): { readonly uri: string; direction: RTCRtpTransceiverDirection }[];
  setHeaderExtensionsToNegotiate(extensions: readonly { readonly uri: string; readonly direction: RTCRtpTransceiverDirection }[]): void;
}

/** Asks for dependency descriptors on a line. False where a browser has none. */
export function describe(line: RTCRtpTransceiver): boolean {
  if (!("setHeaderExtensionsToNegotiate" in line)) return false;
  const extensible = line as RTCRtpTransceiver & Extensible;
  try {
    const extensions = extensible.getHeaderExtensionsToNegotiate();
    const descriptor = extensions.find(({ uri }) => uri === DEPENDENCY_DESCRIPTOR);
    if (descriptor === undefined) return false;
    if (descriptor.direction !== "stopped") return true;
    descriptor.direction = "sendrecv";
    extensible.setHeaderExtensionsToNegotiate(extensions);
    return true;
  } catch {
    return false;
  }
}

/** Asks the browser what it can send, on a connection that goes nowhere. */
export function able(): Able {
  const codecs = RTCRtpSender.getCapabilities("video")?.codecs ?? [];
  const formats = new Set(codecs.map(formatOf).filter((format) => format !== null));
  const pc = new RTCPeerConnection();
  try {
    const line = pc.addTransceiver("video", { direction: "sendonly", sendEncodings: [{ scalabilityMode: SCALABLE }] });
    const scalable = line.sender.getParameters().encodings[0]?.scalabilityMode === SCALABLE;
    return { formats, scalable, descriptors: describe(line) };
  } catch {
    return { formats, scalable: false, descriptors: false };
  } finally {
    pc.close();
  }
}

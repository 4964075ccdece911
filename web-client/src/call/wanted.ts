/** What the media should be, from what the person wants and how things stand. Pure; `peer.ts` makes it so. */
import type { Tracks } from "./peer";

export interface Wish {
  readonly admitted: boolean;
  readonly muted: boolean;
  readonly cameraOff: boolean;
  /** The screen says "reconnecting": then nobody is heard who thinks they are not. */
  readonly reconnecting: boolean;
  readonly mic: MediaStreamTrack | null;
  readonly cam: MediaStreamTrack | null;
}

export function wanted(wish: Wish): Tracks {
  const { admitted, muted, cameraOff, reconnecting, mic, cam } = wish;
  return {
    mic: admitted && !muted && !reconnecting ? mic : null,
    cam: admitted && !cameraOff ? cam : null,
  };
}

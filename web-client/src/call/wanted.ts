/** What the media should be, from what the person wants and how things stand. Pure; `peer.ts` makes it so. */
import type { Tracks } from "./peer";

export interface Wish {
  readonly admitted: boolean;
  readonly muted: boolean;
  readonly cameraOff: boolean;
  /** The screen says "reconnecting": then nobody is heard who thinks they are not. */
  readonly reconnecting: boolean;
  /** Its person speaks on the telephone: heard twice, it would be an echo. */
  readonly onTelephone: boolean;
  readonly mic: MediaStreamTrack | null;
  readonly cam: MediaStreamTrack | null;
}

export function wanted(wish: Wish): Tracks {
  const { admitted, muted, cameraOff, reconnecting, onTelephone, mic, cam } = wish;
  return {
    mic: admitted && !muted && !reconnecting && !onTelephone ? mic : null,
    cam: admitted && !cameraOff ? cam : null,
  };
}

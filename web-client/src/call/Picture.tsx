import { useEffect, useRef } from "react";
import { classes } from "../ui/classes";
import style from "./Tile.module.css";

/** A track as a picture: always muted, since sound has elements of its own. */
export function Picture(props: {
  readonly track: MediaStreamTrack;
  readonly mirrored?: boolean;
  readonly label: string;
  /** Told of each drawn frame, with its RTP timestamp where the browser knows it. */
  readonly onFrame?: ((rtpTimestamp: number | undefined) => void) | undefined;
}) {
  const video = useRef<HTMLVideoElement>(null);
  const { track, onFrame } = props;
  useEffect(() => {
    const element = video.current;
    if (element === null) return;
    element.srcObject = new MediaStream([track]);
    void element.play().catch(() => undefined); // muted video may play; an abort is only the next source
    return () => {
      element.srcObject = null;
    };
  }, [track]);
  useEffect(() => {
    const element = video.current;
    if (element === null || onFrame === undefined || !("requestVideoFrameCallback" in element)) return;
    let handle = 0;
    const frame = (_now: number, metadata: VideoFrameCallbackMetadata) => {
      onFrame(metadata.rtpTimestamp);
      handle = element.requestVideoFrameCallback(frame);
    };
    handle = element.requestVideoFrameCallback(frame);
    return () => element.cancelVideoFrameCallback(handle);
  }, [onFrame, track]);
  return <video ref={video} muted autoPlay playsInline disablePictureInPicture aria-label={props.label} className={classes(style["picture"], props.mirrored === true && style["mirrored"])} />;
}

import { useEffect, useRef } from "react";
import { meter, SILENT_DBFS } from "../call/meter";
import style from "./Level.module.css";

const BARS = 12;
/** A loud voice close to the microphone. */
const FULL_DBFS = -15;

/** How loud it is now, as bars that fill. Drawn outside React: 20 pictures a second of a number nobody else needs. */
export function Level(props: { readonly track: MediaStreamTrack; readonly label: string; readonly onLevel: (dbfs: number) => void }) {
  const bars = useRef<HTMLSpanElement>(null);
  const { track, onLevel } = props;
  useEffect(() => meter(track, (dbfs) => {
    const share = Math.min(1, Math.max(0, (dbfs - SILENT_DBFS) / (FULL_DBFS - SILENT_DBFS)));
    const lit = Math.round(share * BARS);
    [...(bars.current?.children ?? [])].forEach((bar, i) => bar.classList.toggle(style["lit"] ?? "lit", i < lit));
    onLevel(dbfs);
  }), [track, onLevel]);
  return (
    <span role="img" aria-label={props.label} ref={bars} className={style["level"]}>
      {Array.from({ length: BARS }, (_, i) => <span key={i} className={style["bar"]} />)}
    </span>
  );
}

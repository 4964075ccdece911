import { useSay } from "../i18n";
import { classes } from "../ui/classes";
import { Picture } from "./Picture";
import type { Session } from "./session";
import { useStore } from "./store";
import style from "./Tile.module.css";

/** The own picture, mirrored as in a mirror, and a word when others do not get it. */
export function SelfView(props: { readonly session: Session; readonly className?: string | undefined }) {
  const say = useSay();
  const track = useStore(props.session.devices.state, (state) => (state.cam.kind === "on" ? state.cam.track : null));
  const muted = useStore(props.session.media, (state) => state.link !== "none" && !state.micSent);
  const resting = useStore(props.session.media, (state) => state.camResting);
  return (
    <figure className={classes(style["tile"], resting && style["dimmed"], props.className)}>
      {track === null
        ? <span className={style["state"]}>{say("call.camera_is_off")}</span>
        : <Picture track={track} mirrored label={say("call.you")} />}
      {resting && track !== null && <p className={style["paused"]}><strong>{say("call.paused")}</strong></p>}
      <figcaption className={style["label"]}>{muted ? `${say("call.you")}, ${say("call.muted")}` : say("call.you")}</figcaption>
    </figure>
  );
}

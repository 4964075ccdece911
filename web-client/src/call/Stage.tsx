import { useSay } from "../i18n";
import { classes } from "../ui/classes";
import { usePhone } from "../ui/usePhone";
import { SelfView } from "./SelfView";
import type { Session } from "./session";
import style from "./Stage.module.css";
import { useStore } from "./store";
import { Tile } from "./Tile";

/** Who is large, and the others in a strip in order of joining. `compact`: on a phone all are one strip. */
export function Stage(props: { readonly session: Session; readonly compact?: boolean }) {
  const say = useSay();
  const scrolls = usePhone() && props.compact === true;
  const { large, strip } = useStore(props.session.media, (state) => state.layout);
  return (
    <section aria-label={say("call.stage")} tabIndex={scrolls ? 0 : undefined} className={classes(style["stage"], props.compact === true && style["compact"])}>
      {large === null
        ? <p className={style["alone"]}>{say("call.alone")}</p>
        : <Tile key={large.seat.seat} session={props.session} face={large} large />}
      <div className={style["strip"]}>
        {strip.map((face) => <Tile key={face.seat.seat} session={props.session} face={face} />)}
        <SelfView session={props.session} />
      </div>
    </section>
  );
}

import type { ReactNode } from "react";
import { classes } from "./classes";
import style from "./Banner.module.css";

/** Full width under the header; stays until its cause is gone. It is announced by whoever causes it, not by itself. */
export function Banner(props: { readonly tone: "info" | "ok" | "warn" | "danger"; readonly icon?: ReactNode; readonly children: ReactNode; readonly action?: ReactNode }) {
  return (
    <div className={classes(style["banner"], style[props.tone])}>
      {props.icon}
      <p className={style["words"]}>{props.children}</p>
      {props.action}
    </div>
  );
}

import type { ReactNode } from "react";
import { classes } from "./classes";
import style from "./Chip.module.css";

/** A state in a word. The meanings of colours are fixed; the word always stands. */
export function Chip(props: { readonly tone: "info" | "ok" | "warn" | "danger" | "plain"; readonly icon?: ReactNode; readonly children: ReactNode }) {
  return <span className={classes(style["chip"], style[props.tone])}>{props.icon}<span>{props.children}</span></span>;
}

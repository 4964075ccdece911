import type { ComponentProps } from "react";
import { classes } from "./classes";
import style from "./Card.module.css";

export function Card({ className, ...rest }: ComponentProps<"section">) {
  return <section {...rest} className={classes(style["card"], className)} />;
}

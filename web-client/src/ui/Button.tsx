import type { ComponentProps, ReactNode } from "react";
import { classes } from "./classes";
import style from "./Button.module.css";

export interface ButtonProps extends ComponentProps<"button"> {
  /** One primary a screen; danger only for what ends or removes something. */
  readonly kind?: "primary" | "normal" | "quiet" | "danger";
  readonly icon?: ReactNode;
  readonly wide?: boolean;
}

export function Button({ kind = "normal", icon, wide = false, type = "button", className, children, ...rest }: ButtonProps) {
  return (
    <button {...rest} type={type} className={classes(style["button"], style[kind], wide && style["wide"], className)}>
      {icon}
      <span>{children}</span>
    </button>
  );
}

/** An icon alone: close, more, copy, drag. The label is its name and its tooltip. */
export function IconButton({ label, children, className, ...rest }: ComponentProps<"button"> & { readonly label: string }) {
  return (
    <button type="button" {...rest} aria-label={label} title={label} className={classes(style["button"], style["quiet"], style["icon"], className)}>
      {children}
    </button>
  );
}

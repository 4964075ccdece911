import { X } from "lucide-react";
import { useId, useLayoutEffect, useRef, type ReactNode } from "react";
import { useSay } from "../i18n";
import { IconButton } from "./Button";
import { classes } from "./classes";
import style from "./Dialog.module.css";

/**
 * A question over the page, by the browser's own modal dialog: it keeps the focus inside, closes with Esc, makes the
 * page behind it inert and gives the focus back to what opened it.
 */
export function Dialog(props: { readonly title: string; readonly onClose: () => void; readonly children: ReactNode; readonly actions?: ReactNode; readonly sheet?: boolean }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const title = useId();
  const say = useSay();
  // A layout effect: it is undone while the dialog still stands in the page, and only then the focus goes back.
  useLayoutEffect(() => {
    const element = dialog.current;
    if (element !== null && !element.open) element.showModal();
    return () => element?.close();
  }, []);
  return (
    <dialog
      ref={dialog}
      aria-labelledby={title}
      className={classes(style["dialog"], props.sheet === true && style["sheet"])}
      onCancel={(event) => {
        event.preventDefault();
        props.onClose();
      }}
    >
      <header className={style["header"]}>
        <h2 id={title}>{props.title}</h2>
        <IconButton label={say("ui.close")} onClick={props.onClose}><X size={20} aria-hidden /></IconButton>
      </header>
      <div className={style["body"]}>{props.children}</div>
      {props.actions !== undefined && <footer className={style["actions"]}>{props.actions}</footer>}
    </dialog>
  );
}

import { useId, useRef, type KeyboardEvent, type ReactNode } from "react";
import { classes } from "./classes";
import style from "./Tabs.module.css";

export interface Tab<Id extends string> {
  readonly id: Id;
  readonly label: string;
  /** Worded count of what waits there: "1 conflict". */
  readonly note?: string | undefined;
}

/**
 * Tabs after the ARIA pattern: one stop for Tab, arrows and Home and End move and choose. Labels never wrap; where
 * they do not fit the row scrolls by itself.
 */
export function Tabs<Id extends string>(props: {
  readonly label: string;
  readonly tabs: readonly Tab<Id>[];
  readonly selected: Id;
  readonly onSelect: (id: Id) => void;
  readonly children: ReactNode;
  readonly className?: string;
}) {
  const base = useId();
  const list = useRef<HTMLDivElement>(null);
  const move = (event: KeyboardEvent) => {
    const at = props.tabs.findIndex((tab) => tab.id === props.selected);
    const last = props.tabs.length - 1;
    const to = { ArrowRight: at === last ? 0 : at + 1, ArrowLeft: at === 0 ? last : at - 1, Home: 0, End: last }[event.key];
    const tab = to === undefined ? undefined : props.tabs[to];
    if (tab === undefined || to === undefined) return;
    event.preventDefault();
    props.onSelect(tab.id);
    const button = list.current?.children[to];
    if (button instanceof HTMLElement) {
      button.focus();
      button.scrollIntoView({ block: "nearest", inline: "nearest" });
    }
  };
  return (
    <div className={classes(style["tabs"], props.className)}>
      <div ref={list} role="tablist" aria-label={props.label} tabIndex={-1} className={style["list"]} onKeyDown={move}>
        {props.tabs.map((tab) => (
          <button
            key={tab.id}
            type="button"
            role="tab"
            id={`${base}-${tab.id}`}
            aria-selected={tab.id === props.selected}
            aria-controls={`${base}-panel`}
            tabIndex={tab.id === props.selected ? 0 : -1}
            className={style["tab"]}
            onClick={() => props.onSelect(tab.id)}
          >
            <span>{tab.label}</span>
            {tab.note !== undefined && <span className={style["note"]}>{tab.note}</span>}
          </button>
        ))}
      </div>
      <div role="tabpanel" tabIndex={0} id={`${base}-panel`} aria-labelledby={`${base}-${props.selected}`} className={style["panel"]}>
        {props.children}
      </div>
    </div>
  );
}

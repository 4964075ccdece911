/** The signed versions, newest first, and what changed from one to the next in clinical words. */
import { useEffect, useState } from "react";
import { versionOf, versionsOf } from "../../api";
import { useLanguage } from "../../i18n";
import { FIELDS, type FieldName, type VersionContent, type VersionLine } from "../../wire";
import { Button } from "../../ui/Button";
import { Card } from "../../ui/Card";
import { useScene } from "../context";
import { useWording } from "../Editor";
import type { RegisterName, ValueOf } from "../fold";
import { differences, type Difference } from "../sign";
import { words } from "../words";
import style from "./panels.module.css";

export function Versions({ newest }: { readonly newest: number }) {
  const { say } = useLanguage();
  const { seat } = useScene();
  const [lines, setLines] = useState<readonly VersionLine[] | "failed">([]);
  useEffect(() => {
    let gone = false;
    versionsOf(seat).then((loaded) => { if (!gone) setLines(loaded.toReversed()); }, () => { if (!gone) setLines("failed"); });
    return () => { gone = true; };
  }, [seat, newest]);
  return (
    <section aria-label={say("plan.versions")} className={style["small"]}>
      <h4 className={style["title"]}>{say("plan.versions")}</h4>
      {lines === "failed" ? <p role="alert">{say("plan.versions.load_failed")}</p> : lines.map((line) => <Version key={line.version} line={line} />)}
    </section>
  );
}

type Shown = { readonly before: VersionContent | null; readonly after: VersionContent } | "failed" | null;

function Version({ line }: { readonly line: VersionLine }) {
  const { say } = useLanguage();
  const { seat } = useScene();
  const [shown, setShown] = useState<Shown>(null);
  const show = async (): Promise<void> => {
    try {
      const after = await versionOf(seat, line.version);
      setShown({ after, before: line.version > 1 ? await versionOf(seat, line.version - 1) : null });
    } catch {
      setShown("failed");
    }
  };
  return (
    <Card aria-label={say("plan.versions")}>
      <p>{say("plan.signed.by", { version: line.version, name: line.name, at: line.at_ms })}</p>
      {line.confirmed !== undefined && <p className={style["by"]} title={line.confirmed.passkey}>{say("plan.signed.passkey", { passkey: line.confirmed.passkey.slice(0, 16), at: line.confirmed.at_ms })}</p>}
      <p className={style["by"]} title={line.sha256}>{say("plan.signed.hash", { hash: line.sha256.slice(0, 16) })}</p>
      {shown === null && <div><Button kind="quiet" onClick={() => void show()}>{say("plan.versions.show")}</Button></div>}
      {shown === "failed" && <p role="alert">{say("plan.versions.load_failed")}</p>}
      {shown !== null && shown !== "failed" && <Changes before={shown.before} after={shown.after} />}
    </Card>
  );
}

function Changes({ before, after }: { readonly before: VersionContent | null; readonly after: VersionContent }) {
  const { say } = useLanguage();
  const told = useTold();
  if (before === null) return <p>{say("plan.versions.first")}</p>;
  const found = differences(before, after);
  return (
    <>
      {after.supersedes !== undefined && <p>{say("plan.versions.reason", { reason: after.supersedes.reason })}</p>}
      {found.length === 0 ? <p>{say("plan.versions.same")}</p> : <ul>{found.map((one, index) => <li key={index}>{told(one)}</li>)}</ul>}
    </>
  );
}

/** A difference in a sentence. */
function useTold(): (one: Difference) => string {
  const { say } = useLanguage();
  const wording = useWording();
  const value = (field: FieldName, json: unknown): string => {
    if (json === null) return say("plan.diff.nothing");
    return FIELDS[field].kind === "text" ? String(json) : words(field as RegisterName, json as ValueOf<RegisterName>, wording);
  };
  return (one) => {
    switch (one.kind) {
      case "stopped":
        return say("plan.diff.stopped", { name: wording.named(one.row) });
      case "new":
      case "gone":
        return say(`plan.diff.${one.kind}`, { what: say(`plan.list.${one.list}`), name: nameIn(one.in, one) ?? wording.named(one.row) });
      case "changed":
        return say("plan.diff.changed", {
          name: one.row === null ? "" : wording.named(one.row), field: say(`plan.field.${one.field}`),
          before: value(one.field, one.before), after: value(one.field, one.after),
        });
      default:
        return one satisfies never;
    }
  };
}

/** What a row was called in its version: it may be gone from the plan. */
function nameIn(content: VersionContent, { list, row }: Extract<Difference, { kind: "new" | "gone" }>): string | null {
  const fields = content.lists[list]?.find((one) => one.row === row)?.fields;
  for (const value of Object.values(fields ?? {})) {
    if (typeof value === "string" && value !== "") return value;
    if (typeof value !== "object" || value === null) continue;
    for (const key of ["name", "substance", "vaccine", "text", "condition", "summary", "purpose", "message"] as const) {
      if (key in value && typeof value[key as keyof typeof value] === "string") return value[key as keyof typeof value];
    }
  }
  return null;
}

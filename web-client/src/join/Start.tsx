import { useState, type FormEvent } from "react";
import { useSay } from "../i18n";
import { tokenIn } from "../route";
import { Button } from "../ui/Button";
import { Column } from "../ui/Column";
import { Field } from "../ui/Field";
import { useSide } from "../ui/side";

/** For somebody without a link in front of them: what this is, and a place to paste the link. */
export function Start(props: { readonly unknown: boolean; readonly onToken: (token: string) => void }) {
  const say = useSay();
  const [link, setLink] = useState("");
  const [wrong, setWrong] = useState(false);
  useSide("patient");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const token = tokenIn(link);
    setWrong(token === null);
    if (token !== null) props.onToken(token);
  };
  return (
    <Column over="Mortar">
      <h1>{say("start.title")}</h1>
      <p>{say(props.unknown ? "start.unknown" : "start.what")}</p>
      <form noValidate onSubmit={submit} className="stack">
        <Field
          label={say("start.link")}
          hint={say("start.how")}
          problem={wrong ? say("start.not_a_link") : undefined}
          value={link}
          onChange={(event) => setLink(event.target.value)}
          inputMode="url"
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
        />
        <Button kind="primary" type="submit" wide>{say("start.go")}</Button>
      </form>
    </Column>
  );
}

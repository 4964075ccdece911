import { Component, lazy, Suspense, useEffect, useState, type ReactNode } from "react";
import { useSay } from "./i18n";
import { parseRoute, replace, takeLinkToken, usePath } from "./route";
import { Button } from "./ui/Button";
import { Column } from "./ui/Column";

const Start = lazy(() => import("./join/Start").then((m) => ({ default: m.Start })));
const Door = lazy(() => import("./join/Door").then((m) => ({ default: m.Door })));
const Decision = lazy(() => import("./decision/Page").then((m) => ({ default: m.Page })));
const Passkey = lazy(() => import("./passkey/Page").then((m) => ({ default: m.Page })));
const Visit = lazy(() => import("./call/Visit").then((m) => ({ default: m.Visit })));

export function App(props: { readonly token: string | null }) {
  const [token, setToken] = useState(props.token);
  const route = parseRoute(usePath());
  // A new link opened in the tab of an old one changes nothing but the fragment: the browser loads no page for it.
  useEffect(() => {
    const another = () => {
      const found = takeLinkToken();
      if (found !== null) setToken(found);
    };
    window.addEventListener("hashchange", another);
    return () => window.removeEventListener("hashchange", another);
  }, []);
  const open = (found: string) => {
    setToken(found);
    replace("/j");
  };
  return (
    <Broken fallback={<Reload />}>
      <Suspense>
        {route.kind === "visit" ? <Visit key={route.seat} seat={route.seat} />
          : route.kind === "door" && token !== null ? <Door key={token} token={token} />
          : route.kind === "decision" && token !== null ? <Decision key={token} token={token} />
          : route.kind === "passkey" && token !== null ? <Passkey key={token} token={token} />
          : <Start unknown={route.kind === "unknown"} onToken={open} />}
      </Suspense>
    </Broken>
  );
}

/** A screen that cannot be drawn says what to do, instead of an empty page. */
class Broken extends Component<{ readonly fallback: ReactNode; readonly children: ReactNode }, { readonly broken: boolean }> {
  override state = { broken: false };
  static getDerivedStateFromError() {
    return { broken: true };
  }
  override render() {
    return this.state.broken ? this.props.fallback : this.props.children;
  }
}

function Reload() {
  const say = useSay();
  return (
    <Column>
      <h1>{say("ui.broken")}</h1>
      <p>{say("ui.broken.what")}</p>
      <Button kind="primary" wide onClick={() => location.reload()}>{say("ui.reload")}</Button>
    </Column>
  );
}

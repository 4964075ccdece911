import { useEffect, useState } from "react";
import { useLanguage } from "../i18n";
import { chooseTextSize, chooseTheme, textSize, TEXT_SIZES, theme, type TextSize, type Theme } from "../theme";
import { Dialog } from "../ui/Dialog";
import { Select } from "../ui/Field";
import type { Session } from "./session";
import { Speakers } from "./speakers";
import { useStore } from "./store";

/** Language, colours and devices, during the call. */
export function Settings(props: { readonly session: Session; readonly onClose: () => void }) {
  const { session } = props;
  const { language, choose, say } = useLanguage();
  const [chosen, setChosen] = useState<Theme>(theme);
  const [size, setSize] = useState<TextSize>(textSize);
  const [devices, setDevices] = useState<readonly MediaDeviceInfo[]>([]);
  const mic = useStore(session.devices.state, (state) => (state.mic.kind === "on" ? state.mic.track.getSettings().deviceId : undefined));
  const cam = useStore(session.devices.state, (state) => (state.cam.kind === "on" ? state.cam.track.getSettings().deviceId : undefined));
  useEffect(() => {
    const look = () => void session.devices.choices().then(setDevices);
    look();
    navigator.mediaDevices?.addEventListener("devicechange", look);
    return () => navigator.mediaDevices?.removeEventListener("devicechange", look);
  }, [session]);
  const of = (kind: MediaDeviceKind) => devices.filter((device) => device.kind === kind);
  const options = (kind: MediaDeviceKind) => of(kind).map((device, i) => <option key={device.deviceId} value={device.deviceId}>{device.label === "" ? String(i + 1) : device.label}</option>);
  return (
    <Dialog title={say("call.settings")} onClose={props.onClose} sheet>
      <Select label={say("ui.language")} value={language} onChange={(event) => choose(event.target.value === "es" ? "es" : "en")}>
        <option value="en" lang="en">English</option>
        <option value="es" lang="es">Español</option>
      </Select>
      <Select label={say("ui.text")} value={size} onChange={(event) => {
        const next = TEXT_SIZES.find((known) => known === event.target.value) ?? "100";
        setSize(next);
        chooseTextSize(next);
      }}>
        <option value="100">{say("ui.text.100")}</option>
        <option value="125">{say("ui.text.125")}</option>
        <option value="150">{say("ui.text.150")}</option>
      </Select>
      <Select label={say("ui.theme")} value={chosen} onChange={(event) => {
        const next: Theme = event.target.value === "light" || event.target.value === "dark" ? event.target.value : "auto";
        setChosen(next);
        chooseTheme(next);
      }}>
        <option value="auto">{say("ui.theme.auto")}</option>
        <option value="light">{say("ui.theme.light")}</option>
        <option value="dark">{say("ui.theme.dark")}</option>
      </Select>
      {of("audioinput").length > 1 && mic !== undefined && (
        <Select label={say("call.settings.mic")} value={mic} onChange={(event) => void session.devices.choose("mic", event.target.value)}>{options("audioinput")}</Select>
      )}
      {of("videoinput").length > 1 && cam !== undefined && (
        <Select label={say("call.settings.cam")} value={cam} onChange={(event) => void session.devices.choose("cam", event.target.value)}>{options("videoinput")}</Select>
      )}
      {Speakers.canChoose && of("audiooutput").length > 1 && (
        <Select label={say("call.settings.out")} defaultValue="default" onChange={(event) => void session.speakers.choose(event.target.value)}>{options("audiooutput")}</Select>
      )}
    </Dialog>
  );
}

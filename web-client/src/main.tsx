import "@fontsource-variable/atkinson-hyperlegible-next/wght.css";
import "./ui/tokens.css";
import "./ui/reset.css";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app";
import { LanguageProvider, loadMessages, preferredLanguage } from "./i18n";
import { takeLinkToken } from "./route";
import { applyTextSize, applyTheme } from "./theme";
import { reloadOnMissingFile } from "./update";

// The token leaves the address before anything else runs: it may not stay in the history or in what extensions see.
const token = takeLinkToken();
applyTheme();
applyTextSize();
reloadOnMissingFile();
const language = preferredLanguage();
document.documentElement.lang = language;
// The language is there before the first render, so that no text changes under the reader.
const messages = await loadMessages(language);
const root = document.getElementById("root");
if (root !== null) {
  createRoot(root).render(
    <StrictMode>
      <LanguageProvider language={language} messages={messages}>
        <App token={token} />
      </LanguageProvider>
    </StrictMode>,
  );
}

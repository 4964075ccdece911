/** A server was updated under an open page: the old page misses a file. */

const TRIED = "reloaded-for";

/** Reloads once for each missing file, so that it cannot loop, and never in the middle of a call. */
export function reloadOnMissingFile(): void {
  window.addEventListener("vite:preloadError", (event) => {
    const missing = event.payload.message;
    if (document.documentElement.hasAttribute("data-live")) return;
    try {
      if (sessionStorage.getItem(TRIED) === missing) return;
      sessionStorage.setItem(TRIED, missing);
    } catch {
      return; // storage switched off: a reload could loop; the page says what to do
    }
    event.preventDefault();
    location.reload();
  });
}

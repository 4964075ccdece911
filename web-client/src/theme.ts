/** The person's own choices of how the page looks; without one the page follows the system. */
export type Theme = "auto" | "light" | "dark";

/** Percent of the size the page has anyway; the browser's own zoom and size count besides. */
export const TEXT_SIZES = ["100", "125", "150"] as const;
export type TextSize = (typeof TEXT_SIZES)[number];

const STORED = "theme";
const STORED_TEXT = "text";

export function theme(): Theme {
  try {
    const stored = localStorage.getItem(STORED);
    return stored === "light" || stored === "dark" ? stored : "auto";
  } catch {
    return "auto"; // storage switched off
  }
}

export function applyTheme(chosen: Theme = theme()): void {
  document.documentElement.dataset["theme"] = chosen;
}

export function chooseTheme(chosen: Theme): void {
  try {
    localStorage.setItem(STORED, chosen);
  } catch {
    // storage switched off: the choice lasts as long as the page
  }
  applyTheme(chosen);
}

export function textSize(): TextSize {
  try {
    const stored = localStorage.getItem(STORED_TEXT);
    return TEXT_SIZES.find((size) => size === stored) ?? "100";
  } catch {
    return "100"; // storage switched off
  }
}

export function applyTextSize(chosen: TextSize = textSize()): void {
  document.documentElement.dataset["text"] = chosen;
}

export function chooseTextSize(chosen: TextSize): void {
  try {
    localStorage.setItem(STORED_TEXT, chosen);
  } catch {
    // storage switched off: the choice lasts as long as the page
  }
  applyTextSize(chosen);
}

import { useLayoutEffect } from "react";

/** Staff's dense page or the larger one: set on <html>, since all sizes hang on its font size. */
export function useSide(side: "staff" | "patient"): void {
  useLayoutEffect(() => {
    document.documentElement.dataset["side"] = side;
  }, [side]);
}

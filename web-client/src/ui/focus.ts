import { useEffect, useRef, type RefObject } from "react";

/** A new screen takes the focus to its heading, so that a screen reader starts there and Tab goes on from it. */
export function useScreenHeading(screen: string): RefObject<HTMLHeadingElement | null> {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    heading.current?.focus({ preventScroll: false });
  }, [screen]);
  return heading;
}

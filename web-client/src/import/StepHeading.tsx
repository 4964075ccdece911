import { useEffect, useRef, type ReactNode } from "react";

/** The heading of a step of a dialog. It takes the focus, so that a new step is read out from its top. */
export function StepHeading({ children }: { readonly children: ReactNode }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  return <h3 ref={heading} tabIndex={-1}>{children}</h3>;
}

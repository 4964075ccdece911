/** Looks again, for a while, whether an email that waits is sent. */
import { useEffect, useEffectEvent, useState } from "react";

/** How often, and how many times: one goes out within a second or two. */
const LOOK_MS = 2_000;
const LOOKS = 10;

/** Reads while something `waits`. The function it gives begins the count anew, for what was just sent. */
export function useLookAgain(waits: boolean, read: () => void): () => void {
  const [looked, setLooked] = useState(0);
  const onLook = useEffectEvent(read);
  useEffect(() => {
    if (!waits || looked >= LOOKS) return;
    const timer = setTimeout(() => {
      setLooked(looked + 1);
      onLook();
    }, LOOK_MS);
    return () => clearTimeout(timer);
  }, [waits, looked]);
  return () => setLooked(0);
}

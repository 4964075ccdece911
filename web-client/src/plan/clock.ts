/** Time as the record needs it. Tests bring their own. */
export interface Clock {
  /** The page's, never steps back. */
  now(): DOMHighResTimeStamp;
  /** Milliseconds since 1970. */
  wall(): number;
  /** Returns the undoing. */
  later(ms: number, act: () => void): () => void;
}

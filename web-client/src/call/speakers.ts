/**
 * Sound. One <audio> element for each audio slot, outside React: a layout change that removed one would stop a voice.
 * Pictures have their own, always muted, elements.
 */
import { createStore, type Store } from "./store";

export class Speakers {
  /** The browser wants a tap before it plays. */
  readonly blocked: Store<boolean> = createStore(false);
  readonly #elements = new Map<string, HTMLAudioElement>();
  #output: string | null = null;
  #silent = false;

  /** Makes the elements equal to the slots there are. */
  set(tracks: ReadonlyMap<string, MediaStreamTrack>): void {
    for (const [mid, element] of this.#elements) {
      if (!tracks.has(mid)) {
        element.srcObject = null;
        element.remove();
        this.#elements.delete(mid);
      }
    }
    for (const [mid, track] of tracks) {
      const known = this.#elements.get(mid);
      const element = known ?? document.createElement("audio");
      const before = element.srcObject instanceof MediaStream ? element.srcObject.getAudioTracks()[0] : undefined;
      if (before === track) continue;
      element.srcObject = new MediaStream([track]);
      if (known === undefined) {
        element.autoplay = true;
        element.hidden = true;
        element.muted = this.#silent;
        document.body.append(element);
        this.#elements.set(mid, element);
        if (this.#output !== null) void this.#route(element, this.#output);
      }
      void this.#play(element);
    }
  }

  /** Inside a tap: every element plays, and the bar goes away. */
  async resume(): Promise<void> {
    this.blocked.set(false);
    await Promise.all([...this.#elements.values()].map((element) => this.#play(element)));
  }

  /** Nothing sounds while its person speaks on the telephone: they would hear everybody twice. */
  silence(silent: boolean): void {
    if (silent === this.#silent) return;
    this.#silent = silent;
    for (const element of this.#elements.values()) element.muted = silent;
  }

  /** Whether this browser lets a page choose where its sound comes out. */
  static get canChoose(): boolean {
    return "setSinkId" in HTMLMediaElement.prototype;
  }

  async choose(output: string): Promise<void> {
    this.#output = output;
    await Promise.all([...this.#elements.values()].map((element) => this.#route(element, output)));
  }

  close(): void {
    this.set(new Map());
    this.blocked.set(false);
  }

  async #play(element: HTMLAudioElement): Promise<void> {
    try {
      await element.play();
    } catch (error) {
      // AbortError is only a source replaced while it was starting.
      if (error instanceof DOMException && error.name === "NotAllowedError") this.blocked.set(true);
    }
  }

  async #route(element: HTMLAudioElement, output: string): Promise<void> {
    try {
      await element.setSinkId(output);
    } catch {
      // The device is gone: the system's own choice plays on.
    }
  }
}

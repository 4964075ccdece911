/** How loud a microphone is, as numbers for a picture and for "we hear you". */

/** Below this a microphone counts as silent: quiet rooms measure about -55, a dead device -90 and less. */
export const SILENT_DBFS = -60;
/** Loud enough to be a voice near the microphone. */
const VOICE_DBFS = -45;
const EVERY_MS = 50;
/** 2048 samples are 43 ms at 48 kHz: one reading covers nearly the whole time since the last. */
const WINDOW = 2_048;

export function rmsDbfs(samples: Float32Array): number {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  return samples.length === 0 || sum === 0 ? -120 : 10 * Math.log10(sum / samples.length);
}

/** Loud readings count up, quiet ones slowly down: words have gaps, a cough has no second. */
const QUIET_COSTS = 0.05;
/** Reached by a third of a second of speech; a single bang stays below. */
export const VOICE_SCORE = 3;

/** Follows the readings; at `VOICE_SCORE` somebody speaks. */
export function voiceScore(before: number, dbfs: number): number {
  return dbfs > VOICE_DBFS ? Math.min(VOICE_SCORE, before + 1) : Math.max(0, before - QUIET_COSTS);
}

let shared: AudioContext | null = null;

/** One context for the page: browsers limit how many there may be. */
export function audioContext(): AudioContext | null {
  if (typeof AudioContext === "undefined") return null;
  shared ??= new AudioContext();
  if (shared.state !== "running") void shared.resume().catch(() => undefined); // refused before the first tap; the next call tries again
  return shared;
}

/** Calls `hear` about 20 times a second until the returned function is called. */
export function meter(track: MediaStreamTrack, hear: (dbfs: number) => void): () => void {
  const context = audioContext();
  if (context === null) return () => undefined;
  const source = context.createMediaStreamSource(new MediaStream([track]));
  const analyser = context.createAnalyser();
  analyser.fftSize = WINDOW;
  source.connect(analyser);
  const samples = new Float32Array(WINDOW);
  const timer = setInterval(() => {
    if (context.state !== "running") {
      audioContext();
      return;
    }
    analyser.getFloatTimeDomainData(samples);
    hear(rmsDbfs(samples));
  }, EVERY_MS);
  return () => {
    clearInterval(timer);
    source.disconnect();
  };
}

/** A short tone, for "did you hear it?". Resolves when it has been played. */
export async function playTone(): Promise<void> {
  const context = audioContext();
  if (context === null) return;
  await context.resume().catch(() => undefined);
  const seconds = 1;
  const oscillator = context.createOscillator();
  const gain = context.createGain();
  const now = context.currentTime;
  oscillator.frequency.setValueAtTime(523, now);
  oscillator.frequency.setValueAtTime(659, now + seconds / 2);
  // Fades in and out: a tone cut off clicks, and a click frightens.
  gain.gain.setValueAtTime(0, now);
  gain.gain.linearRampToValueAtTime(0.25, now + 0.05);
  gain.gain.setValueAtTime(0.25, now + seconds - 0.1);
  gain.gain.linearRampToValueAtTime(0, now + seconds);
  oscillator.connect(gain).connect(context.destination);
  oscillator.start(now);
  oscillator.stop(now + seconds);
  await new Promise<void>((resolve) => {
    oscillator.onended = () => resolve();
  });
}

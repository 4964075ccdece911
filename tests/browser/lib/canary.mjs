// Words that must not be where they do not belong, however they are written there.

import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

/** A word that stands nowhere else. Letters and digits alone, so that no encoding of text changes it. */
export function canary(name) {
  return `Canary${name}${crypto.randomUUID().replaceAll("-", "").slice(0, 12)}`;
}

/** The word itself, and its base64 at each of the three places it may begin in a group of three bytes. */
function spellings(word) {
  const inBase64 = [0, 1, 2].map((before) => {
    const whole = Buffer.from("\0".repeat(before) + word).toString("base64").replaceAll("=", "");
    // Letters that share bits with a neighbour differ with it: they are left out on both sides.
    const from = Math.ceil((before * 8) / 6);
    const bits = (before + word.length) * 8;
    return whole.slice(from, Math.floor(bits / 6));
  });
  return [word, ...inBase64, ...inBase64.map((one) => one.replaceAll("+", "-").replaceAll("/", "_"))];
}

/** Whether the bytes hold the word in any spelling. */
export function holds(bytes, word) {
  const text = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes);
  return spellings(word).some((spelling) => text.includes(spelling));
}

/** Keeps every byte that a page receives: messages of its sockets and bodies of its answers. */
export function recordEverything(page) {
  const heard = [];
  const bodies = [];
  page.on("websocket", (socket) => socket.on("framereceived", ({ payload }) => heard.push(Buffer.from(payload))));
  page.on("response", (response) => {
    // A redirect and an answer that was cut off have no body.
    bodies.push(response.body().then((body) => heard.push(body), () => undefined));
  });
  return {
    async has(word) {
      await Promise.all(bodies);
      return heard.some((bytes) => holds(bytes, word));
    },
    /** Bytes so far, so that a test can say that there were some. */
    get size() {
      return heard.reduce((sum, bytes) => sum + bytes.length, 0);
    },
  };
}

/** Names of files below a folder that hold the word. */
export async function filesWith(folder, word) {
  const names = await readdir(folder, { recursive: true, withFileTypes: true });
  const found = [];
  for (const entry of names) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath ?? entry.path, entry.name);
    if (holds(await readFile(path), word)) found.push(entry.name);
  }
  return found;
}

// A real Chromium for each seat: its own process, profile, cookies, and bandwidth estimator.

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

import { chromium } from "playwright-core";

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-dev-shm-usage",
  "--use-fake-device-for-media-stream",
  "--autoplay-policy=no-user-gesture-required",
  "--allow-loopback-in-peer-connection",
  // Proof that nothing else is asked for.
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1',
];

/** Sizes that tests and screenshots use. */
export const WIDE = { width: 1440, height: 900 };
export const PHONE = { width: 390, height: 844 };

/**
 * Opens a browser for one seat.
 *
 * `permissions`: "granted" answers the camera and microphone question with yes, "ask" leaves it open.
 */
export async function openSeat(origin, { viewport = WIDE, locale = "en-US", colorScheme = "light", permissions = "granted" } = {}) {
  const profile = await mkdtemp(join(tmpdir(), "mortar-seat-"));
  const args = permissions === "granted" ? [...FLAGS, "--use-fake-ui-for-media-stream"] : FLAGS;
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    headless: true,
    args,
    viewport,
    locale,
    colorScheme,
    ignoreHTTPSErrors: true,
    permissions: permissions === "granted" ? ["camera", "microphone"] : [],
  });
  context.setDefaultTimeout(30_000);
  const page = context.pages()[0] ?? (await context.newPage());
  const faults = [];
  const requests = [];
  watch(page, origin, faults, requests);
  context.on("page", (opened) => watch(opened, origin, faults, requests));
  return {
    context,
    page,
    /** What must be empty at the end of every test. */
    faults,
    /** Every URL the browser asked for. */
    requests,
    async close() {
      await context.close();
      await rm(profile, { recursive: true, force: true });
      assert.deepEqual(faults, [], "console errors, page errors, policy reports and requests to other origins");
    },
  };
}

/** Closes all of them, and then says what was wrong with one: a process that waits for the others would never end. */
export async function closeAll(seats, server) {
  const closed = await Promise.allSettled(seats.map((seat) => seat.close()));
  await server?.close();
  for (const { status, reason } of closed) if (status === "rejected") throw reason;
}

/** Messages that Chromium itself writes when a server is killed or a socket refused, and nothing else. */
const EXPECTED_WHEN_THE_LINE_IS_GONE = [/WebSocket connection to .* failed/, /Failed to load resource: net::ERR_/];

function watch(page, origin, faults, requests) {
  page.on("console", (message) => {
    const text = message.text();
    if (message.type() === "error" && !EXPECTED_WHEN_THE_LINE_IS_GONE.some((known) => known.test(text))) {
      faults.push(`console: ${text}`);
    }
  });
  page.on("pageerror", (error) => faults.push(`page: ${error.message}`));
  page.on("request", (request) => {
    const url = request.url();
    requests.push(url);
    if (!url.startsWith(origin) && !url.startsWith("blob:") && !url.startsWith("data:")) {
      faults.push(`request to another origin: ${new URL(url).origin}`);
    }
  });
}

/** Waits until `probe` answers something true; never for a time. */
export async function until(what, probe, { liveness = 30_000 } = {}) {
  const deadline = Date.now() + liveness;
  for (;;) {
    const found = await probe();
    if (found) return found;
    if (Date.now() > deadline) assert.fail(`never happened: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Prints a figure in the form that `make test` collects. */
export function metric(name, value, target, verdict = "info") {
  console.log(`METRIC ${name} ${value} ${target} ${verdict}`);
}

/** The p-th percentile of some figures. */
export function percentile(figures, p) {
  const sorted = [...figures].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil((p / 100) * sorted.length) - 1)];
}

/** Where pictures go: into `out`, which is ignored, or with `MORTAR_SHOTS=1` over the committed ones. */
const SHOTS = resolve(import.meta.dirname, process.env.MORTAR_SHOTS === "1" ? "../screenshots" : "../out");

/** Keeps a picture of the screen. The committed ones are those of the README. */
export async function shot(seat, name) {
  await seat.page.screenshot({ path: join(SHOTS, `${name}.png`), animations: "disabled" });
}

// Simulcast with real encoders: a tile gets the layer of its size, and what nobody looks at is not sent.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { metric, openSeat, until } from "../lib/browser.mjs";
import { joinAsStaff, listenToMedia, media, pictures, seesAndHears } from "../lib/people.mjs";
import { startServer } from "../lib/server.mjs";

/** Three layers need 2.2 Mb/s, and a browser's bandwidth estimate begins at 300 kb/s. */
const RAMP = { liveness: 90_000 };

describe("layers", { concurrency: false }, () => {
  let server;
  let publisher;
  let watcher;

  before(async () => {
    server = await startServer();
    publisher = await openSeat(server.origin);
    watcher = await openSeat(server.origin);
    for (const seat of [publisher, watcher]) await listenToMedia(seat);
    await joinAsStaff(publisher, server.links.clinician);
    await joinAsStaff(watcher, server.links.pharmacist);
    await seesAndHears(watcher, "the watcher");
  });

  after(async () => {
    for (const seat of [publisher, watcher]) await seat?.close();
    await server?.close();
  });

  /** Makes the watcher's one tile as tall as that, in CSS pixels; 0 hides it. */
  async function tile(height) {
    const figures = watcher.page.locator("section figure").filter({ has: watcher.page.locator("video") });
    // The first is the other person, the last the own picture.
    await figures.first().waitFor({ state: "attached" });
    await figures.first().evaluate((figure, pixels) => {
      figure.style.display = pixels === 0 ? "none" : "";
      for (const limit of ["height", "minHeight", "maxHeight"]) figure.style[limit] = `${pixels}px`;
    }, height);
  }

  const active = (layers) => Object.keys(layers).filter((rid) => layers[rid].active).sort().join("");

  it("offers three layers, and a small tile gets the smallest and stops the others", async () => {
    await tile(90);
    await until("a small picture arrives and only its layer is sent", async () => {
      const { layers } = await pictures(publisher);
      const { received } = await pictures(watcher);
      return active(layers) === "q" && received.height > 0 && received.height === layers.q.height;
    }, RAMP);
    assert.deepEqual(Object.keys((await pictures(publisher)).layers).sort(), ["f", "h", "q"]);
    await goesOn();
  });

  it("gives a large tile the largest layer", async () => {
    await tile(720);
    const seen = await until("a large picture arrives and only its layer is sent", async () => {
      const { layers } = await pictures(publisher);
      const { received } = await pictures(watcher);
      return active(layers) === "f" && received.height === layers.f.height && received.height;
    }, RAMP);
    assert.ok(seen > 180, `${seen} lines`);
    await goesOn();
  });

  it("stops the camera of somebody at whom nobody looks, while the voice goes on", async () => {
    const begin = performance.now();
    await tile(0);
    await until("no layer is sent", async () => active((await pictures(publisher)).layers) === "");
    metric("layers.stop_ms", Math.round(performance.now() - begin), "<=2500");
    const before = (await pictures(publisher)).layers;
    const heard = (await media(watcher)).audioPackets;
    await until("the voice goes on for a second", async () => (await media(watcher)).audioPackets > heard + 50);
    const after = (await pictures(publisher)).layers;
    assert.equal(after.f.framesSent, before.f.framesSent, "not one frame of the largest layer");
    assert.equal(after.q.framesSent, before.q.framesSent, "not one frame of the smallest");
  });

  it("begins again at once when somebody looks", async () => {
    const before = (await pictures(watcher)).received.framesDecoded;
    const begin = performance.now();
    await tile(90);
    await until("a picture again", async () => (await pictures(watcher)).received.framesDecoded > before);
    metric("layers.again_ms", Math.round(performance.now() - begin), "-");
    await goesOn();
  });

  /** Every frame decodes after the switch. */
  async function goesOn() {
    const { received } = await pictures(watcher);
    await until("the picture goes on", async () => (await pictures(watcher)).received.framesDecoded > received.framesDecoded + 20);
  }
});

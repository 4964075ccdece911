// Puts a bad line between one browser and the relay: the page is told a port of `impair` instead of the server's.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";

import { binary } from "./server.mjs";

const IMPAIR = process.env.IMPAIR_BIN ?? join(dirname(binary()), "impair");

/**
 * Before the page is opened. `order("both loss=10 delay=30")` says how the line is from now on; see `impair`. With `tcp`
 * the page also learns the server's TCP candidates, which nothing impairs.
 */
export async function impairLine(seat, { tcp = false } = {}) {
  const relays = new Map();
  const orders = [];
  const relayFor = (port) => {
    if (!relays.has(port)) relays.set(port, start(port, orders));
    return relays.get(port).then(({ own }) => own);
  };
  await seat.context.exposeBinding("mortarImpair", (_source, port) => relayFor(port));
  await seat.context.addInitScript((withTcp) => {
    const set = RTCPeerConnection.prototype.setRemoteDescription;
    RTCPeerConnection.prototype.setRemoteDescription = async function (description) {
      const sdp = description?.sdp ?? "";
      const [, priority, port] = sdp.match(/^a=candidate:\S+ 1 udp (\d+) \S+ (\d+) typ host/mu) ?? [];
      if (port === undefined) return set.call(this, description);
      const own = await globalThis.mortarImpair(Number(port));
      let first = true;
      const told = sdp.split("\r\n").flatMap((line) => {
        if (!line.startsWith("a=candidate:")) return [line];
        if (line.includes(" tcp ")) return withTcp ? [line] : [];
        if (!first) return [];
        first = false;
        return [`a=candidate:1 1 udp ${priority} 127.0.0.1 ${own} typ host`];
      });
      return set.call(this, { type: description.type, sdp: told.join("\r\n") });
    };
  }, tcp);
  return {
    async order(text) {
      orders.push(text);
      for (const relay of relays.values()) (await relay).child.stdin.write(`${text}\n`);
    },
    /** What became of the packets since this was last asked, for the message of a test that fails. */
    async counters() {
      const told = [];
      for (const relay of relays.values()) told.push(await (await relay).ask("counters"));
      return told.join("\n");
    },
    /** How many RTP packets of this payload type were sent each way. */
    async sent(payloadType) {
      const sum = { up: 0, down: 0 };
      for (const relay of relays.values()) {
        const [up, down] = (await (await relay).ask("types")).split(" down");
        for (const [way, list] of [["up", up], ["down", down]]) {
          sum[way] += Number(list.match(new RegExp(` ${payloadType}:(\\d+)`))?.[1] ?? 0);
        }
      }
      return sum;
    },
    async close() {
      for (const relay of relays.values()) {
        const { child } = await relay;
        child.stdin.end();
        if (child.exitCode === null) await once(child, "exit");
      }
    },
  };
}

async function start(port, orders) {
  const child = spawn(IMPAIR, [String(port)], { stdio: ["pipe", "pipe", "inherit"] });
  child.once("error", (why) => {
    throw new Error(`${IMPAIR} does not start (${why.code}): cargo build -p simulation --bin impair`);
  });
  const lines = createInterface({ input: child.stdout });
  const [line] = await once(lines, "line");
  const own = Number(line.match(/^port (\d+)$/)?.[1]);
  // Whatever was ordered before the page connected holds from its first packet.
  for (const text of orders) child.stdin.write(`${text}\n`);
  const ask = async (order) => {
    const answer = once(lines, "line");
    child.stdin.write(`${order}\n`);
    return (await answer)[0];
  };
  return { child, own, ask };
}

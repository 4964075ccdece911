// The real binary on a free port, with a data folder of its own.

import { execFile, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";

const ROOT = resolve(import.meta.dirname, "../../..");

export function binary() {
  return process.env.MORTAR_BIN ?? join(process.env.CARGO_TARGET_DIR ?? join(ROOT, "target"), "debug", "mortar");
}

/**
 * Starts a server on a fresh demo practice. `restart()` starts it again on the same data and the same port.
 */
export async function startServer({ args = [], env = {} } = {}) {
  const data = await mkdtemp(join(tmpdir(), "mortar-data-"));
  const server = { data, output: "", origin: "", links: {}, child: undefined, args, env };
  await run(server, "127.0.0.1:0");
  server.kill = (signal = "SIGKILL") => stopped(server, signal);
  server.restart = () => run(server, new URL(server.origin).host.replace("localhost", "127.0.0.1"));
  server.close = async () => {
    await stopped(server, "SIGTERM");
    await rm(data, { recursive: true, force: true });
  };
  return server;
}

/** Runs an operator's command beside a server, and gives back what it prints. */
export async function command(server, ...args) {
  const listen = new URL(server.origin).host.replace("localhost", "127.0.0.1");
  const { stdout } = await promisify(execFile)(binary(), ["--data", server.data, "--listen", listen, ...server.args, ...args], { env: { ...process.env, ...server.env } });
  return stdout;
}

function stopped(server, signal) {
  return new Promise((resolve) => {
    if (server.child.exitCode !== null || server.child.signalCode !== null) return resolve();
    server.child.once("exit", resolve);
    server.child.kill(signal);
  });
}

function run(server, listen) {
  return new Promise((resolve, reject) => {
    let seen = "";
    const child = spawn(binary(), ["--media-port", "0", "--data", server.data, "--listen", listen, ...server.args], {
      env: { ...process.env, RUST_BACKTRACE: "1", ...server.env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    server.child = child;
    const read = (chunk) => {
      seen += chunk;
      server.output += chunk;
      const links = [...seen.matchAll(/^\s*(\w+)[^\n]*?(https?:\/\/[^\s/]+)(\/j#\S+)/gm)];
      if (links.length >= 4 && seen.includes("birth")) {
        for (const [, who, origin, path] of links) {
          server.origin = origin;
          server.links[who.toLowerCase()] = origin + path;
        }
        const birth = seen.match(/birth: (\d{4}-\d{2}-\d{2})/);
        server.birthDate = birth?.[1];
        resolve(server);
      }
    };
    child.stdout.setEncoding("utf8").on("data", read);
    child.stderr.setEncoding("utf8").on("data", read);
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`the server ended with ${code} before it printed its links:\n${seen}`)));
  });
}

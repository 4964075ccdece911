import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { brotliCompressSync, constants } from "node:zlib";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";
import type { Plugin } from "vite";

/** Kinds of file worth a brotli copy; fonts and pictures are compressed already. */
const COMPRESSED = /\.(js|css|html|svg|json|webmanifest)$/;

/** Writes `x.br` beside each text file, once at build time at the slowest setting, so that serving costs nothing. */
function brotliCopies(): Plugin {
  let out = "dist";
  return {
    name: "brotli-copies",
    apply: "build",
    configResolved(config) {
      out = config.build.outDir;
    },
    async closeBundle() {
      const entries = await readdir(out, { recursive: true, withFileTypes: true });
      for (const entry of entries) {
        if (!entry.isFile() || !COMPRESSED.test(entry.name)) continue;
        const path = join(entry.parentPath, entry.name);
        const bytes = brotliCompressSync(await readFile(path), {
          params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY },
        });
        await writeFile(`${path}.br`, bytes);
      }
    },
  };
}

/** Asks for the one font file every page needs before the style sheet names it. */
function preloadFont(): Plugin {
  return {
    name: "preload-font",
    apply: "build",
    transformIndexHtml(_html, context) {
      const font = Object.keys(context.bundle ?? {}).find((name) => /hyperlegible-next-latin-wght-normal.*\.woff2$/.test(name));
      if (font === undefined) return [];
      return [{
        tag: "link",
        attrs: { rel: "preload", as: "font", type: "font/woff2", crossorigin: "", href: `/${font}` },
        injectTo: "head",
      }];
    },
  };
}

export default defineConfig({
  plugins: [react(), preloadFont(), brotliCopies()],
  build: {
    target: ["chrome111", "edge111", "firefox115", "safari16"],
    assetsInlineLimit: 0, // the content security policy allows no data: fonts
    modulePreload: { polyfill: false },
    manifest: true,
    sourcemap: false,
  },
  test: {
    environment: "node",
    include: ["src/**/*.test.ts", "*.test.ts"],
  },
});

import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { defineConfig, type Plugin } from "vite";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

const GZIP_LIMIT = 60_000;

/** Fails the build when the widget grows past what a host page should have to load. */
function sizeLimit(bytes: number): Plugin {
  return {
    name: "widget-size-limit",
    generateBundle(_options, bundle) {
      const code = Object.values(bundle).map((file) => (file.type === "chunk" ? file.code : file.source));
      const size = code.reduce((sum, text) => sum + gzipSync(text).length, 0);
      if (size > bytes) this.error(`widget.js is ${size} bytes gzipped; the limit is ${bytes}`);
      this.info(`widget.js is ${size} of at most ${bytes} bytes gzipped`);
    },
  };
}

/** markdown-it brings tables that every browser has; these stand in for them. */
export const leanMarkdown = {
  entities: here("src/markdown/lean/entities.ts"),
  "linkify-it": here("src/markdown/lean/linkify-it.ts"),
  "punycode.js": here("src/markdown/lean/punycode.ts"),
  "uc.micro": here("src/markdown/lean/uc.micro.ts"),
};

export default defineConfig({
  root: here("."),
  resolve: { alias: leanMarkdown },
  build: {
    outDir: here("../dist/widget"),
    emptyOutDir: true,
    target: "es2020",
    lib: { entry: here("src/main.ts"), formats: ["iife"], name: "FSSCDeskWidget", fileName: () => "widget.js" },
  },
  plugins: [sizeLimit(GZIP_LIMIT)],
});

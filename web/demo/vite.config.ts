import { fileURLToPath } from "node:url";
import vue from "@vitejs/plugin-vue";
import { defineConfig } from "vite";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  root: here("."),
  base: "/demo/",
  plugins: [vue()],
  build: { outDir: here("../dist/demo"), emptyOutDir: true },
  server: { proxy: { "/demo/api": "http://127.0.0.1:8000", "/api": "http://127.0.0.1:8000", "/widget.js": "http://127.0.0.1:8000" } },
});

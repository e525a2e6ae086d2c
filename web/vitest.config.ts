import vue from "@vitejs/plugin-vue";
import { defineConfig } from "vitest/config";
import { leanMarkdown } from "./widget/vite.config.ts";

const common = { environment: "happy-dom", restoreMocks: true, unstubGlobals: true } as const;

export default defineConfig({
  test: {
    projects: [
      {
        resolve: { alias: leanMarkdown },
        test: { ...common, name: "widget", include: ["widget/**/*.test.ts"] },
      },
      {
        plugins: [vue()],
        // The demo's copies of the standards are held to the starter tables, which lie outside web/.
        server: { fs: { allow: [".."] } },
        test: { ...common, name: "pages", include: ["demo/**/*.test.ts", "console/**/*.test.ts"] },
      },
    ],
  },
});

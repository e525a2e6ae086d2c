import vue from "@vitejs/plugin-vue";
import { defineConfig } from "vitest/config";

export default defineConfig({
  plugins: [vue()],
  test: {
    environment: "happy-dom",
    include: ["widget/**/*.test.ts", "demo/**/*.test.ts", "console/**/*.test.ts"],
    restoreMocks: true,
    unstubGlobals: true,
  },
});

import vue from "@vitejs/plugin-vue";
import { defineConfig } from "vite";

const gateway = process.env.FSSC_URL ?? "http://127.0.0.1:8000";

export default defineConfig({
  root: import.meta.dirname,
  base: "/console/",
  plugins: [vue()],
  build: {
    outDir: "../dist/console",
    emptyOutDir: true,
    target: "es2022",
    chunkSizeWarningLimit: 700,
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            { name: "vue", test: /node_modules[\\/](@vue|vue|vue-router|pinia)[\\/]/, priority: 3 },
            {
              name: "markdown",
              test: /node_modules[\\/](markdown-it|dompurify|linkify-it|mdurl|entities|uc\.micro)[\\/]/,
              priority: 2,
            },
            { name: "charts", test: /node_modules[\\/](echarts|vue-echarts|zrender|tslib)[\\/]/, priority: 2 },
            { name: "elements", test: /node_modules[\\/]/, priority: 1 },
          ],
        },
      },
    },
  },
  server: { host: "127.0.0.1", port: 5180, proxy: { "/api": gateway } },
});

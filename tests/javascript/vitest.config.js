import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

export default defineConfig({
  resolve: {
    alias: { "@page": fileURLToPath(new URL("../../wasinn_nb/widgets/page", import.meta.url)) },
  },
  test: { include: ["*.test.js"], restoreMocks: true },
});

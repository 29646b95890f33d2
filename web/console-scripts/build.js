// Bundles every file of web/scripts (its folder parts/ holds what they share) into web/static/vendor,
// with the console's typeface and, for the tests, axe. Run by "npm run build" in this folder.
import { build } from "esbuild";
import { copyFileSync, mkdirSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const sources = join(here, "..", "scripts");
const target = process.env.HOTLINE_VENDOR ?? join(here, "..", "static", "vendor");
const require = createRequire(import.meta.url);

mkdirSync(join(target, "fonts"), { recursive: true });
await build({
  entryPoints: readdirSync(sources)
    .filter((name) => name.endsWith(".js"))
    .map((name) => join(sources, name)),
  outdir: target,
  bundle: true,
  minify: true,
  format: "iife",
  target: "es2022",
  legalComments: "linked",
  // the sources stand beside this folder, their packages in it
  nodePaths: [join(here, "node_modules")],
  logLevel: "warning",
});

const inter = dirname(require.resolve("@fontsource-variable/inter/package.json"));
for (const part of ["latin", "latin-ext"]) {
  const file = `inter-${part}-wght-normal.woff2`;
  copyFileSync(join(inter, "files", file), join(target, "fonts", file));
}

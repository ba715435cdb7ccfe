// Opens one page in Chromium, wide and narrow, light and dark: what it asked for, said, and what axe-core finds.
// usage: node look.cjs MODULES CHROMIUM FILE PICTURES   (one JSON object on stdout)
const [, , modules, chromium, file, pictures] = process.argv;
const { createRequire } = require("node:module");
const { readFileSync } = require("node:fs");
const { join } = require("node:path");
const { pathToFileURL } = require("node:url");
const from = createRequire(join(modules, "package.json"));
const axe = readFileSync(from.resolve("axe-core/axe.min.js"), "utf8");
const quiet = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync"];
const sizes = [["desktop", 1200, 900], ["phone", 390, 844]];

(async () => {
  const browser = await from("playwright-core").chromium.launch({ executablePath: chromium, args: quiet });
  const seen = { console: [], requests: [], faults: [], looks: [] };
  for (const [name, width, height] of sizes) {
    for (const colorScheme of ["light", "dark"]) {
      // Without scripts, as the page's own policy has it; axe-core is put in past that policy.
      const context = await browser.newContext({ viewport: { width, height }, colorScheme, bypassCSP: false });
      const page = await context.newPage();
      page.on("console", (one) => seen.console.push(`${one.type()}: ${one.text()}`));
      page.on("pageerror", (one) => seen.console.push(`error: ${one}`));
      page.on("request", (one) => seen.requests.push(one.url()));
      await page.goto(pathToFileURL(file).href);
      await page.screenshot({ path: join(pictures, `${name}-${colorScheme}.png`), fullPage: true });
      const found = await page.evaluate(async (source) => {
        const hit = window.hit ?? null;
        (0, eval)(source);
        const done = await window.axe.run(document, { resultTypes: ["violations", "passes"] });
        return {
          hit,
          checked: done.passes.length,
          faults: done.violations.map((one) => ({ id: one.id, impact: one.impact, where: one.nodes[0].html, n: one.nodes.length })),
          overflow: document.documentElement.scrollWidth - window.innerWidth,
          focusable: document.querySelectorAll("a[href], summary").length,
        };
      }, axe);
      await page.keyboard.press("Tab");
      const first = await page.evaluate(() => document.activeElement?.tagName ?? "");
      seen.faults.push(...found.faults);
      seen.looks.push({ name, colorScheme, hit: found.hit, checked: found.checked, overflow: found.overflow, focusable: found.focusable, first });
      await context.close();
    }
  }
  const page = await browser.newPage();
  await page.goto(pathToFileURL(file).href);
  await page.pdf({ path: join(pictures, "print.pdf"), format: "A4" });
  await browser.close();
  console.log(JSON.stringify(seen));
})();

// A supervisor looks at the board and acts from it; what was seen is printed as JSON.
//
// Usage: node board.mjs '{"chromium": "...", "modules": "...", "desk": "...", "screenshots": "..."}'

import { createRequire } from "node:module";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const options = JSON.parse(process.argv[2]);
const { chromium } = createRequire(options.modules)("playwright-core");

const profile = await mkdtemp(join(tmpdir(), "heliograph-desk-board-"));
const context = await chromium.launchPersistentContext(profile, {
  executablePath: options.chromium, locale: "en-US", viewport: { width: 1400, height: 900 },
  args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
const errors = [];
const seen = { errors };

async function board(page) {
  await page.keyboard.press("Alt+b");
  await page.locator(".agent-card").first().waitFor();
  seen.totals = await page.locator(".board-head p").first().textContent();
  seen.queues = await page.locator(".queue-card").evaluateAll((all) => all.map((one) => [one.querySelector(".queue-name").textContent, one.querySelector(".queue-count").textContent, one.dataset.tone]));
  seen.waiting = await page.locator(".waiting-row .who").allTextContents();
  seen.agents = await page.locator(".agent-card").evaluateAll((all) => all.map((one) => [one.querySelector(".agent-name").textContent, one.dataset.presence]));
  if (options.screenshots) await page.screenshot({ path: join(options.screenshots, "board.png") });

  // What can be undone is done at once.
  const row = page.locator(".waiting-row", { hasText: "Maria" });
  await row.getByRole("button", { name: "Put it sooner" }).click();
  await page.getByRole("button", { name: "Undo" }).click();
  // Giving it to somebody: found by name, chosen by keyboard.
  await row.getByRole("button", { name: "Assign…" }).click();
  const dialog = page.locator("dialog");
  await dialog.locator(".choice-row").first().waitFor();
  await dialog.getByRole("searchbox").fill("ada");
  await dialog.locator(".choice-row input").focus();
  await page.keyboard.press("Space");
  await dialog.getByLabel("Note for whoever gets it").fill("you know her");
  await dialog.getByRole("button", { name: "Assign" }).click();
  await dialog.waitFor({ state: "detached" });
  // An agent's work; taking it asks first.
  await page.locator(".agent-card", { hasText: "ADA" }).click();
  const work = page.locator("#agent-work");
  seen.work = await work.locator(".work-row strong").allTextContents();
  await work.getByRole("button", { name: "Join" }).click();
  await work.getByRole("button", { name: "Take over…" }).click();
  await dialog.getByRole("button", { name: "Take over" }).click();
  await work.getByRole("button", { name: "Send away" }).click();
  await page.locator(".toast", { hasText: "ADA is away now." }).waitFor();
  await page.keyboard.press("Alt+b");
  seen.back = await page.locator("#conversation").isVisible();
}

try {
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  page.on("pageerror", (error) => errors.push(error.message));
  page.on("console", (message) => { if (message.type() === "error") errors.push(message.text()); });
  await page.goto(options.desk);
  for (const [name, value] of Object.entries({ tenant: "acme", login: "cleo@example.com", password: "password of cleo" })) await page.fill(`[name=${name}]`, value);
  await page.click("button[type=submit]");
  await page.locator("#board-button").waitFor();
  await board(page);
  process.stdout.write(JSON.stringify(seen));
} finally {
  await context.close();
  await rm(profile, { recursive: true, force: true });
}

// An agent reads a conversation, offers another channel, and looks at the map; what was seen is printed as JSON.
//
// Usage: node page.mjs '{"chromium": "...", "modules": "...", "desk": "..."}'

import { createRequire } from "node:module";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const options = JSON.parse(process.argv[2]);
const { chromium } = createRequire(options.modules)("playwright-core");

const profile = await mkdtemp(join(tmpdir(), "heliograph-desk-page-"));
const context = await chromium.launchPersistentContext(profile, {
  executablePath: options.chromium, locale: "en-US", viewport: { width: 1400, height: 900 },
  args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
const errors = [];
const seen = { errors };

async function conversation(page) {
  await page.locator("#list .row").first().click();
  // Both come with the reach, after the conversation is shown.
  const notice = page.locator(".notice-box");
  await notice.waitFor();
  seen.notice = await notice.textContent();
  seen.window = await page.locator(".head .window").textContent();
  await page.locator(".message.bad").waitFor();
  seen.refused = await page.locator(".message.bad .reason").first().textContent();
  seen.deferred = await page.locator(".delivery.deferred").textContent();
  seen.detours = await page.locator(".reason.detour").allTextContents();
  seen.ways = await page.locator(".way option").allTextContents();
  seen.addresses = await page.locator(".addresses .address").allTextContents();
  await page.getByText("Offer another channel…").click();
  await page.getByRole("button", { name: "Make a code" }).click();
  await page.getByRole("button", { name: "Put into the answer" }).click();
  seen.answer = await page.locator(".composer textarea").inputValue();
  await page.locator(".earlier-list button").first().click();
  const past = page.locator("dialog.past");
  await past.locator(".message").first().waitFor();
  seen.past = await past.locator(".bubble").allTextContents();
  await past.getByRole("button", { name: "Close" }).click();
}

async function map(page) {
  await page.locator("#map-button").click();
  const brazil = page.locator('[data-code="BR"]');
  await brazil.waitFor();
  seen.places = await page.locator("#map [data-code]").count();
  await page.getByRole("radio", { name: "Today" }).check({ force: true });
  const row = page.locator(".regions tbody tr", { hasText: "latam" });
  await page.waitForFunction(() => [...document.querySelectorAll(".regions tbody tr")].some((one) => one.textContent.includes("latam") && one.querySelector(".bad")?.textContent === "2"));
  seen.counts = await row.locator("td.number").allTextContents();
  const title = page.locator(".country h3");
  await brazil.click();
  await title.filter({ hasText: "Brazil" }).waitFor();
  seen.term = await page.locator(".country dd").nth(1).textContent();
  seen.verdicts = await page.locator(".judged > summary").evaluateAll((all) => all.map((one) => [one.querySelector(".judged-channel").textContent, one.querySelector("strong").textContent]));
  await page.locator(".country [name=channel]").selectOption("voice");
  await page.locator(".judged[open] .reasons li").first().waitFor();
  seen.because = await page.locator(".judged[open] .reasons li span").first().textContent();
  // By keyboard: to a neighbour, and open it.
  await page.locator('[data-code="BR"]').focus();
  await page.keyboard.press("ArrowLeft");
  seen.neighbour = await page.evaluate(() => document.activeElement.dataset.code);
  await page.keyboard.press("Enter");
  await page.waitForFunction((code) => document.querySelector(".country header code").textContent === code, seen.neighbour);
  // By name.
  await page.getByRole("combobox", { name: "Find a country" }).fill("pitc");
  await page.keyboard.press("Enter");
  await title.filter({ hasText: "Pitcairn Islands" }).waitFor();
  await page.locator("#map-button").click();
  seen.back = await page.locator("#conversation").isVisible();
}

try {
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  page.on("pageerror", (error) => errors.push(error.message));
  page.on("console", (message) => { if (message.type() === "error") errors.push(message.text()); });
  await page.goto(options.desk);
  for (const [name, value] of Object.entries({ tenant: "acme", login: "ada@example.com", password: "password of ada" })) await page.fill(`[name=${name}]`, value);
  await page.click("button[type=submit]");
  await conversation(page);
  await map(page);
  process.stdout.write(JSON.stringify(seen));
} finally {
  await context.close();
  await rm(profile, { recursive: true, force: true });
}

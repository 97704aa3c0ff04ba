// An agent sees what a customer sent, and attaches files to an answer; what was seen is printed as JSON.
//
// Usage: node media.mjs '{"chromium": "...", "modules": "...", "desk": "...", "files": {"picture": "...", "document": "...", "large": "...", "page": "..."}, "screenshots": "..."}'
// Exits with 1 and says what was missing when something does not come.

import { createRequire } from "node:module";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";

const options = JSON.parse(process.argv[2]);
const { chromium } = createRequire(options.modules)("playwright-core");

const profile = await mkdtemp(join(tmpdir(), "heliograph-browser-"));
const context = await chromium.launchPersistentContext(profile, {
  executablePath: options.chromium, locale: "en-US", viewport: { width: 1300, height: 860 },
  args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
const errors = [];
const seen = { errors, told: {} };

/** The size of a picture, once it is shown. */
async function sizeOf(page, selector) {
  await page.waitForFunction((at) => {
    const image = document.querySelector(at);
    return image?.complete && image.naturalWidth > 0;
  }, selector);
  return page.locator(selector).first().evaluate(({ naturalWidth, naturalHeight }) => [naturalWidth, naturalHeight]);
}

async function shoot(page, name) {
  await page.screenshot({ path: join(options.screenshots, `media-${name}.png`) });
}

async function inbound(page) {
  // What the channel carries comes with the reach.
  const reach = page.waitForResponse((answer) => answer.url().endsWith("/reach"));
  await page.getByRole("button", { name: "Accept" }).click();
  await reach;
  seen.picture = await sizeOf(page, ".message.in .picture img");
  const refused = page.locator(".message.in .medium .file");
  await refused.waitFor();
  seen.refused = await refused.locator(".muted").textContent();
  await shoot(page, "received");
}

async function outbound(page) {
  const rows = page.locator(".attachments li");
  const picker = page.locator(".composer input[type=file]");
  // A slow line, so that there is something to see on the way.
  const line = await context.newCDPSession(page);
  const slow = { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: 60_000 };
  await line.send("Network.emulateNetworkConditions", slow);
  await picker.setInputFiles(options.files.picture);
  const share = await page.waitForFunction(() => {
    const bar = document.querySelector(".attachments li.uploading progress");
    return bar && bar.value > 0 && bar.value < 1 && bar.value;
  });
  seen.share = await share.jsonValue();
  if (await page.locator("button.send").isEnabled()) throw new Error("an answer could go out before its file");
  await shoot(page, "uploading");
  await line.send("Network.emulateNetworkConditions", { ...slow, uploadThroughput: -1 });
  await page.locator(".attachments li.ready").waitFor();

  await picker.setInputFiles([options.files.document, options.files.large, options.files.page]);
  await page.locator(".attachments li.failed").nth(1).waitFor();
  await page.locator(".attachments li.ready.warn").waitFor();
  for (const [what, path] of Object.entries(options.files)) {
    seen.told[what] = await rows.filter({ hasText: basename(path) }).locator(".told").textContent();
  }
  await shoot(page, "attached");
  await page.setViewportSize({ width: 420, height: 800 });
  // On a phone there is less room, and the answer can be sent all the same.
  seen.covered = await page.locator("button.send").evaluate((button) => {
    const { left, top, width, height } = button.getBoundingClientRect();
    return !button.contains(document.elementFromPoint(left + width / 2, top + height / 2));
  });
  await shoot(page, "attached-narrow");
  await page.setViewportSize({ width: 1300, height: 860 });

  for (const what of ["large", "page"]) await page.getByRole("button", { name: `Remove ${basename(options.files[what])}` }).click();
  await page.getByLabel("Your answer").fill("This is the one, and here is our offer.");
  await page.getByRole("button", { name: "Send" }).click();
  seen.sent = await sizeOf(page, ".message.out .picture img");
  const changed = page.locator(".message.out .reason", { hasText: "goes out as text" });
  await changed.waitFor();
  seen.changed = await changed.textContent();
  // The newest is in sight, however its pictures grew.
  await page.waitForFunction(() => {
    const { scrollHeight, scrollTop, clientHeight } = document.querySelector(".scroller");
    return scrollHeight - scrollTop - clientHeight < 2;
  });
  if ((await rows.count()) !== 0) throw new Error("what was sent is still attached");
  await shoot(page, "sent");
}

try {
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  page.on("pageerror", (error) => errors.push(error.message));
  page.on("console", (message) => {
    // Refusals are answers with a status, which a console calls errors.
    if (message.type() === "error" && !message.text().startsWith("Failed to load resource")) errors.push(message.text());
  });
  await page.goto(options.desk);
  for (const [name, value] of Object.entries({ tenant: "acme", login: "ann", password: "ann" })) await page.fill(`[name=${name}]`, value);
  await page.click("button[type=submit]");
  await page.getByText("Online", { exact: true }).click();
  await inbound(page);
  await outbound(page);
  process.stdout.write(JSON.stringify(seen));
} catch (error) {
  const pages = context.pages();
  await shoot(pages.at(-1), "failed").catch(() => {});
  console.error(error.message);
  process.exitCode = 1;
} finally {
  await context.close();
  await rm(profile, { recursive: true, force: true });
}

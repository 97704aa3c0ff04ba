// A customer writes in the widget, an agent answers on the desk, quotes what the customer said next, and both see it all.
//
// Usage: node exchange.mjs '{"chromium": "...", "modules": "...", "demo": "...", "desk": "...", "screenshots": "..."}'
// Prints one JSON object with what each side saw; exits with 1 and says what was missing otherwise.

import { createRequire } from "node:module";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const options = JSON.parse(process.argv[2]);
const { chromium } = createRequire(options.modules)("playwright-core");

const question = "Does the reading lamp dim?";
const answer = "It does: three steps, warm to bright.";
const followUp = "Wonderful, thank you!";
const farewell = "Any time.";

async function inBrowser(work) {
  const profile = await mkdtemp(join(tmpdir(), "heliograph-browser-"));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: options.chromium,
    args: [
      "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
      "--disable-background-networking", "--disable-component-update", "--disable-sync",
    ],
  });
  try {
    return await work(context);
  } finally {
    await context.close();
    await rm(profile, { recursive: true, force: true });
  }
}

// Both pages live in one browser, as two windows; a console error on either is a failure of its own.
async function open(context, url, errors) {
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  page.on("pageerror", (error) => errors.push(`${url}: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() === "error") errors.push(`${url}: ${message.text()}`);
  });
  await page.goto(url);
  return page;
}

const bubble = (page, text) => page.locator(".message .bubble", { hasText: text });

// An answer to one of the customer's messages shows which, before and after it is sent. Returns what it shows.
async function quoting(desk, message, text) {
  const input = desk.getByLabel("Your answer");
  const strip = desk.locator(".quoting", { hasText: message });
  const reply = desk.getByRole("button", { name: `Reply to “${message}”` });
  await reply.focus();
  await reply.press("Enter");
  await strip.waitFor();
  await input.press("Escape");
  await strip.waitFor({ state: "hidden" });
  await bubble(desk, message).hover();
  await reply.click();
  await strip.waitFor();
  await input.fill(text);
  await input.press("Enter");
  await strip.waitFor({ state: "hidden" });
  const sent = desk.locator(".message.out[data-message] .bubble", { hasText: text });
  await sent.waitFor();
  return sent.locator(".quote-words").textContent();
}

async function exchange(context) {
  const errors = [];
  const desk = await open(context, options.desk, errors);
  await desk.fill("[name=tenant]", "acme");
  await desk.fill("[name=login]", "ann");
  await desk.fill("[name=password]", "ann");
  await desk.click("button[type=submit]");
  await desk.getByText("Online", { exact: true }).click();

  const shop = await open(context, options.demo, errors);
  await shop.locator(".launcher").click();
  await shop.locator("#input").fill(question);
  await shop.locator("#input").press("Enter");
  await bubble(shop, question).waitFor();

  await desk.getByRole("button", { name: "Accept" }).click();
  await bubble(desk, question).first().waitFor();
  await desk.getByLabel("Your answer").fill(answer);
  await shop.locator(".typing:not([hidden])").waitFor();
  await desk.getByLabel("Your answer").press("Enter");
  await bubble(desk, answer).waitFor();
  await bubble(shop, answer).waitFor();
  await shop.getByText("Ann Lee").first().waitFor();

  // A reload on either side loses nothing and doubles nothing.
  await shop.reload();
  if (!(await shop.locator("#input").isVisible())) await shop.locator(".launcher").click();
  await bubble(shop, answer).waitFor();
  await shop.locator("#input").fill(followUp);
  await shop.locator("#input").press("Enter");
  await bubble(desk, followUp).waitFor();
  await desk.reload();
  // A reload comes back to the conversation list; the conversation is still the agent's.
  if ((await bubble(desk, followUp).count()) === 0) await desk.locator("#list button, #list a, #list li").first().click();
  await bubble(desk, followUp).waitFor();

  const quoted = await quoting(desk, followUp, farewell);
  await bubble(shop, farewell).waitFor();

  // What a message quotes is no second copy of it.
  const count = (page, text) => bubble(page, text).filter({ hasNot: page.locator(".quote:not([hidden])", { hasText: text }) }).count();
  const seen = async (page) => ({
    question: await count(page, question),
    answer: await count(page, answer),
    followUp: await count(page, followUp),
    farewell: await count(page, farewell),
  });
  if (options.screenshots) {
    await desk.screenshot({ path: join(options.screenshots, "desk.png") });
    await shop.screenshot({ path: join(options.screenshots, "widget.png") });
  }
  return { customer: await seen(shop), agent: await seen(desk), quoted, errors };
}

try {
  console.log(JSON.stringify(await inBrowser(exchange)));
} catch (error) {
  console.error(error.message);
  process.exit(1);
}

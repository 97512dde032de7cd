// Opens the agent's status page in a real Chromium and tells what it shows, as one line of JSON.
//
//   node status.mjs '{"url": "http://127.0.0.1:P/#TICKET", "shots": FOLDER, "name": …, "locale"?, "scheme"?, "click"?: SELECTOR, "again"?: true}'
import { chromium } from "playwright-core";

const PATIENCE = 15_000; // ms for each step
const task = JSON.parse(process.argv[2]);

const browser = await chromium.launch({
  executablePath: process.env.CPS_TEST_CHROMIUM ?? "/usr/bin/chromium",
  args: [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
  ],
});
const told = { console: [] };
try {
  const context = await browser.newContext({ locale: task.locale ?? "fr-FR", colorScheme: task.scheme ?? "light", viewport: { width: 900, height: 900 } });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  page.on("console", (message) => told.console.push(message.text()));
  page.on("pageerror", (error) => told.console.push(`threw: ${error.message}`));
  const settle = () => page.waitForFunction(() => !document.querySelector("#facts").hidden || document.querySelector("#notice").className === "bad");
  await page.goto(task.url);
  await settle();
  if (task.again) {
    await page.reload();
    await settle();
  }
  if (task.click) {
    await page.click(task.click);
    await page.waitForFunction(() => document.querySelector("#notice").textContent !== "");
  }
  if (task.wait) {
    console.error("open"); // the caller does what the page shall notice
    await page.waitForFunction((text) => document.body.innerText.includes(text), task.wait);
  }
  await page.screenshot({ path: `${task.shots}/${task.name}.png`, fullPage: true });
  told.address = page.url();
  told.language = await page.getAttribute("html", "lang");
  told.notice = await page.textContent("#notice");
  told.facts = (await page.isVisible("#facts")) ? await page.innerText("#facts") : null;
  told.unnamed = await page.evaluate(() => [...document.querySelectorAll("button, section, table")]
    .filter((one) => !one.getAttribute("aria-label") && !one.getAttribute("aria-labelledby")).length);
} finally {
  await browser.close();
}
console.log(JSON.stringify(told));

// Opens the agent's status page in a real Chromium and tells what it shows, as one line of JSON.
//
//   node status.mjs '{"url": "http://127.0.0.1:P/#TICKET", "shots": FOLDER, "name": …, "locale"?, "scheme"?, "click"?: SELECTOR, "again"?: true, "steps"?: […]}'
//
// A step is {"texts": [TEXT…], "focus"?: SELECTOR, "shot"?: true}: once the page shows every text, `step` is told on a
// line, and the caller makes happen what the next one waits for. The page is never loaded again.
import { launch } from "./launch.mjs";

const PATIENCE = 15_000; // ms for each step
const SETTLED = 1_500, IDLE = 3_000; // ms
const task = JSON.parse(process.argv[2]);

const browser = await launch();
const told = { console: [], requests: [] };
try {
  const context = await browser.newContext({ locale: task.locale ?? "fr-FR", colorScheme: task.scheme ?? "light", viewport: { width: 900, height: 900 } });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  page.on("console", (message) => told.console.push(message.text()));
  page.on("pageerror", (error) => told.console.push(`threw: ${error.message}`));
  page.on("request", (request) => told.requests.push(new URL(request.url()).pathname));
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
  for (const [number, step] of (task.steps ?? []).entries()) {
    await page.waitForFunction((texts) => texts.every((text) => document.querySelector("main").innerText.includes(text)), step.texts);
    if (step.focus) await page.focus(step.focus);
    if (step.shot) await page.screenshot({ path: `${task.shots}/${task.name}-${number}.png`, fullPage: true });
    console.log("step");
  }
  if (task.steps) {
    await page.waitForTimeout(SETTLED);
    const before = told.requests.length;
    await page.waitForTimeout(IDLE);
    told.whileIdle = told.requests.slice(before);
    told.focus = await page.evaluate(() => document.activeElement.dataset.asks ?? document.activeElement.id);
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

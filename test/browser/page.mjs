// Drives the demonstration portal's page in a real Chromium and tells what the page showed, as one line of JSON.
//
//   node page.mjs '{"origin": …, "login": …, "password": …, "nir": …, "shots": FOLDER, "name": …, …}'
//
// `act` names what is done after the password: "look" (default), "cancel" (while the card is awaited),
// "keyboard" (nothing but keys), "nothing".
import { launch } from "./launch.mjs";

const PATIENCE = 30_000; // ms for each step
const task = JSON.parse(process.argv[2]);

const browser = await launch();
const told = { console: [], requests: [] };
try {
  const context = await browser.newContext({
    locale: task.locale ?? "fr-FR",
    colorScheme: task.scheme ?? "light",
    viewport: task.viewport ?? { width: 1000, height: 860 },
  });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  page.on("console", (message) => told.console.push(message.text()));
  page.on("pageerror", (error) => told.console.push(`threw: ${error.message}`));
  page.on("request", (request) => told.requests.push(`${request.method()} ${request.url().split("?")[0]}`));

  const shot = (name) => page.screenshot({ path: `${task.shots}/${task.name}-${name}.png`, fullPage: true });
  await page.goto(task.origin);
  await page.waitForSelector("#login-view:not([hidden])");
  await shot("login");
  told.language = await page.getAttribute("html", "lang");
  if (task.act === "keyboard") {
    await page.keyboard.type(task.login); // the first field has the focus
    await page.keyboard.press("Tab");
    await page.keyboard.type(task.password);
    await page.keyboard.press("Enter");
  } else {
    await page.fill("#login", task.login);
    await page.fill("#password", task.password);
    await page.click("#login-form button");
  }
  await page.waitForSelector("#feature-view:not([hidden]), #login-message:not([hidden])");
  if (await page.isVisible("#login-message")) {
    told.message = await page.textContent("#login-message");
    await shot("refused");
  } else if (task.act !== "nothing") {
    if (task.act === "keyboard") {
      await page.keyboard.type(task.nir);
      await page.keyboard.press("Enter");
    } else {
      await page.fill("#nir", task.nir);
      await page.click("#search");
    }
    if (task.act === "cancel") {
      await page.waitForFunction(() => /code/.test(document.querySelector("#progress-text").textContent));
      await shot("waiting");
      await page.click("#cancel");
    }
    await page.waitForSelector("#patient:not([hidden]), #refusal:not([hidden])");
    await shot("answer");
    told.patient = (await page.isVisible("#patient")) ? await page.textContent("#patient-name") : null;
    told.facts = told.patient ? await page.innerText("#patient-facts") : null;
    told.refusal = (await page.isVisible("#refusal")) ? await page.textContent("#refusal-code") : null;
    told.refusalText = told.refusal ? await page.textContent("#refusal-text") : null;
    told.focus = await page.evaluate(() => document.activeElement.id);
  }
} finally {
  await browser.close();
}
console.log(JSON.stringify(told));

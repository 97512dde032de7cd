// Opens a portal's page in a real Chromium, has it follow the agent through cps.js, and tells what the page hears: one
// line of JSON each, until standard input ends.
//
//   node events.mjs '{"page": "http://127.0.0.1:8000/", "port": 27743}'
import { launch } from "./launch.mjs";

const PATIENCE = 30_000; // ms for each step
const task = JSON.parse(process.argv[2]);

const browser = await launch();
try {
  const page = await browser.newPage();
  page.setDefaultTimeout(PATIENCE);
  page.on("pageerror", (error) => console.log(JSON.stringify(["threw", error.message])));
  await page.exposeFunction("told", (...heard) => console.log(JSON.stringify(heard)));
  await page.goto(task.page);
  await page.evaluate(async (port) => {
    const { findAgent, followAgent } = await import("/cps.js");
    const agent = await findAgent({ ports: { first: port, last: port } });
    window.stop = followAgent(agent, {
      onCard: (card) => window.told("card", card),
      onSessionEnd: (end) => window.told("session", end),
      onConnection: (open) => window.told("connection", open),
    });
  }, task.port);
  for await (const line of process.stdin) if (String(line).includes("stop")) await page.evaluate(() => window.stop());
} finally {
  await browser.close();
}

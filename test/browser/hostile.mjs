// Opens a page of somebody else's in a real Chromium, has it try what a page can against the agent, and tells how the
// agent answered each try, as one line of JSON.
//
//   node hostile.mjs '{"site": "http://evil.example:8000", "agent": "http://127.0.0.1:27743", "body": TEXT}'
//
// evil.example has the address 127.0.0.1, as after DNS rebinding.
import { launch } from "./launch.mjs";

const PATIENCE = 30_000; // ms for each step
const SETTLED = 700; // ms for what a try starts and does not wait for
const task = JSON.parse(process.argv[2]);

/** Each runs in the page; what it gives back is told as the page's own view. */
const tries = {
  fetch: ({ agent }) => fetch(`${agent}/v1/hello`).then((answer) => answer.status, () => "failed"),
  fetchPost: ({ agent, body }) =>
    fetch(`${agent}/v1/tokens`, {
      method: "POST", body, headers: { "Content-Type": "application/json", "CPS-Agent": "1" },
    }).then((answer) => answer.status, () => "failed"),
  fetchText: ({ agent, body }) =>
    fetch(`${agent}/v1/tokens`, { method: "POST", body }).then((answer) => answer.status, () => "failed"),
  noCors: ({ agent, body }) =>
    fetch(`${agent}/v1/tokens`, { method: "POST", mode: "no-cors", body }).then((answer) => answer.type, () => "failed"),
  beacon: ({ agent, body }) => navigator.sendBeacon(`${agent}/v1/tokens`, body),
  form: ({ agent, body }) => {
    const frame = document.createElement("iframe");
    frame.name = "target";
    const form = document.createElement("form");
    Object.assign(form, { method: "POST", action: `${agent}/v1/tokens`, enctype: "text/plain", target: "target" });
    const field = document.createElement("input");
    const cut = body.indexOf("=");
    Object.assign(field, { name: body.slice(0, cut), value: body.slice(cut + 1) });
    form.append(field);
    document.body.append(frame, form);
    form.submit();
  },
  frame: ({ agent }) => {
    const frame = document.createElement("iframe");
    frame.src = `${agent}/`;
    document.body.append(frame);
  },
  image: ({ agent }) => {
    new Image().src = `${agent}/v1/status`;
  },
  script: ({ agent }) => {
    const script = document.createElement("script");
    script.src = `${agent}/page/status.js`;
    document.body.append(script);
  },
  sandboxed: ({ agent }) => fetch(`${agent}/v1/hello`).then((answer) => answer.status, () => "failed"),
};

const browser = await launch(
  "--host-resolver-rules=MAP evil.example 127.0.0.1",
  // The browser's own prompt would stop all of it: here is what stops it behind that.
  "--disable-features=LocalNetworkAccessChecks,BlockInsecurePrivateNetworkRequests",
);
const told = {};
try {
  const context = await browser.newContext();
  for (const [name, attempt] of Object.entries(tries)) {
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE);
    // What the network was told, which the page itself may not see.
    const network = await context.newCDPSession(page);
    const asked = new Map();
    const answered = []; // an answer may be told before its request is
    network.on("Network.requestWillBeSent", ({ requestId, request }) => asked.set(requestId, request));
    network.on("Network.responseReceivedExtraInfo", (answer) => answered.push(answer));
    await page.goto(task.site + (name === "sandboxed" ? "/sandboxed" : "/"));
    await network.send("Network.enable");
    const seen = await page.evaluate(attempt, task);
    await page.waitForTimeout(SETTLED);
    const answers = answered
      .map(({ requestId, statusCode }) => ({ ...asked.get(requestId), statusCode }))
      .filter(({ url }) => url?.startsWith(task.agent))
      .map(({ method, statusCode }) => `${method} ${statusCode}`);
    told[name] = { seen: seen ?? null, answers };
    await page.close();
  }
} finally {
  await browser.close();
}
console.log(JSON.stringify(told));

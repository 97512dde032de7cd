// A real Chromium, without a window.
import { chromium } from "playwright-core";

/** @param more arguments of Chromium's. */
export const launch = (...more) => chromium.launch({
  executablePath: process.env.CPS_TEST_CHROMIUM ?? "/usr/bin/chromium",
  args: [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", ...more,
  ],
});

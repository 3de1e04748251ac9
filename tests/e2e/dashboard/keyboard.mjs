// SPDX-License-Identifier: Apache-2.0
// The whole page without a mouse: everything can be reached, is seen when it is, and nothing holds the focus.
import { becomes, check, open } from "./stage.mjs";

// What has the focus, and whether it is seen: an outline that the page draws around it.
function focused(page) {
  return page.evaluate(() => {
    const element = document.activeElement;
    const style = getComputedStyle(element);
    const box = element.getBoundingClientRect();
    return { tag: element.tagName, name: element.getAttribute("aria-label") ?? element.id ?? "", text: (element.innerText ?? "").trim().slice(0, 40), href: element.getAttribute("href") ?? "",
      seen: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2 && box.width > 0 && box.height > 0 };
  });
}

export async function keyboard(browser, url) {
  const page = await open(browser, url);
  const visited = [];

  await becomes(page, ".live", "Live");
  for (let i = 0; i < 120; i++) {
    await page.keyboard.press("Tab");
    const at = await focused(page);
    if (at.tag === "BODY") break;
    visited.push(at);
  }
  const links = visited.map((at) => at.href);
  check("the first is the way past the header", visited[0].text, "Skip to the content");
  check("every view", ["#line", "#find", "#exports", "#andon"].filter((view) => !links.includes(view)), []);
  check("the field for a serial number", visited.some((at) => at.name === "serial"));
  check("every unit of a station", links.filter((link) => link.startsWith("#find/")).length >= 15);
  check("the table of the hours", visited.some((at) => at.tag === "SUMMARY"));
  check("what can be scrolled", visited.some((at) => at.name === "Table of the last units"));
  check("it ends", visited.length < 120);
  check("the focus is always seen", visited.filter((at) => !at.seen).map((at) => at.text || at.name), []);

  await page.evaluate(() => document.activeElement.blur());
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  check("past the header", (await focused(page)).name, "main");
  await page.keyboard.press("Tab");
  check("it goes on from there", (await focused(page)).href.startsWith("#find/"));
  await page.keyboard.press("Enter");
  await becomes(page, ".find h1 .badge", "Deployed");
  check("reading goes on at what was opened", (await focused(page)).name, "main");
  await page.context().close();
}

// What the pages do beyond links and forms: plots, the theme, and a word when the connection fails.
"use strict";

const body = document.body;
const system = matchMedia("(prefers-color-scheme: dark)");

function isDark() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : system.matches;
}

function drawAll(root) {
  if (typeof drawPlot !== "function") return;
  for (const data of root.querySelectorAll("script.spec")) {
    const plot = document.getElementById(data.dataset.for);
    drawPlot(plot, JSON.parse(data.textContent));
  }
}

function notice(text) {
  const place = document.getElementById("notice");
  place.textContent = text;
  place.hidden = !text;
}

document.querySelector("[data-theme-switch]").addEventListener("click", () => {
  const theme = isDark() ? "light" : "dark";
  document.documentElement.dataset.theme = theme;
  try {
    localStorage.setItem("forestall-theme", theme);
  } catch {
    // It lasts as long as this page.
  }
});

body.addEventListener("htmx:sendError", () => notice(body.dataset.offline));
body.addEventListener("htmx:timeout", () => notice(body.dataset.busy));
body.addEventListener("htmx:beforeRequest", () => notice(""));
body.addEventListener("htmx:beforeSwap", (event) => {
  const { response, status } = event.detail.xhr;
  if (status < 400 || status === 401) return;
  // A refusal comes as the piece of the page that was asked for, and takes its place; an error does not.
  const answer = new DOMParser().parseFromString(response, "text/html");
  if (answer.querySelector(".outcome")) event.detail.shouldSwap = true;
  else notice(answer.querySelector(".message p")?.textContent || body.dataset.failed);
});
body.addEventListener("htmx:afterSettle", (event) => drawAll(event.detail.target ?? document));
addEventListener("offline", () => notice(body.dataset.offline));
addEventListener("online", () => notice(""));
document.querySelector("[data-print]")?.addEventListener("click", () => print());
let resized;
addEventListener("resize", () => {
  clearTimeout(resized);
  resized = setTimeout(() => drawAll(document), 200);
});

// One after another, and in the way of nothing: a deferred script would keep htmx waiting for all of them.
for (const address of body.dataset.drawing.split(/\s+/).filter(Boolean)) {
  const script = document.createElement("script");
  script.src = address;
  script.async = false;
  script.addEventListener("load", () => drawAll(document));
  document.head.append(script);
}

// The alarm budget: without scripts all steps are shown below each other.
const slider = document.querySelector("[data-budget] input");
if (slider) {
  const steps = [...document.querySelectorAll("[data-step]")];
  const show = () => {
    for (const step of steps) step.hidden = step.dataset.step !== slider.value;
    slider.setAttribute("aria-valuetext", steps[slider.value].dataset.said);
  };
  slider.addEventListener("input", show);
  show();
}

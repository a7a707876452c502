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

// The first words of an error that came instead of a piece of the page.
function told(text) {
  const found = new DOMParser().parseFromString(text, "text/html").querySelector("[role=alert] p");
  return found ? found.textContent : "";
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
  const { status, response } = event.detail.xhr;
  if (status < 400 || status === 401) return;
  const error = told(response);
  // A refused form comes back as it was filled in; any other error leaves what is on the page.
  if (!error && (status === 409 || status === 412 || status === 422)) event.detail.shouldSwap = true;
  else notice(error || body.dataset.failed);
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
drawAll(document);

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

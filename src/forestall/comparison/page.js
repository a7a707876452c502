"use strict";
// Draws each plot when it comes near the screen, as wide as there is room.

const figures = [...document.querySelectorAll("figure")].map((figure) => ({
  place: figure.querySelector(".plot"),
  specification: JSON.parse(figure.querySelector("script").textContent),
  near: false,
  width: 0,
}));

// The same drawing with the page's colours for the two revisions, which the templates give by `rev`.
function recoloured(part) {
  if (Array.isArray(part)) return part.map(recoloured);
  if (part === null || typeof part !== "object") return part;
  const entries = Object.entries(part);
  const copy = Object.fromEntries(entries.map(([name, one]) => [name, name === "values" ? one : recoloured(one)]));
  if (copy.field === "rev" && copy.scale?.range) {
    const range = copy.scale.domain.length > 1 ? ["var(--base)", "var(--head)"] : ["var(--head)"];
    copy.scale = { ...copy.scale, range };
    copy.title = null;
  }
  return copy;
}

// As many panels in a row as fit beside their axes; one that is wider than the screen is made narrower.
function fitted(specification, room) {
  const inner = specification.spec;
  if (!inner?.width) return specification;
  const axis = inner.height?.step ? 150 : 80;
  const columns = Math.max(1, Math.min(specification.columns ?? 1, Math.floor(room / (inner.width + axis))));
  const width = Math.max(150, Math.min(inner.width, room - axis));
  return { ...specification, columns, spec: { ...inner, width } };
}

function draw(figure) {
  const room = figure.place.parentElement.clientWidth;
  if (!room) return;
  figure.width = room;
  const { title, ...untitled } = fitted(recoloured(figure.specification), room);
  drawPlot(figure.place, untitled);
}

const seen = new IntersectionObserver(
  (entries) => {
    for (const entry of entries) {
      const figure = figures.find((one) => one.place === entry.target);
      if (entry.isIntersecting && !figure.near) {
        figure.near = true;
        draw(figure);
      }
    }
  },
  { rootMargin: "600px" },
);
figures.forEach((figure) => seen.observe(figure.place));

// What is printed, or saved as PDF, has all plots that are not folded, wherever the reader was.
addEventListener("beforeprint", () => {
  for (const figure of figures.filter((one) => !one.near && one.place.parentElement.clientWidth)) {
    figure.near = true;
    draw(figure);
  }
});

let waiting;
const again = () => figures.filter((one) => one.near && one.place.parentElement.clientWidth !== one.width).forEach(draw);
addEventListener("resize", () => {
  clearTimeout(waiting);
  waiting = setTimeout(again, 200);
});

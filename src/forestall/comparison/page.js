"use strict";
// Draws each plot when it comes near the screen, in the colours of the page and as wide as there is room.

const dark = matchMedia("(prefers-color-scheme: dark)");
const figures = [...document.querySelectorAll("figure")].map((figure) => ({
  place: figure.querySelector(".plot"),
  specification: JSON.parse(figure.querySelector("script").textContent),
  near: false,
  width: 0,
}));

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function settings(room) {
  const [text, soft, line] = ["--text", "--soft", "--line"].map(colour);
  const axis = { domainColor: soft, gridColor: line, labelColor: text, tickColor: soft, titleColor: text };
  const labels = { labelFlush: false, labelOverlap: "greedy", labelSeparation: 6 };
  return {
    background: "transparent",
    axis: { ...axis, labelFontSize: 12, titleFontSize: 12, titleFontWeight: "normal" },
    axisQuantitative: labels,
    header: { labelColor: text, titleColor: text, labelFontSize: 12 },
    legend: {
      labelColor: text,
      titleColor: text,
      labelFontSize: 12,
      labelLimit: Math.min(240, room / 2 - 60),
      orient: "top",
      columns: Math.max(1, Math.floor(room / 160)),
    },
    view: { stroke: line },
    font: "system-ui, sans-serif",
  };
}

// The same drawing with the page's colours for the two revisions, which the templates give by `rev`.
function recoloured(part) {
  if (Array.isArray(part)) return part.map(recoloured);
  if (part === null || typeof part !== "object") return part;
  const entries = Object.entries(part);
  const copy = Object.fromEntries(entries.map(([name, one]) => [name, name === "values" ? one : recoloured(one)]));
  if (copy.field === "rev" && copy.scale?.range) {
    const range = copy.scale.domain.length > 1 ? [colour("--base"), colour("--head")] : [colour("--head")];
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

async function draw(figure) {
  const room = figure.place.parentElement.clientWidth;
  if (!room) return;
  figure.width = room;
  const { title, ...untitled } = fitted(recoloured(figure.specification), room);
  const options = { actions: false, ast: true, config: settings(room), renderer: "svg" };
  try {
    await vegaEmbed(figure.place, { ...untitled, description: title }, options);
  } catch (error) {
    figure.place.textContent = `This plot cannot be drawn: ${error.message}`;
  }
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

const again = (which) => figures.filter((one) => one.near && which(one)).forEach(draw);
dark.addEventListener("change", () => again(() => true));
let waiting;
addEventListener("resize", () => {
  clearTimeout(waiting);
  waiting = setTimeout(() => again((one) => one.place.parentElement.clientWidth !== one.width), 200);
});

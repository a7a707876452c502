"use strict";
// Draws a Vega-Lite specification into an element, in place of what is there.

window.drawPlot = (() => {
  const views = new WeakMap();
  const tip = document.createElement("div");
  tip.setAttribute("role", "tooltip");
  // Not in a style sheet: every page that draws would need the same one.
  Object.assign(tip.style, {
    background: "var(--back)",
    border: "1px solid var(--line)",
    borderRadius: ".25rem",
    color: "var(--text)",
    font: ".8125rem/1.4 system-ui, sans-serif",
    maxWidth: "min(24rem, 90vw)",
    overflowWrap: "anywhere",
    padding: ".25rem .5rem",
    pointerEvents: "none",
    position: "fixed",
    zIndex: 1000,
  });

  // The page's properties themselves, so that a change of its colours, or printing, needs no new drawing.
  function settings(room) {
    const columns = Math.max(1, Math.floor(room / 160));
    const [text, soft, line] = ["var(--text)", "var(--soft)", "var(--line)"];
    const axis = { domainColor: soft, gridColor: line, labelColor: text, tickColor: soft, titleColor: text };
    return {
      background: "transparent",
      axis: { ...axis, labelFontSize: 12, titleFontSize: 12, titleFontWeight: "normal" },
      axisQuantitative: { labelFlush: false, labelOverlap: "greedy", labelSeparation: 6 },
      header: { labelColor: text, titleColor: text, labelFontSize: 12 },
      legend: {
        labelColor: text,
        titleColor: text,
        labelFontSize: 12,
        labelLimit: Math.min(240, room / columns - 40),
        orient: "top",
        columns,
      },
      title: { color: text, subtitleColor: soft },
      rule: { color: text },
      text: { color: text },
      view: { stroke: line },
      font: "system-ui, sans-serif",
    };
  }

  function row([name, value]) {
    const line = document.createElement("div");
    const strong = document.createElement("strong");
    strong.textContent = `${name}: `;
    line.append(strong, typeof value === "object" ? JSON.stringify(value) : String(value));
    return line;
  }

  // Beside the pointer, on whichever side there is room.
  function beside(event) {
    const { width, height } = tip.getBoundingClientRect();
    const { clientWidth, clientHeight } = document.documentElement;
    const left = event.clientX + 12 + width > clientWidth ? event.clientX - 12 - width : event.clientX + 12;
    const top = event.clientY + 12 + height > clientHeight ? event.clientY - 12 - height : event.clientY + 12;
    Object.assign(tip.style, { left: `${Math.max(0, left)}px`, top: `${Math.max(0, top)}px` });
  }

  function tell(handler, event, item, value) {
    if (value === null || value === undefined || value === "") return tip.remove();
    tip.replaceChildren(...(typeof value === "object" ? Object.entries(value).map(row) : [String(value)]));
    document.body.append(tip);
    return beside(event);
  }

  addEventListener("keydown", (event) => event.key === "Escape" && tip.remove());

  // Never rejects: what cannot be drawn is said where it would be. The element's label is the plot's description.
  return async function drawPlot(element, specification) {
    const label = element.getAttribute("aria-label");
    const described = { ...specification, description: label ?? specification.description };
    views.get(element)?.finalize();
    tip.remove();
    try {
      const compiled = vegaLite.compile(described, { config: settings(element.clientWidth) }).spec;
      const view = new vega.View(vega.parse(compiled, {}, { ast: true }), {
        container: element,
        expr: vega.expressionInterpreter,
        renderer: "svg",
        tooltip: tell,
      });
      views.set(element, view);
      await view.runAsync();
    } catch (error) {
      element.textContent = `This plot cannot be drawn: ${error.message}`;
    }
  };
})();

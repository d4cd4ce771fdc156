// Draws every [data-chart] from the JSON script it names: a Plotly figure made by the server.
// A colour written as "--chart-1" in a figure is looked up among the page's own, so charts follow the theme.

const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function themed(value) {
  if (typeof value === "string") return value.startsWith("--chart-") ? css(value) : value;
  if (Array.isArray(value)) return value.map(themed);
  if (value && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, themed(item)]));
  }
  return value;
}

function baseLayout() {
  const axis = {
    gridcolor: css("--chart-grid"),
    linecolor: css("--chart-grid"),
    zerolinecolor: css("--chart-grid"),
    automargin: true,
    title: { font: { size: 12 }, standoff: 8 },
  };
  return {
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: "Inter, sans-serif", size: 12, color: css("--chart-text") },
    colorway: [1, 2, 3, 4, 5, 6].map((n) => css(`--chart-${n}`)),
    margin: { l: 8, r: 8, t: 8, b: 8 },
    hovermode: "x unified",
    hoverlabel: {
      bgcolor: css("--chart-hover"),
      bordercolor: css("--chart-grid"),
      font: { color: css("--chart-strong") },
    },
    legend: { orientation: "h", x: 0, y: 1.02, yanchor: "bottom", xanchor: "left" },
    // The same value at every redraw: a zoom survives new data.
    uirevision: "same",
    xaxis: axis,
    yaxis: axis,
    yaxis2: axis,
  };
}

function merge(base, own) {
  const result = { ...base };
  for (const [key, value] of Object.entries(own ?? {})) {
    const nested = value && typeof value === "object" && !Array.isArray(value);
    result[key] = nested ? merge(base[key] ?? {}, value) : value;
  }
  return result;
}

function smoothed(values, weight) {
  let last = null;
  return values.map((value) => {
    if (value === null) return null;
    last = last === null ? value : weight * last + (1 - weight) * value;
    return last;
  });
}

function control(chart, selector) {
  return chart.closest(".chart")?.querySelector(selector);
}

function draw(chart) {
  const source = document.getElementById(chart.dataset.chart);
  if (!source) return;
  chart.style.height = `${chart.dataset.height}px`;
  const figure = themed(JSON.parse(source.textContent));
  const layout = merge(baseLayout(), figure.layout);
  if (!figure.layout?.yaxis2) delete layout.yaxis2;
  const toggle = control(chart, '[data-chart-toggle="log"]');
  // Until somebody chooses a scale, the figure does.
  if (toggle && !toggle.dataset.chosen) toggle.setAttribute("aria-pressed", String(layout.yaxis.type === "log"));
  if (toggle) layout.yaxis.type = toggle.getAttribute("aria-pressed") === "true" ? "log" : "linear";
  let traces = figure.data;
  const weight = Number(control(chart, "[data-chart-smooth]")?.value ?? 0);
  if (weight) {
    // Only what is noisy: a second axis carries schedules such as the learning rate.
    const noisy = (trace) => trace.mode === "lines" && !trace.yaxis;
    traces = traces.map((trace) => (noisy(trace) ? { ...trace, y: smoothed(trace.y, weight) } : trace));
  }
  globalThis.Plotly.react(chart, traces, layout, { displayModeBar: false, responsive: true });
}

const drawAll = (root = document) => root.querySelectorAll("[data-chart]").forEach(draw);

drawAll();
document.addEventListener("themechange", () => drawAll());
// The charts of a live part are kept in place (hx-preserve) while their data is replaced.
document.addEventListener("htmx:afterSettle", () => drawAll());
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-chart-toggle]");
  if (!button) return;
  button.setAttribute("aria-pressed", String(button.getAttribute("aria-pressed") !== "true"));
  button.dataset.chosen = "true";
  drawAll(button.closest(".chart"));
});
document.addEventListener("input", (event) => {
  if (event.target.matches("[data-chart-smooth]")) drawAll(event.target.closest(".chart"));
});

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

// Hours are told in UTC and shown in the reader's time zone, by its offset at the end of the range: by the offset of
// each moment, the night that clocks are set back would have two bars at the same place. Days have no time zone.
function localShift(layout) {
  const end = layout?.xaxis?.type === "date" && layout.xaxis.range?.[1];
  if (typeof end !== "string" || !end.includes("T")) return null;
  const minutes = -new Date(end).getTimezoneOffset();
  const sign = minutes < 0 ? "−" : "+";
  const clock = `${Math.floor(Math.abs(minutes) / 60)}:${String(Math.abs(minutes) % 60).padStart(2, "0")}`;
  const name = minutes === 0 ? "UTC" : `UTC${sign}${clock}`;
  const shift = (time) => new Date(Date.parse(time) + minutes * 60_000).toISOString().slice(0, 19);
  return { name, shift };
}

// Traces without an x of their own share the figure's.
function withTimes(figure) {
  const times = figure.layout?.meta?.times;
  return times ? { ...figure, data: figure.data.map((trace) => ({ x: times, ...trace })) } : figure;
}

function inLocalTime(figure) {
  const local = localShift(figure.layout);
  if (!local) return figure;
  const { shift } = local;
  const { layout } = figure;
  return {
    data: figure.data.map((trace) => ({ ...trace, x: trace.x.map(shift), customdata: trace.x })),
    layout: {
      ...layout,
      xaxis: { ...layout.xaxis, range: layout.xaxis.range.map(shift), title: { text: local.name } },
      shapes: layout.shapes?.map((shape) => ({ ...shape, x0: shift(shape.x0), x1: shift(shape.x1) })),
      annotations: layout.annotations?.map((note) => ({ ...note, x: shift(note.x) })),
    },
  };
}

// A point opens what is behind it, where the figure says how.
function openPoint(event) {
  const point = event.points[0];
  const { meta } = this.layout;
  if (!meta?.href) return;
  const start = new Date(point.customdata ?? point.x);
  const end = new Date(start.getTime() + meta.seconds * 1000);
  const url = new URL(meta.href, location.href);
  url.searchParams.set("start", start.toISOString());
  url.searchParams.set("end", end.toISOString());
  location.assign(url);
}

function csvOf(traces) {
  const quoted = (text) => `"${String(text).replaceAll('"', '""')}"`;
  const times = [...new Set(traces.flatMap((trace) => trace.customdata ?? trace.x))];
  const columns = traces.map((trace) => new Map((trace.customdata ?? trace.x).map((x, place) => [x, trace.y[place]])));
  const rows = times.map((time) => [time, ...columns.map((column) => column.get(time) ?? "")].join(","));
  return [["time", ...traces.map((trace) => quoted(trace.name))].join(","), ...rows].join("\r\n");
}

function download(chart, kind) {
  const name = chart.dataset.chart.replace(/^chart-|-figure$/g, "");
  if (kind === "png") {
    globalThis.Plotly.downloadImage(chart, { format: "png", scale: 2, filename: name });
    return;
  }
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([csvOf(chart.data)], { type: "text/csv" }));
  link.download = `${name}.csv`;
  link.click();
  URL.revokeObjectURL(link.href);
}

function control(chart, selector) {
  return chart.closest(".chart")?.querySelector(selector);
}

function draw(chart) {
  const source = document.getElementById(chart.dataset.chart);
  if (!source) return;
  chart.style.height = `${chart.dataset.height}px`;
  const figure = inLocalTime(withTimes(themed(JSON.parse(source.textContent))));
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
  if (layout.meta?.href && !chart.dataset.opens) {
    chart.dataset.opens = "true";
    chart.on("plotly_click", openPoint.bind(chart));
  }
}

const drawAll = (root = document) => root.querySelectorAll("[data-chart]").forEach(draw);

drawAll();
document.addEventListener("themechange", () => drawAll());
// The charts of a live part are kept in place (hx-preserve) while their data is replaced.
document.addEventListener("htmx:afterSettle", () => drawAll());
document.addEventListener("click", (event) => {
  const wanted = event.target.closest("[data-chart-download]");
  if (wanted) {
    download(document.querySelector(`#chart-${wanted.dataset.chartOf} [data-chart]`), wanted.dataset.chartDownload);
  }
  const button = event.target.closest("[data-chart-toggle]");
  if (!button) return;
  button.setAttribute("aria-pressed", String(button.getAttribute("aria-pressed") !== "true"));
  button.dataset.chosen = "true";
  drawAll(button.closest(".chart"));
});
document.addEventListener("input", (event) => {
  if (event.target.matches("[data-chart-smooth]")) drawAll(event.target.closest(".chart"));
});

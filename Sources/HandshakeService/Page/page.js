"use strict";
// Draws what /events sends. Text goes in as text, never as markup.
const $ = (id) => document.getElementById(id);
const open = new Set(["pending", "partial", "superseded"]);
const kept = 200;
let failures = [];
let paused = false;

const isFailure = (outcome) => outcome !== "established" && !open.has(outcome);
const duration = (ns) => {
  if (ns === null || ns === undefined) return "–";
  for (const [size, unit] of [[1e9, "s"], [1e6, "ms"], [1e3, "µs"]]) if (ns >= size) return (ns / size).toPrecision(3) + " " + unit;
  return ns + " ns";
};
const element = (name, text, className) => {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
};
const row = (cells) => {
  const made = element("tr");
  for (const [text, className] of cells) made.append(element("td", text, className));
  return made;
};

// Charts: one path a series, scaled to the highest value; a gap where there is none.
function chart(svg, seconds, series, label) {
  const width = svg.clientWidth || 500, height = 130, left = 52, bottom = 16;
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const values = series.flatMap(([, value]) => seconds.map(value)).filter((v) => v !== null);
  const top = Math.max(1, ...values);
  const last = seconds.length ? seconds[seconds.length - 1].time_s : 0;
  const x = (second) => left + (width - left - 4) * (1 - (last - second.time_s) / 600);
  const y = (value) => height - bottom - (height - bottom - 8) * value / top;
  const space = "http://www.w3.org/2000/svg";
  const parts = [];
  const add = (name, attributes, text) => {
    const made = document.createElementNS(space, name);
    for (const key in attributes) made.setAttribute(key, attributes[key]);
    if (text !== undefined) made.textContent = text;
    parts.push(made);
  };
  for (const share of [0, 0.5, 1]) {
    add("line", { class: "grid", x1: left, x2: width - 4, y1: y(top * share), y2: y(top * share) });
    add("text", { x: left - 6, y: y(top * share) + 4, "text-anchor": "end" }, label(top * share));
  }
  add("text", { x: left, y: height - 2 }, "10 min ago");
  add("text", { x: width - 4, y: height - 2, "text-anchor": "end" }, "now");
  for (const [className, value, isArea] of series) {
    let path = "", pen = false, start = 0, end = 0;
    for (const second of seconds) {
      const v = value(second);
      if (v === null) { pen = false; continue; }
      if (!pen) start = x(second);
      end = x(second);
      path += (pen ? "L" : "M") + end.toFixed(1) + " " + y(v).toFixed(1);
      pen = true;
    }
    if (isArea && path) path += `L${end.toFixed(1)} ${y(0)}L${start.toFixed(1)} ${y(0)}Z`;
    add("path", { class: className, d: path });
  }
  svg.replaceChildren(...parts);
}

function parties(table, list, title) {
  const head = element("tr");
  for (const [text, number] of [[title], ["Failed", 1], ["Of", 1], ["Resent", 1], ["RTT", 1]]) {
    const cell = element("th", text, number ? "number" : "");
    cell.scope = "col";
    head.append(cell);
  }
  const body = list.slice(0, 10).map((p) => row([[p.name], [p.failures, "number"], [p.attempts, "number"],
    [p.syn_retransmitted, "number"], [duration(p.rtt_ns), "number"]]));
  const thead = element("thead"), tbody = element("tbody");
  thead.append(head);
  tbody.append(...body);
  table.replaceChildren(thead, tbody);
}

function state(s) {
  $("where").textContent = s.interfaces.join(", ") + (s.filter ? " · " + s.filter : "");
  const last = s.seconds.slice(-5);
  const mean = (key) => last.reduce((sum, second) => sum + second[key], 0) / Math.max(1, last.length);
  const total = s.summary.attempts.total, byOutcome = s.summary.attempts.by_outcome;
  const failed = Object.keys(byOutcome).filter(isFailure).reduce((sum, name) => sum + byOutcome[name], 0);
  const loss = s.summary.capture_loss, dropped = (loss.kernel_dropped || 0) + (loss.interface_dropped || 0);
  $("rate").textContent = mean("attempts").toFixed(1);
  $("failed").textContent = total ? `${failed} (${(100 * failed / total).toFixed(1)} %)` : "0";
  $("open").textContent = s.open;
  $("p50").textContent = duration(s.summary.rtt_ns.p50);
  $("p99").textContent = duration(s.summary.rtt_ns.p99);
  $("dropped").textContent = dropped;
  const told = s.situations.some((t) => ["scan", "flood", "backscatter"].includes(t.code));
  const alarms = (told ? [] : s.summary.patterns).map((p) => `${p.code}: ${p.ip}${p.port === null ? "" : " port " + p.port} (${p.count})`);
  for (const w of s.waiting.slice(0, 5).reverse()) {
    alarms.unshift(`${address(w)}: ${w.attempts} ${w.attempts === 1 ? "attempt waits" : "attempts wait"}, ${w.state}, oldest ${Math.floor(w.oldest_ns / 1e9)} s`);
  }
  for (const t of s.situations.slice(0, 5).reverse()) alarms.unshift(`${t.code}: ${t.sentence}`);
  if (s.waiting_for.length) alarms.unshift("waiting for " + s.waiting_for.join(", "));
  if (dropped) alarms.push(`${dropped} frames were dropped: attempts of that time are marked lossy`);
  const alarm = alarms.join(" · ");
  if ($("alarm").textContent !== alarm) $("alarm").textContent = alarm;
  $("alarm").hidden = !alarm;
  chart($("attempts-chart"), s.seconds, [["all", (x) => x.attempts], ["failure", (x) => x.failures, true]],
    (v) => v < 10 ? v.toFixed(1) : v.toFixed(0));
  chart($("rtt-chart"), s.seconds, [["other", (x) => x.rtt_p99_ns], ["all", (x) => x.rtt_p50_ns]], (v) => v ? duration(v) : "0");
  $("outcomes").tBodies[0].replaceChildren(...Object.entries(byOutcome).sort((a, b) => b[1] - a[1]).map(([name, count]) =>
    row([[name, name === "established" ? name : isFailure(name) ? "failure" : "open"], [count], [(100 * count / total).toFixed(1) + " %"]])));
  parties($("servers"), s.servers, "Server");
  parties($("clients"), s.clients, "Client");
}

const address = (end) => end.ip.includes(":") ? `[${end.ip}]:${end.port}` : `${end.ip}:${end.port}`;
const findings = (a) => a.findings.filter((f) => f.severity !== "info").map((f) => f.code).join(", ");
const words = (a) => [address(a.client), address(a.server), a.outcome, findings(a)].join(" ").toLowerCase();

// Wireshark's display filter: chosen whole by a click, so that it can be copied.
function displayFilter(attempt) {
  const made = element("p", "Wireshark: ", "filter");
  made.append(element("code", attempt.display_filter));
  return made;
}

function failureRow(attempt) {
  const made = row([[attempt.first_time.slice(11, 23)], [""], [address(attempt.server)], [attempt.outcome, "failure"], [findings(attempt)]]);
  const button = element("button", address(attempt.client));
  button.type = "button";
  button.title = "Show the ladder diagram";
  button.setAttribute("aria-expanded", "false");
  made.cells[1].append(button);
  button.addEventListener("click", async () => {
    if (button.getAttribute("aria-expanded") === "true") {
      made.nextElementSibling.remove();
      return button.setAttribute("aria-expanded", "false");
    }
    button.setAttribute("aria-expanded", "true");
    const cell = element("td"), detail = element("tr", undefined, "ladder"), pre = element("pre", "…");
    cell.colSpan = 5;
    pre.tabIndex = 0;
    cell.append(pre, displayFilter(attempt));
    detail.append(cell);
    made.after(detail);
    try {
      const answer = await fetch(`attempts/${attempt.id}/ladder`);
      pre.textContent = await answer.text();
    } catch (error) {
      pre.textContent = "The service does not answer.";
    }
  });
  made.attempt = attempt;
  return made;
}

function applyFilter() {
  const text = $("filter").value.trim().toLowerCase();
  let visible = true;
  for (const line of $("failures").tBodies[0].rows) {
    if (line.attempt) visible = words(line.attempt).includes(text);
    line.hidden = !visible;
  }
}

// What is known, by id: a list and the events may both bring an attempt.
const known = new Map();

function addFailures(list) {
  const body = $("failures").tBodies[0];
  for (const attempt of list) {
    if (known.has(attempt.id)) continue;
    const made = failureRow(attempt);
    const older = [...body.rows].find((line) => line.attempt && line.attempt.id < attempt.id);
    if (older) older.before(made); else body.append(made);
    known.set(attempt.id, made);
  }
  let count = 0;
  for (const line of [...body.rows]) {
    if (line.attempt) count++;
    if (count > kept) {
      if (line.attempt) known.delete(line.attempt.id);
      line.remove();
    }
  }
  $("none").hidden = body.rows.length > 0;
  applyFilter();
}

let missed = 0;
function start() {
  const source = new EventSource("events");
  source.addEventListener("open", async () => {
    $("link").textContent = "live";
    $("link").className = "";
    const answer = await fetch("attempts?failed=1&limit=200");
    addFailures((await answer.json()).attempts);
  });
  source.addEventListener("error", () => { $("link").textContent = "not connected: trying again"; $("link").className = "lost"; });
  source.addEventListener("state", (event) => { if (!paused) state(JSON.parse(event.data)); });
  source.addEventListener("attempt", (event) => {
    const attempt = JSON.parse(event.data);
    if (!isFailure(attempt.outcome)) return;
    if (paused) failures.push(attempt); else addFailures([attempt]);
    if (failures.length > kept) failures.shift();
  });
  source.addEventListener("missed", (event) => {
    missed += Number(event.data);
    $("missed").textContent = `${missed} attempts came too fast for this page; /metrics counts them all.`;
  });
}

$("pause").addEventListener("click", () => {
  paused = !paused;
  $("pause").setAttribute("aria-pressed", String(paused));
  $("pause").textContent = paused ? "Go on" : "Pause";
  if (!paused) { addFailures(failures); failures = []; }
});
$("filter").addEventListener("input", applyFilter);
start();

// Draws a report of the JSON document that stands in the page.
const data = JSON.parse($("data").textContent);
const words = data.texts;
const attempts = data.attempts.map((attempt) => readAttempt(attempt, words));

// Time.

const labels = data.timeline.labels;
const dayOf = (place) => data.timeline.days.filter(([first]) => first <= place).pop()?.[1] ?? "";
const series = data.outcomes.map((name, place) => ({ name, kind: name, isFailure: data.failures[place] === 1, values: labels.map(() => 0), total: 0 }));
const lossy = labels.map(() => 0), resent = labels.map(() => 0);
const quantiles = [0, 1, 2].map(() => labels.map(() => null));
for (const [place, again, lost, p50, p90, p99, ...counts] of data.timeline.steps) {
  resent[place] = again;
  lossy[place] = lost;
  [p50, p90, p99].forEach((value, rank) => { quantiles[rank][place] = value; });
  counts.forEach((count, outcome) => { series[outcome].values[place] = count; series[outcome].total += count; });
}
// Failures stand on the ground, where they can be compared.
const shown = series.filter((one) => one.total > 0).sort((a, b) => b.isFailure - a.isFailure || b.total - a.total);
const rttSeries = [["first", "median"], ["third", "90 % within"], ["second", "99 % within"]].map(([kind, name], rank) => ({ kind, name, values: quantiles[rank] }));
const lossSeries = [{ kind: "second", name: "lost a segment", values: lossy }, { kind: "first", name: "SYN sent again", values: resent }];
const whole = [0, labels.length - 1];
let range = whole;

function drawTime() {
  $("zoom").hidden = labels.length < 2;
  const [first, last] = range;
  const cut = (list) => list.map((one) => ({ ...one, values: one.values.slice(first, last + 1) }));
  const common = { steps: { labels: labels.slice(first, last + 1), first: data.timeline.first + first }, zoom: (from, to) => zoomTo(first + from, first + to) };
  const number = (value) => Number.isInteger(value) ? String(value) : value.toFixed(1);
  chart($("attempts-chart"), { ...common, name: "Attempts by outcome", series: cut(shown), format: number });
  chart($("rtt-chart"), { ...common, name: "Handshake round trip", series: quantiles[0].some((value) => value !== null) ? cut(rttSeries) : [],
    lines: true, format: shortDuration, height: 150 });
  const some = lossSeries.filter((one) => one.values.some((value) => value > 0));
  chart($("loss-chart"), { ...common, name: "Losses", series: cut(some), format: number, apart: true, height: 110 });
  key($("attempts-key"), cut(shown).map((one) => ({ ...one, total: one.values.reduce((sum, value) => sum + value, 0) })));
  key($("rtt-key"), rttSeries);
  key($("loss-key"), some);
  const day = dayOf(first), end = dayOf(last);
  $("zoomed").textContent = labels.length === 0 ? "" : `${day} ${labels[first]} to ${end === day ? "" : end + " "}${labels[last]}, `
    + `${shortDuration(data.timeline.width_ns)} a step`;
}

function zoomTo(first, last) {
  if (!labels.length) return;
  range = [Math.max(0, first), Math.min(labels.length - 1, last)];
  drawTime();
  list();
}

const moves = {
  earlier: ([first, last], size) => { const by = Math.min(first, Math.ceil(size / 2)); return [first - by, last - by]; },
  later: ([first, last], size) => { const by = Math.min(whole[1] - last, Math.ceil(size / 2)); return [first + by, last + by]; },
  in: ([first, last], size) => { const by = Math.floor(size / 4); return [first + by, last - by]; },
  out: ([first, last], size) => [first - Math.ceil(size / 2), last + Math.ceil(size / 2)],
  all: () => whole,
};
for (const button of document.querySelectorAll("[data-zoom]")) {
  button.addEventListener("click", () => zoomTo(...moves[button.dataset.zoom](range, range[1] - range[0] + 1)));
}

// Attempts.

let limit = 100;
const opened = new Set();

// The most frequent names to choose from. Text finds the others.
function options(select, names) {
  for (const [name, count] of [...names].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, 200)) {
    const option = element("option", `${name} (${count})`);
    option.value = name;
    select.append(option);
  }
}
function tally(read) {
  const counts = new Map();
  for (const attempt of attempts) for (const name of new Set(read(attempt))) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}
options($("outcome"), tally((attempt) => [attempt.outcome]));
options($("finding"), tally((attempt) => attempt.findings.map((finding) => finding.code)));
options($("server"), tally((attempt) => [attempt.server]));
for (const attempt of attempts) {
  attempt.words = [attempt.client, attempt.server, attempt.outcome, attempt.reason, ...attempt.findings.map((finding) => finding.code)].join(" ").toLowerCase();
}

function chosen() {
  const text = $("text").value.trim().toLowerCase(), outcome = $("outcome").value, finding = $("finding").value, server = $("server").value;
  const [first, last] = range, isAll = first === whole[0] && last === whole[1];
  return attempts.filter((attempt) => (isAll || (attempt.step >= first && attempt.step <= last)) && (!outcome || attempt.outcome === outcome)
    && (!server || attempt.server === server) && (!finding || attempt.findings.some((one) => one.code === finding)) && attempt.words.includes(text));
}

function list() {
  const all = chosen(), rows = [];
  for (const attempt of all.slice(0, limit)) {
    const row = line(attempt);
    rows.push(row);
    if (opened.has(attempt.id)) rows.push(detail(attempt));
  }
  if (!all.length) {
    const row = element("tr"), cell = element("td", attempts.length ? "No attempt is chosen." : "There is no attempt.");
    cell.colSpan = 8;
    row.append(cell);
    rows.push(row);
  }
  $("list").tBodies[0].replaceChildren(...rows);
  $("shown").textContent = all.length === attempts.length ? `${attempts.length} listed` : `${all.length} of ${attempts.length} listed`;
  $("more").hidden = all.length <= limit;
}

function line(attempt) {
  const row = element("tr"), head = element("td"), button = element("button", String(attempt.id));
  button.type = "button";
  button.id = "attempt-" + attempt.id;
  button.setAttribute("aria-expanded", String(opened.has(attempt.id)));
  button.setAttribute("aria-label", `attempt ${attempt.id}: ladder and evidence`);
  button.addEventListener("click", () => toggle(attempt, row, button));
  head.append(button);
  row.append(head, element("td", attempt.time), element("td", attempt.outcome, attempt.rank === 0 ? "failed" : ""),
    element("td", attempt.client), element("td", attempt.server), element("td", attempt.rtt === null ? "" : duration(attempt.rtt), "number"),
    element("td", attempt.mss === null ? "" : String(attempt.mss), "number"),
    element("td", attempt.findings.map((finding) => finding.code).join(", ")));
  return row;
}

function toggle(attempt, row, button) {
  if (opened.delete(attempt.id)) {
    row.nextElementSibling.remove();
  } else {
    opened.add(attempt.id);
    row.after(detail(attempt));
    history.replaceState(null, "", "#attempt=" + attempt.id);
  }
  button.setAttribute("aria-expanded", String(opened.has(attempt.id)));
}

function detail(attempt) {
  const row = element("tr", undefined, "detail"), cell = element("td");
  cell.colSpan = 8;
  cell.append(attemptDetail(attempt, words, data.explained));
  row.append(cell);
  return row;
}

// Opens the attempt that the address names, whatever is chosen.
function follow() {
  const id = Number(/^#attempt=(\d+)$/.exec(location.hash)?.[1]);
  if (!attempts.some((attempt) => attempt.id === id)) return;
  opened.add(id);
  if (!chosen().some((attempt) => attempt.id === id)) {
    $("filters").reset();
    range = whole;
    drawTime();
  }
  limit = Math.max(limit, chosen().findIndex((attempt) => attempt.id === id) + 1);
  list();
  $("attempt-" + id).focus();
  $("attempt-" + id).scrollIntoView({ block: "start" });
}

$("filters").addEventListener("input", () => { limit = 100; list(); });
$("filters").addEventListener("submit", (event) => event.preventDefault());
$("more").addEventListener("click", () => { limit += 500; list(); });
for (const table of document.querySelectorAll("table.sortable")) sortable(table);

function drawAll() {
  drawTime();
  grid($("grid"), { steps: data.grid, servers: data.grid.servers.map((one) => ({ ...one, name: words[one.name] })) });
  distribution($("legs"), data.legs);
  key($("legs-key"), data.legs.map((leg, place) => ({ kind: ["first", "second", "third"][place], name: leg.name,
    total: leg.count ? `median ${duration(leg.quantiles_ns[0])}, of ${leg.count}` : "none known" })));
}
drawAll();
list();
follow();
addEventListener("hashchange", follow);
// A link to the attempt that the address names already changes nothing there.
for (const link of document.querySelectorAll('a[href^="#attempt="]')) {
  link.addEventListener("click", () => { if (link.hash === location.hash) follow(); });
}
addEventListener("resize", drawAll);
// Paper has no buttons.
addEventListener("beforeprint", () => { for (const more of document.querySelectorAll("details")) more.open = true; drawAll(); });

"use strict";
// Draws what /events sends, with the parts of a report's page.
const open = new Set(["pending", "partial", "superseded"]);
const isFailure = (outcome) => outcome !== "established" && !open.has(outcome);
const address = (end) => end.ip.includes(":") ? `[${end.ip}]:${end.port}` : `${end.ip}:${end.port}`;
const clock = (seconds) => new Date(seconds * 1000).toISOString().slice(11, 19);
const kept = 200;

// Failures by id, the newest first. A list and the events may both bring one.
const failures = new Map();
const opened = new Map();
let paused = false, latest = null, mark = null, missed = 0;

// What is wrong.

function situation(severity, code, sentence) {
  const made = element("article", undefined, "situation " + severity), head = element("h3");
  head.append(element("span", severity, "severity"), element("code", code));
  made.append(head, element("p", sentence, "sentence"));
  return made;
}

function wrong(s) {
  const dropped = (s.summary.capture_loss.kernel_dropped || 0) + (s.summary.capture_loss.interface_dropped || 0);
  const told = s.situations.some((t) => ["scan", "flood", "backscatter"].includes(t.code));
  const cards = s.situations.slice(0, 10).map((t) => situation(t.severity, t.code, `${t.sentence}.`));
  for (const w of s.waiting.slice(0, 5)) {
    cards.push(situation("note", "waiting", `${address(w)}: ${w.attempts} ${w.attempts === 1 ? "attempt waits" : "attempts wait"}, ${w.state}, `
      + `the oldest for ${Math.floor(w.oldest_ns / 1e9)} s.`));
  }
  if (!told) {
    for (const p of s.summary.patterns) cards.push(situation("warning", p.code, `${p.ip}${p.port === null ? "" : " port " + p.port}: ${p.count}.`));
  }
  if (dropped) cards.push(situation("warning", "lossy", `${dropped} frames were dropped: attempts of that time are marked lossy.`));
  if (s.waiting_for.length) cards.unshift(situation("warning", "interface", `waiting for ${s.waiting_for.join(", ")}.`));
  const words = cards.map((card) => card.textContent).join("\n");
  if ($("situations").dataset.words !== words) {
    $("situations").dataset.words = words;
    $("situations").replaceChildren(...cards);
  }
  const worst = s.situations.find((t) => t.severity === "error") ?? s.situations.find((t) => t.severity === "warning");
  const verdict = s.situations.length ? `${s.situations.length} ${s.situations.length === 1 ? "situation" : "situations"} now`
    : "Nothing stands out now";
  if ($("verdict").textContent !== verdict) $("verdict").textContent = verdict;
  $("verdict").className = "verdict " + (worst ? worst.severity : s.summary.attempts.total ? "fine" : "unknown");
}

// Figures.

function tiles(figures) {
  $("tiles").replaceChildren(...figures.map(([name, figure, more]) => {
    const made = element("div", undefined, "tile");
    made.append(element("p", name, "name"), element("p", String(figure), "figure"), element("p", more ?? "", "faint"));
    return made;
  }));
}

// Attempts by outcome since the mark, or since the start.
function counted(s) {
  const all = s.summary.attempts.by_outcome, before = mark ? mark.by_outcome : {};
  return Object.entries(all).map(([name, count]) => [name, count - (before[name] ?? 0)]).filter(([, count]) => count > 0).sort((a, b) => b[1] - a[1]);
}

function row(cells) {
  const made = element("tr");
  for (const [text, className] of cells) made.append(element("td", String(text), className));
  return made;
}

function parties(table, list, title) {
  const head = element("thead"), line = element("tr"), body = element("tbody");
  for (const [text, isNumber] of [[title], ["failed", 1], ["of", 1], ["SYN resent", 1], ["RTT", 1]]) {
    const cell = element("th", text, isNumber ? "number" : "");
    cell.scope = "col";
    line.append(cell);
  }
  head.append(line);
  body.append(...list.slice(0, 10).map((p) => row([[p.name], [p.failures, "number"], [p.attempts, "number"], [p.syn_retransmitted, "number"],
    [duration(p.rtt_ns), "number"]])));
  table.replaceChildren(table.caption, head, body);
}

function state(s) {
  latest = s;
  $("where").textContent = s.interfaces.join(", ") + (s.filter ? " · " + s.filter : "");
  wrong(s);
  const last = s.seconds.slice(-5), outcomes = counted(s);
  const rate = last.reduce((sum, second) => sum + second.attempts, 0) / Math.max(1, last.length);
  const total = outcomes.reduce((sum, [, count]) => sum + count, 0);
  const failed = outcomes.reduce((sum, [name, count]) => sum + (isFailure(name) ? count : 0), 0);
  const loss = s.summary.capture_loss;
  tiles([["attempts a second", rate.toFixed(1), "over 5 s"], ["attempts", total], ["failed", failed, total ? `${(100 * failed / total).toFixed(1)} %` : ""],
    ["waiting", s.open], ["RTT, median", duration(s.summary.rtt_ns.p50)], ["RTT, 99 % within", duration(s.summary.rtt_ns.p99)],
    ["frames dropped", (loss.kernel_dropped || 0) + (loss.interface_dropped || 0)]]);
  const steps = { labels: s.seconds.map((second) => clock(second.time_s)), first: s.seconds.length ? s.seconds[0].time_s : 0 };
  const attempts = [{ kind: "unanswered", name: "failed", values: s.seconds.map((x) => x.failures) },
    { kind: "established", name: "others", values: s.seconds.map((x) => x.attempts - x.failures) }];
  const times = [{ kind: "first", name: "median", values: s.seconds.map((x) => x.rtt_p50_ns) }, { kind: "second", name: "99 % within", values: s.seconds.map((x) => x.rtt_p99_ns) }];
  chart($("attempts-chart"), { name: "Attempts a second", steps, series: attempts, format: (v) => Number.isInteger(v) ? String(v) : v.toFixed(1) });
  chart($("rtt-chart"), { name: "Handshake round trip", steps, series: times.some((one) => one.values.some((v) => v !== null)) ? times : [], lines: true,
    format: shortDuration, height: 150 });
  key($("attempts-key"), attempts);
  key($("rtt-key"), times);
  $("outcomes").tBodies[0].replaceChildren(...outcomes.map(([name, count]) =>
    row([[name, isFailure(name) ? "error" : ""], [count, "number"], [`${(100 * count / total).toFixed(1)} %`, "number"]])));
  parties($("servers"), s.servers, "server");
  parties($("clients"), s.clients, "client");
}

// Failures.

const findings = (a) => a.findings.filter((f) => f.severity !== "info").map((f) => f.code).join(", ");
const words = (a) => [address(a.client), address(a.server), a.outcome, findings(a)].join(" ").toLowerCase();

function add(list) {
  for (const attempt of list) failures.set(attempt.id, attempt);
  const ids = [...failures.keys()].sort((a, b) => b - a);
  for (const id of ids.slice(kept)) if (!opened.has(id)) failures.delete(id);
  const known = new Set([...$("outcome").options].map((option) => option.value));
  for (const attempt of list) {
    if (known.has(attempt.outcome)) continue;
    known.add(attempt.outcome);
    const option = element("option", attempt.outcome);
    option.value = attempt.outcome;
    $("outcome").append(option);
  }
  draw();
}

// Rows that are there already stay: what has the keyboard keeps it.
function draw() {
  const text = $("text").value.trim().toLowerCase(), outcome = $("outcome").value, body = $("list").tBodies[0];
  const all = [...failures.values()].filter((a) => !mark || Date.parse(a.first_time) / 1000 >= mark.time_s);
  const chosen = all.filter((a) => words(a).includes(text) && (!outcome || a.outcome === outcome)).sort((a, b) => b.id - a.id);
  const rows = chosen.flatMap((a) => [line(a), ...(opened.get(a.id) ? [opened.get(a.id)] : [])]);
  if (!rows.length) {
    const none = row([[all.length ? "No failure is chosen." : "No attempt has failed."]]);
    none.cells[0].colSpan = 6;
    rows.push(none);
  }
  for (const old of [...body.rows]) if (!rows.includes(old)) old.remove();
  rows.forEach((one, place) => { if (body.rows[place] !== one) body.insertBefore(one, body.rows[place] ?? null); });
  const more = missed ? `; ${missed} attempts came too fast for this page: /metrics counts them all` : "";
  $("shown").textContent = `${chosen.length} of ${all.length} failures, the newest first${more}`;
}

const lines = new Map();
function line(attempt) {
  if (lines.has(attempt.id)) return lines.get(attempt.id);
  const made = row([[""], [attempt.first_time.slice(11, 23)], [attempt.outcome, "failed"], [address(attempt.client)], [address(attempt.server)], [findings(attempt)]]);
  const button = element("button", String(attempt.id));
  button.type = "button";
  button.id = "attempt-" + attempt.id;
  button.setAttribute("aria-expanded", "false");
  button.setAttribute("aria-label", `attempt ${attempt.id}: ladder and evidence`);
  button.addEventListener("click", () => toggle(attempt.id, button));
  made.cells[0].append(button);
  lines.set(attempt.id, made);
  for (const id of lines.keys()) if (!failures.has(id)) lines.delete(id);
  return made;
}

async function toggle(id, button) {
  if (opened.delete(id)) {
    button.setAttribute("aria-expanded", "false");
    return draw();
  }
  const detail = element("tr", undefined, "detail"), cell = element("td", "…");
  cell.colSpan = 6;
  detail.append(cell);
  opened.set(id, detail);
  button.setAttribute("aria-expanded", "true");
  history.replaceState(null, "", "#attempt=" + id);
  draw();
  try {
    const answer = await fetch(`attempts/${id}/drawing`);
    if (!answer.ok) throw new Error(await answer.text());
    const { texts, explained, attempt } = await answer.json();
    cell.replaceChildren(attemptDetail(readAttempt(attempt, texts), texts, explained));
  } catch (error) {
    cell.textContent = `The ladder is not there: ${error.message}`;
  }
}

// Opens the attempt that the address names, whether or not it failed.
async function follow() {
  const id = Number(/^#attempt=(\d+)$/.exec(location.hash)?.[1]);
  if (!id) return;
  if (!failures.has(id)) {
    const answer = await fetch("attempts/" + id);
    if (!answer.ok) return void ($("shown").textContent = `attempt ${id} is not kept any more`);
    add([await answer.json()]);
  }
  $("text").value = $("outcome").value = "";
  draw();
  const button = $("attempt-" + id);
  if (!button) return;
  if (!opened.has(id)) await toggle(id, button);
  button.focus();
}

function start() {
  const source = new EventSource("events");
  source.addEventListener("open", async () => {
    $("link").textContent = "live";
    $("link").className = "";
    const answer = await fetch(`attempts?failed=1&limit=${kept}`);
    add((await answer.json()).attempts);
    follow();
  });
  source.addEventListener("error", () => { $("link").textContent = "not connected: trying again"; $("link").className = "error"; });
  source.addEventListener("state", (event) => { if (!paused) state(JSON.parse(event.data)); });
  source.addEventListener("attempt", (event) => {
    const attempt = JSON.parse(event.data);
    if (!isFailure(attempt.outcome)) return;
    if (paused) failures.set(attempt.id, attempt); else add([attempt]);
  });
  source.addEventListener("missed", (event) => { missed += Number(event.data); draw(); });
}

function pause() {
  paused = !paused;
  $("pause").setAttribute("aria-pressed", String(paused));
  $("pause").textContent = paused ? "Go on" : "Pause";
  if (!paused) add([]);
}

// Counts and failures from this moment on, or from the start again.
function since() {
  const seconds = latest?.seconds ?? [];
  mark = mark || !latest ? null : { time_s: seconds.length ? seconds[seconds.length - 1].time_s : 0, by_outcome: latest.summary.attempts.by_outcome };
  $("since").setAttribute("aria-pressed", String(mark !== null));
  $("since").textContent = mark ? "Since the start" : "Since now";
  $("from").textContent = mark ? `counts and failures since ${clock(mark.time_s)} UTC` : "";
  if (latest) state(latest);
  draw();
}

$("pause").addEventListener("click", pause);
$("since").addEventListener("click", since);
$("text").addEventListener("input", draw);
$("outcome").addEventListener("input", draw);
addEventListener("hashchange", follow);
addEventListener("resize", () => { if (latest) state(latest); });
// Keys, where no field has the keyboard: p pauses, s counts from now on, / filters.
addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || ["INPUT", "SELECT"].includes(document.activeElement.tagName)) return;
  const key = { p: pause, s: since, "/": () => $("text").focus() }[event.key];
  if (key) { event.preventDefault(); key(); }
});
start();

// The page of visrec: browse, pick, and see what is recommended. Talks to the API beside it and to nobody else.

const PAGE_SIZE = 36;
const NUM_RECOMMENDED = 24;
const NUM_SIMILAR = 36;
const MAX_PICKS = 50;
const MAX_CHIPS = 16;
const STORE = "visrec.picks";

const $ = (id) => document.getElementById(id);
const picks = new Map(); // item id -> {item, time}, oldest first
const view = { mode: "browse", order: "shuffled", category: null, query: "", shown: 0, seed: sessionSeed() };

// ---- Asking the API -------------------------------------------------------------------------------------------------

class Problem extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

async function ask(path, options = {}) {
  let response;
  try {
    response = await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(0, "The server does not answer.");
  }
  const body = await response.json().catch(() => ({}));
  if (!response.ok) throw new Problem(response.status, body.detail ?? `The server answered ${response.status}.`);
  return body;
}

// Browsers take "." and ".." out of paths, encoded or not.
const itemPath = (id, part = "") =>
  id === "." || id === ".." ? `v1/item${part}?id=${id}&` : `v1/items/${encodeURIComponent(id)}${part}?`;

function postJson(path, body, signal) {
  return ask(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body), signal });
}

// Only the newest request of a kind counts: an older one that is still on its way is called back.
const underWay = {};
function newest(kind) {
  underWay[kind]?.abort();
  underWay[kind] = new AbortController();
  return underWay[kind].signal;
}

async function guarded(work) {
  try {
    await work();
  } catch (error) {
    if (error.name !== "AbortError") toast(error.message);
  }
}

// ---- Cards ----------------------------------------------------------------------------------------------------------

function card(item, place) {
  const node = $("card").content.firstElementChild.cloneNode(true);
  const name = item.title ?? item.id;
  const pick = node.querySelector(".pick");
  const image = node.querySelector("img");
  if (item.image) image.src = relative(item.image);
  else image.remove();
  node.querySelector(".title").textContent = name;
  node.querySelector(".facts").textContent = item.price === null ? item.categories.join(", ") : price(item.price);
  pick.title = name;
  pick.dataset.id = item.id;
  pick.setAttribute("aria-pressed", String(picks.has(item.id)));
  pick.setAttribute("aria-label", `Pick ${name}`);
  pick.addEventListener("click", () => toggle(item));
  const similar = node.querySelector(".like-this");
  similar.title = `Similar to ${name}`;
  similar.setAttribute("aria-label", similar.title);
  similar.addEventListener("click", () => showSimilar(item));
  node.classList.add("new");
  node.style.animationDelay = `${Math.min(place, 24) * 12}ms`;
  return node;
}

// The API gives paths from the root of the host; the page may live below it, behind a proxy.
const relative = (path) => path.replace(/^.*\/(?=v1\/items\/)/, "");

const numbers = new Intl.NumberFormat(undefined, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const price = (value) => numbers.format(value);

// ---- Exploring ------------------------------------------------------------------------------------------------------

function head(title, note, subject) {
  $("explore-title").textContent = title;
  $("explore-note").textContent = note;
  $("subject").hidden = !subject;
  if (subject) $("subject-image").src = subject;
  const browsing = view.mode === "browse";
  $("order").hidden = !browsing;
  $("chips").hidden = !browsing;
  $("back").hidden = browsing;
}

function show(items, { append = false, total = items.length } = {}) {
  const grid = $("grid");
  const cards = items.map(card);
  if (append) grid.append(...cards);
  else grid.replaceChildren(...cards);
  view.shown = append ? view.shown + items.length : items.length;
  $("empty").hidden = view.shown > 0;
  $("more").hidden = view.shown >= total;
  if (append && cards.length) cards[0].querySelector(".pick").focus({ preventScroll: true });
}

function browse({ append = false } = {}) {
  return guarded(async () => {
    view.mode = "browse";
    const query = new URLSearchParams({ order: view.order, seed: view.seed, limit: PAGE_SIZE, offset: append ? view.shown : 0 });
    if (view.query) query.set("q", view.query);
    if (view.category) query.set("category", view.category);
    $("grid").classList.add("busy");
    const page = await ask(`v1/items?${query}`, { signal: newest("explore") });
    $("grid").classList.remove("busy");
    const filtered = view.query || view.category;
    head(
      view.query ? `“${view.query}”` : view.category ? capital(view.category) : "Explore",
      filtered ? `${page.total.toLocaleString()} pictures` : "Pick what you like and see what follows.",
    );
    show(page.items, { append, total: page.total });
  });
}

function showSimilar(item) {
  return guarded(async () => {
    const answer = await ask(`${itemPath(item.id, "/similar")}k=${NUM_SIMILAR}`, { signal: newest("explore") });
    view.mode = "similar";
    head(`Similar to ${item.title ?? item.id}`, "What looks most like it, first.", item.image && relative(item.image));
    showFromTop(answer.items);
  });
}

function searchBy(file) {
  return guarded(async () => {
    const form = new FormData();
    form.append("file", file);
    $("grid").classList.add("busy");
    try {
      const answer = await ask(`v1/search/image?k=${NUM_SIMILAR}`, { method: "POST", body: form, signal: newest("explore") });
      view.mode = "picture";
      head("Like your picture", file.name, URL.createObjectURL(file));
      showFromTop(answer.items);
    } finally {
      $("grid").classList.remove("busy");
    }
  });
}

function showFromTop(items) {
  show(items);
  close();
  $("explore").focus({ preventScroll: true });
  window.scrollTo({ top: 0 });
}

const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

async function chips() {
  const categories = (await ask("v1/categories")).slice(0, MAX_CHIPS);
  const make = (label, value) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = label;
    button.setAttribute("aria-pressed", String(view.category === value));
    button.addEventListener("click", () => {
      view.category = value;
      for (const other of $("chips").children) other.setAttribute("aria-pressed", String(other === button));
      browse();
    });
    return button;
  };
  if (categories.length) $("chips").replaceChildren(make("All", null), ...categories.map((c) => make(c.name, c.name)));
}

// ---- Picks and recommendations --------------------------------------------------------------------------------------

function toggle(item) {
  if (!picks.delete(item.id)) picks.set(item.id, { item, time: new Date().toISOString() });
  while (picks.size > MAX_PICKS) picks.delete(picks.keys().next().value);
  picksChanged();
}

function picksChanged() {
  remember();
  const nodes = [...picks.values()].reverse().map(({ item }) => {
    const node = $("chosen").content.firstElementChild.cloneNode(true);
    const name = item.title ?? item.id;
    const image = node.querySelector("img");
    image.alt = name;
    image.title = name;
    if (item.image) image.src = relative(item.image);
    const remove = node.querySelector("button");
    remove.setAttribute("aria-label", `Remove ${name}`);
    remove.addEventListener("click", () => toggle(item));
    return node;
  });
  $("picks").replaceChildren(...nodes);
  $("count").textContent = picks.size;
  $("picks-hint").hidden = picks.size > 0;
  $("clear").hidden = picks.size === 0;
  $("side").classList.toggle("has-picks", picks.size > 0);
  for (const button of document.querySelectorAll(".pick")) {
    button.setAttribute("aria-pressed", String(picks.has(button.dataset.id)));
  }
  return recommend();
}

function recommend() {
  return guarded(async () => {
    const history = [...picks].map(([id, { time }]) => ({ item_id: id, time }));
    const signal = newest("recommend");
    $("recs").classList.add("busy");
    const answer = await postJson("v1/recommendations", { history, k: NUM_RECOMMENDED }, signal);
    $("recs").classList.remove("busy");
    $("recs").replaceChildren(...answer.items.map(card));
    const personal = answer.source !== "popular";
    $("recs-title").textContent = personal ? "For you" : "Popular now";
    $("recs-note").textContent = personal
      ? `Based on ${picks.size === 1 ? "your pick" : `your ${picks.size} picks`}`
      : "Pick something, and this becomes yours";
  });
}

function remember() {
  try {
    localStorage.setItem(STORE, JSON.stringify([...picks].map(([id, { time }]) => ({ id, time }))));
  } catch {
    // Private windows may keep nothing; the picks then last as long as the page.
  }
}

async function recall() {
  let stored = [];
  try {
    stored = JSON.parse(localStorage.getItem(STORE) ?? "[]");
  } catch {
    // As above, or not ours.
  }
  if (!Array.isArray(stored)) return;
  // Another release may not have an item any more: those picks are dropped.
  const facts = await Promise.allSettled(stored.slice(-MAX_PICKS).map(({ id }) => ask(itemPath(id))));
  facts.forEach((fact, place) => {
    if (fact.status === "fulfilled") picks.set(fact.value.id, { item: fact.value, time: stored[place].time });
  });
}

// ---- Around it ------------------------------------------------------------------------------------------------------

let toastTimer;
function toast(message) {
  const node = $("toast");
  node.textContent = message;
  node.hidden = false;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => (node.hidden = true), 6000);
}

function open(wanted) {
  $("side").classList.toggle("open", wanted);
  $("expand").setAttribute("aria-expanded", String(wanted));
  $("expand").firstElementChild.textContent = wanted ? "Show less" : "Show all";
}
const close = () => open(false);

async function foot() {
  const release = await ask("v1/release");
  const facts = [`${release.counts.num_items.toLocaleString()} items`, `release ${release.name}`];
  const ndcg = release.metrics.metrics?.model?.["ndcg@10"]?.mean;
  if (ndcg !== undefined) facts.push(`NDCG@10 ${ndcg.toFixed(3)} on the ${release.metrics.part} part`);
  $("choose").hidden = !release.has_pictures;
  $("foot").replaceChildren(...facts.map((text) => Object.assign(document.createElement("span"), { textContent: text })));
}

function sessionSeed() {
  const random = () => String(Math.floor(Math.random() * 1e6));
  try {
    const seed = sessionStorage.getItem("visrec.seed") ?? random();
    sessionStorage.setItem("visrec.seed", seed);
    return seed;
  } catch {
    return random();
  }
}

function listen() {
  let typing;
  $("query").addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(() => {
      view.query = $("query").value.trim();
      browse();
    }, 220);
  });
  $("search").addEventListener("submit", (event) => {
    event.preventDefault();
    clearTimeout(typing);
    view.query = $("query").value.trim();
    browse();
  });
  for (const button of $("order").children) {
    button.addEventListener("click", () => {
      view.order = button.dataset.order;
      for (const other of $("order").children) other.setAttribute("aria-pressed", String(other === button));
      browse();
    });
  }
  $("back").addEventListener("click", () => browse());
  $("more").addEventListener("click", () => browse({ append: true }));
  $("clear").addEventListener("click", () => {
    picks.clear();
    picksChanged();
  });
  $("expand").addEventListener("click", () => open(!$("side").classList.contains("open")));
  $("choose").addEventListener("click", () => $("file").click());
  $("file").addEventListener("change", () => {
    if ($("file").files.length) searchBy($("file").files[0]);
    $("file").value = "";
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
    if (event.key === "/" && !/^(INPUT|TEXTAREA)$/.test(document.activeElement.tagName)) {
      event.preventDefault();
      $("query").focus();
    }
  });
  listenForDrops();
}

function listenForDrops() {
  const hasFile = (event) => event.dataTransfer?.types.includes("Files") && !$("choose").hidden;
  document.addEventListener("dragover", (event) => {
    if (!hasFile(event)) return;
    event.preventDefault();
    $("drop").hidden = false;
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) $("drop").hidden = true;
  });
  document.addEventListener("drop", (event) => {
    $("drop").hidden = true;
    if (!hasFile(event)) return;
    event.preventDefault();
    searchBy(event.dataTransfer.files[0]);
  });
}

listen();
await Promise.all([browse(), recall().then(picksChanged), guarded(chips), guarded(foot)]);
document.documentElement.dataset.ready = "true";

"use strict";
{
  const find = (selector, within = document) => within.querySelector(selector);
  const grid = find(".grid");
  const tools = find(".tools");
  const dialog = find("dialog");
  const cards = grid ? [...grid.children] : [];
  const files = cards.map((card) => ({
    card,
    path: find(".name", card).title,
    text: find(".name", card).title.toLowerCase(),
    rank: Number(card.dataset.rank),
    doubt: Number(card.dataset.doubt),
    index: Number(card.dataset.index),
    tone: card.dataset.tone,
    media: card.dataset.media,
  }));
  const byName = new Intl.Collator(undefined, { numeric: true }).compare;
  const orders = {
    best: (a, b) => b.rank - a.rank || a.index - b.index,
    worst: (a, b) => a.rank - b.rank || a.index - b.index,
    name: (a, b) => byName(a.path, b.path) || a.index - b.index,
    doubt: (a, b) => b.doubt - a.doubt || a.index - b.index,
    input: (a, b) => a.index - b.index,
  };

  // The file whose card is open in the dialog.
  let current = null;
  let sorted = "best";

  const shown = () => files.filter((file) => !file.card.hidden);

  function sort(order) {
    if (order === sorted) return;
    sorted = order;
    files.sort(orders[order]);
    grid.append(...files.map((file) => file.card));
  }

  function filter() {
    const words = tools.elements.text.value.toLowerCase().split(/\s+/);
    const media = tools.elements.media ? tools.elements.media.value : "";
    const tones = new Set([...tools.querySelectorAll("[name=level]:checked")].map((box) => box.value));
    let count = 0;
    for (const file of files) {
      const fits =
        tones.has(file.tone) &&
        (!media || file.media === media) &&
        words.every((word) => file.text.includes(word));
      if (file.card.hidden === fits) file.card.hidden = !fits;
      count += fits;
    }
    const all = files.length.toLocaleString("en");
    find(".count").textContent =
      count === files.length ? `${all} files` : `${count.toLocaleString("en")} of ${all} files`;
    find("[type=reset]", tools).hidden = count === files.length;
    find(".empty").hidden = count > 0;
  }

  function update() {
    sort(tools.elements.sort.value);
    filter();
  }

  function element(name, text, kind = "") {
    const made = document.createElement(name);
    made.textContent = text;
    made.className = kind;
    return made;
  }

  // A copy of a part of a card, or nothing when the card lacks it.
  const copy = (card, selector) => [...card.querySelectorAll(selector)].map((part) => part.cloneNode(true));

  // The length of the bar behind a line "good 62.8%".
  function drawShare(line) {
    line.style.setProperty("--share", line.lastElementChild.textContent.replace(/[<>]/, ""));
  }

  function odds(card) {
    const label = find("svg.odds", card)?.getAttribute("aria-label");
    if (!label) return [];
    return label.split(", ").map((part, place) => {
      const [word, share] = part.split(" ");
      const line = element("li", "", `t${5 - place}`);
      line.append(element("b", word), element("span", share));
      drawShare(line);
      return line;
    });
  }

  // In the dialog every stretch of a strip says its time and score under the pointer.
  function touchable(strip) {
    const drawing = find("svg", strip);
    for (const moment of strip.dataset.moments.split("\n")) {
      const [left, width, ...words] = moment.split(" ");
      const [area, title] = ["rect", "title"].map((name) => document.createElementNS(drawing.namespaceURI, name));
      title.textContent = words.join(" ");
      const place = { x: left, width, height: 100 };
      for (const [name, value] of Object.entries(place)) area.setAttribute(name, value);
      area.append(title);
      drawing.append(area);
    }
    return strip;
  }

  function facts(card) {
    return card.dataset.facts.split("\n").map((line) => {
      const [name, value] = line.split("\t");
      const pair = document.createElement("div");
      pair.append(element("dt", name), element("dd", value));
      return pair;
    });
  }

  function show(file) {
    current = file;
    const { card } = file;
    const list = shown();
    const place = list.indexOf(file);
    dialog.className = `t${file.tone}`;
    find(".place", dialog).textContent = `${place + 1} of ${list.length}`;
    find(".previous", dialog).disabled = place <= 0;
    find(".next", dialog).disabled = place >= list.length - 1;
    find("h2", dialog).textContent = find(".name", card).textContent;
    find(".large", dialog).replaceChildren(...copy(card, ".mat > *"));
    find(".verdict", dialog).replaceChildren(...copy(card, ".verdict > *"));
    find(".copy", dialog).replaceChildren(...copy(card, "svg.odds, svg.whisker"));
    find("ol.odds", dialog).replaceChildren(...odds(card));
    find(".time", dialog).replaceChildren(...copy(card, ".strip").map(touchable));
    find("dl", dialog).replaceChildren(...facts(card));
    const extra = find(".extra", dialog);
    extra.textContent = card.dataset.extra || "";
    extra.hidden = !card.dataset.extra;
    if (!dialog.open) dialog.showModal();
    find(".about", dialog).scrollTop = 0;
  }

  function step(by) {
    const list = shown();
    const next = list[list.indexOf(current) + by];
    if (next) show(next);
  }

  if (tools) {
    tools.hidden = false;
    tools.addEventListener("input", update);
    tools.addEventListener("submit", (event) => event.preventDefault());
    tools.addEventListener("reset", () => setTimeout(update));
    find(".empty .reset").addEventListener("click", () => tools.reset());
    document.addEventListener("keydown", (event) => {
      if (event.key !== "/" || dialog.open || event.target.matches("input, select")) return;
      event.preventDefault();
      tools.elements.text.focus();
    });
    update();
  }

  document.querySelectorAll("ol.odds li").forEach(drawShare);
  document.querySelectorAll(".one .strip").forEach(touchable);

  if (dialog) {
    grid.addEventListener("click", (event) => {
      const card = event.target.closest(".card");
      if (!card || event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      show(files.find((file) => file.card === card));
    });
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog || event.target.closest(".close")) dialog.close();
      else if (event.target.closest(".previous")) step(-1);
      else if (event.target.closest(".next")) step(1);
    });
    dialog.addEventListener("keydown", (event) => {
      if (event.key === "ArrowLeft") step(-1);
      if (event.key === "ArrowRight") step(1);
    });
    dialog.addEventListener("close", () => {
      const name = find(".name", current.card);
      name.focus();
      name.scrollIntoView({ block: "nearest" });
    });
  }
}

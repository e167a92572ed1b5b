"use strict";
// The page is whole without this script; it only filters, sorts, and shows parts where they are wanted.
(() => {
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const make = (name, properties = {}, ...children) => {
    const element = Object.assign(document.createElement(name), properties);
    element.append(...children);
    return element;
  };
  document.documentElement.classList.add("js");

  // Rows that are open: the variant's own part, moved below its row and back again.
  const openRow = (row) => row.nextElementSibling?.matches(".opened") ? row.nextElementSibling : null;
  const close = (row) => {
    const opened = openRow(row);
    if (!opened) return;
    const inside = opened.querySelector(".inside");
    if (inside) document.getElementById(row.dataset.opens).append(inside);
    opened.remove();
    row.querySelector("th button").setAttribute("aria-expanded", "false");
  };
  const figures = (row) => {
    const heads = all("thead th", row.closest("table")).slice(1);
    const list = make("dl", { className: "figures" });
    [...row.cells].slice(1).forEach((cell, index) => {
      if (!cell.matches(".wide")) return;
      list.append(make("div", {}, make("dt", { textContent: heads[index].textContent }),
        make("dd", { textContent: cell.innerText })));
    });
    return list;
  };
  const open = (row) => {
    const part = document.getElementById(row.dataset.opens);
    if (!part) return;
    all("tr[data-opens]").filter((other) => other.dataset.opens === row.dataset.opens).forEach(close);
    const cell = make("td", { colSpan: row.cells.length }, figures(row));
    const inside = part.querySelector(":scope > .inside");
    if (inside) cell.append(inside);
    row.after(make("tr", { className: "opened" }, cell));
    row.querySelector("th button").setAttribute("aria-expanded", "true");
  };
  const openable = (row) => {
    const link = row.querySelector("th a");
    if (!link) return;
    row.dataset.opens = link.hash.slice(1);
    const button = make("button", { type: "button", className: "opener" }, ...link.childNodes);
    button.setAttribute("aria-expanded", "false");
    button.addEventListener("click", () => (openRow(row) ? close : open)(row));
    link.replaceWith(button);
  };

  // Sorting: by a cell's key where it has one, else by its text; what has no figure stays last.
  const rows = (table) => [...table.tBodies[0].rows].filter((row) => !row.matches(".opened"));
  const value = (row, index) => {
    const cell = row.cells[index];
    if (cell.dataset.key !== undefined) return Number(cell.dataset.key);
    const text = cell.textContent.trim().toLowerCase();
    return text === "\u2013" || text === "" ? null : text;
  };
  const compare = (a, b) => typeof a === typeof b ? (a < b ? -1 : Number(a > b)) : (typeof a === "number" ? -1 : 1);
  const sort = (table, head) => {
    const downwards = head.getAttribute("aria-sort") === "ascending";
    all("thead th", table).forEach((other) => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", downwards ? "descending" : "ascending");
    const keyed = rows(table).map((row) => [value(row, head.cellIndex), row, openRow(row)]);
    const known = keyed.filter(([key]) => key !== null).sort(([a], [b]) => downwards ? compare(b, a) : compare(a, b));
    const order = [...known, ...keyed.filter(([key]) => key === null)];
    table.tBodies[0].append(...order.flatMap(([, row, opened]) => opened ? [row, opened] : [row]));
  };
  const sortable = (table) => all("thead th", table).forEach((head) => {
    const button = make("button", { type: "button", className: "sorter" }, ...head.childNodes);
    button.addEventListener("click", () => sort(table, head));
    head.append(button);
  });

  // Filtering by text and by verdict, with the count told aloud.
  const filterable = (table) => {
    const bar = table.closest(".block").querySelector(".filter");
    const [text, verdict, told] = ["input", "select", "output"].map((name) => bar.querySelector(name));
    const word = (row) => row.cells[1].firstChild?.textContent ?? "";
    const judged = table.tHead.rows[0].cells[1]?.textContent === "Verdict";
    const noun = judged ? "variants" : "rows";
    if (judged) {
      [...new Set(rows(table).map(word))].forEach((name) => verdict.append(make("option", { textContent: name })));
    } else {
      verdict.parentElement.remove();
    }
    const filter = () => {
      const wanted = text.value.trim().toLowerCase();
      const known = rows(table);
      known.forEach((row) => {
        const shown = row.textContent.toLowerCase().includes(wanted) && (!verdict.value || word(row) === verdict.value);
        if (!shown) close(row);
        row.hidden = !shown;
      });
      told.textContent = `${known.filter((row) => !row.hidden).length} of ${known.length} ${noun}`;
    };
    text.addEventListener("input", filter);
    verdict.addEventListener("change", filter);
    filter();
    bar.hidden = false;
  };

  // One setting and one view at a time.
  const state = { setting: document.body.dataset.shown, view: "" };
  const show = () => all("[data-setting], [data-view]").forEach((element) => {
    const { setting, view } = element.dataset;
    element.hidden = (setting !== undefined && setting !== state.setting) || (view !== undefined && view !== state.view);
  });
  const choice = (buttons, pick) => buttons.forEach((button) => button.addEventListener("click", () => {
    buttons.forEach((other) => other.setAttribute("aria-pressed", String(other === button)));
    pick(button);
    show();
  }));
  const chips = all(".chips li").map((item) => {
    const button = make("button", { type: "button" }, ...item.childNodes);
    button.dataset.key = item.dataset.key;
    button.setAttribute("aria-pressed", String(item.dataset.key === state.setting));
    item.append(button);
    return button;
  });
  choice(chips, (button) => {
    all("tr[data-opens]").forEach(close);
    state.setting = button.dataset.key;
  });
  const views = [...new Set(all("[data-view]").map((element) => element.dataset.view))];
  [state.view = ""] = views;
  if (views.length > 1) {
    const bar = make("div", { className: "views" });
    bar.setAttribute("role", "group");
    bar.setAttribute("aria-label", "Cost");
    bar.append(...views.map((view, index) => {
      const button = make("button", { type: "button", textContent: view });
      button.setAttribute("aria-pressed", String(index === 0));
      return button;
    }));
    document.querySelector("[data-view]").before(bar);
    choice([...bar.children], (button) => { state.view = button.textContent; });
  }

  // A link or an address into a closed part opens it.
  const reveal = () => {
    const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    for (let part = target; part; part = part.parentElement) if (part.matches("details")) part.open = true;
    const own = target.querySelector(":scope > details");
    if (own) own.open = true;
  };
  addEventListener("hashchange", reveal);

  all("table.sortable").forEach((table) => {
    rows(table).forEach(openable);
    sortable(table);
    filterable(table);
  });
  all("details.fold").forEach((part) => part.classList.add("moved"));
  show();
  reveal();
})();

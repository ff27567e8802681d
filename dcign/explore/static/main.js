// The page: opens what is explored, and shows its views: the face of a network, and the data set.

import { h, tell } from "./dom.js";
import { DataView } from "./data_view.js";
import { FaceView } from "./face_view.js";

const kind = document.querySelector('meta[name="backend"]').content;
const main = document.getElementById("main");

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  try {
    localStorage.setItem("dcign-theme", theme);
  } catch {
    // private windows keep nothing
  }
}

function startTheme() {
  let kept = null;
  try {
    kept = localStorage.getItem("dcign-theme");
  } catch {
    // private windows keep nothing
  }
  if (kept) setTheme(kept);
  document.getElementById("theme").addEventListener("click", () => {
    const dark = matchMedia("(prefers-color-scheme: dark)").matches;
    const now = document.documentElement.dataset.theme ?? (dark ? "dark" : "light");
    setTheme(now === "dark" ? "light" : "dark");
  });
}

function showTabs(views) {
  const tabs = document.getElementById("tabs");
  const buttons = views.map(({ id, title, element }) =>
    h("button", {
      type: "button", role: "tab", id: `tab-${id}`, "aria-controls": element.id,
      onclick: () => choose(id),
      onkeydown: (event) => {
        const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
        if (!step) return;
        const place = views.findIndex((view) => view.id === id);
        const next = views[(place + step + views.length) % views.length].id;
        choose(next);
        document.getElementById(`tab-${next}`).focus();
      },
    }, title),
  );
  tabs.replaceChildren(...(views.length > 1 ? buttons : []));
  function choose(id) {
    views.forEach((view, place) => {
      const chosen = view.id === id;
      view.element.hidden = !chosen;
      buttons[place].setAttribute("aria-selected", String(chosen));
      buttons[place].tabIndex = chosen ? 0 : -1;
      if (chosen) view.view.opened?.();
    });
    tell("");
  }
  return choose;
}

function describe({ run, data }) {
  if (!run) return `Data set ${data.name}`;
  return data ? `Network ${run.name}, beside its data set` : `Network ${run.name}`;
}

/** What the header leaves out: it is shown where the pointer rests on it. */
function details({ run, data }) {
  const { size, channels } = run ?? data;
  const pictures = `${size} px, ${channels === 3 ? "colour" : "gray"}`;
  const texts = run ? [`recipe ${run.recipe}`, `${run.latents} latents`] : [];
  return [...texts, ...(data ? [`data set ${data.name}`] : []), pictures].join(", ");
}

async function start() {
  startTheme();
  const backend = await import(`./backend_${kind}.js`);
  const found = await backend.describe();
  const about = document.getElementById("about");
  about.textContent = describe(found);
  about.title = details(found);
  document.title = `${(found.run ?? found.data).name} · dcign explorer`;
  const views = [];
  let choose = () => {};
  if (found.run) {
    const view = new FaceView(backend, found);
    views.push({ id: "face", title: "Face", view, element: view.element });
  }
  if (found.data && backend.batches) {
    const face = views[0]?.view;
    const view = new DataView(backend, found, face && ((origin, slot) => {
      choose("face");
      return face.showImage(origin, slot);
    }));
    views.push({ id: "data", title: "Data set", view, element: view.element });
  }
  for (const { id, element } of views) {
    element.id = `view-${id}`;
    element.setAttribute("role", "tabpanel");
    element.setAttribute("aria-labelledby", `tab-${id}`);
  }
  main.replaceChildren(...views.map(({ element }) => element));
  choose = showTabs(views);
  choose(views[0].id);
  await views[0].view.start?.();
  document.documentElement.dataset.ready = "";
}

start().catch((error) => {
  main.replaceChildren();
  tell(error.message);
});

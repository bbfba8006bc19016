// The library: what is in it, adding to it, and what could not be read.
import { h, replace, toast, announce } from "./dom.js";
import { t, number } from "./i18n.js";
import * as api from "./api.js";
import * as state from "./state.js";
import { problemMessage, reason } from "./messages.js";

export function libraryView() {
  const controller = new AbortController();
  const figures = h("div.panel", {});
  const adding = h("div.panel.stack", {});
  const jobs = h("div.stack", {});
  const failures = h("section.stack", {});
  const element = h("div.stack", {}, h("h1", {}, t("library")), h("div.cards", {}, figures, adding), jobs, failures);
  const uploading = h("div.note", {});
  const followed = new Set();
  let roots = [];

  async function refresh() {
    try {
      await showJobs(); // First, so that what a job that has just ended did is in what follows.
      const status = await api.status();
      showFigures(figures, status);
      await showFailures(failures);
      if (!adding.contains(document.activeElement)) showAdding(status);
    } catch (error) {
      replace(figures, problemMessage(error, refresh));
    }
  }

  function showAdding(status) {
    const scopes = document.documentElement.dataset.scopes || "";
    const mayIndex = status.indexing && scopes.includes("admin");
    const mayUpload = status.uploads && scopes.includes("write");
    const path = h("input.field", { type: "text", id: "index-path", autocomplete: "off", spellcheck: "false", list: "roots", placeholder: roots[0] });
    const files = h("input", { type: "file", accept: "image/*", multiple: true, id: "upload-files", hidden: true, onchange: () => upload([...files.files]) });
    const choose = h("button.button", { type: "button", onclick: () => files.click() }, t("upload"));
    replace(adding, h("h2", {}, t("index_title")),
      mayIndex ? h("form.stack", { onsubmit: (event) => {
        event.preventDefault();
        start(path.value.trim());
      } }, h("label.label", {}, t("index_folder"), path), h("datalist", { id: "roots" }, roots.map((root) => h("option", { value: root }))), h("button.button.primary", { type: "submit" }, t("index_start"))) : h("p.note", {}, t("index_none")),
      mayUpload && h("div.row", {}, choose, files, uploading));
  }

  async function start(path) {
    try {
      await api.startJob(path ? { paths: [path] } : {});
      await refresh();
    } catch (error) {
      toast(reason(error));
    }
  }

  async function upload(files) {
    let count = 0;
    const refused = [];
    for (const [done, file] of files.entries()) {
      replace(uploading, t("uploading", { done: number(done), count: number(files.length) }));
      try {
        await api.upload(file);
        count += 1;
      } catch (error) {
        refused.push(`${file.name}: ${reason(error)}`);
      }
    }
    replace(uploading, refused.length ? h("ul.alert", { role: "alert" }, refused.map((reason) => h("li", {}, reason))) : null);
    if (count) toast(t("uploaded", { count: number(count) }));
    refresh();
  }

  async function showJobs() {
    const { jobs: list, roots: offered } = await api.jobs();
    roots = offered || [];
    replace(jobs, (list || []).slice(0, 5).map((job) => {
      const card = h("div.panel.stack", {});
      showJob(card, job);
      if (["queued", "running"].includes(job.state) && !followed.has(job.id)) {
        followed.add(job.id);
        follow(card, job.id);
      }
      return card;
    }));
  }

  async function follow(card, id) {
    let last = "failed";
    try {
      await api.followJob(id, controller.signal, (job) => {
        last = job.state;
        showJob(card, job);
      });
    } catch {
      // The page was left, or the server stopped: what it says next is on the next visit.
    }
    followed.delete(id);
    if (controller.signal.aborted) return;
    announce(`${t("job_running")}: ${t(`state_${last}`)}`);
    refresh();
  }

  refresh();
  return { element, title: () => t("library"), destroy: () => controller.abort() };
}

function showFigures(place, status) {
  const figure = (count, name) => h("div", {}, h("b", {}, number(count)), h("span", {}, name));
  replace(place, h("div.stack", {},
    h("div.figures", {}, figure(status.images, t("images")), figure(status.texts, t("texts")), figure(status.failures, t("failed_files"))),
    status.model && h("p.note", {}, `${t("model")}: ${status.model.name}, ${status.model.precision || ""}, ${status.model.image_size} px, ${t(status.model.captions ? "captions_yes" : "captions_no")}`),
    status.library && h("p.note", {}, status.library),
    h("p", {}, h(`span.badge.${status.ready ? "strong" : "weak"}`, {}, status.ready ? t("ready") : `${t("not_ready")}: ${status.reason || ""}`)),
    h("div.row", {}, h("a.button", { href: "/" }, t("browse")))));
}

function showJob(card, job) {
  const { progress = {} } = job;
  const running = ["queued", "running"].includes(job.state);
  const left = progress.remaining_seconds;
  const rate = progress.images_per_second ? progress.images_per_second.toFixed(1) : "";
  const meter = progress.found ? h("progress", { max: progress.found, value: progress.done, "aria-label": t("job_running") }) : running && h("progress", { "aria-label": t("job_running") });
  if (progress.found && meter) meter.value = progress.done;
  replace(card, h("div.row", {}, h("h3", {}, `${t("job_running")}: ${t(`state_${job.state}`)}`), running && h("button.button", { type: "button", onclick: () => api.cancelJob(job.id).catch((error) => toast(reason(error))) }, t("stop"))),
    h("p.note", {}, (job.paths || []).join(", ")), meter,
    h("p", {}, t("job_done", { added: number(progress.added || 0), unchanged: number(progress.unchanged || 0), failed: number(progress.failed || 0) })),
    running && rate && h("p.note", {}, left ? t("job_rate", { rate, left: `${Math.ceil(left)} s` }) : t("job_rate_only", { rate })),
    job.error && h("p.alert", {}, job.error));
}

async function showFailures(place) {
  const list = await api.failures();
  if (!list.failures?.length) return replace(place);
  const rows = h("tbody", {});
  const more = h("button.button", { type: "button", onclick: async () => {
    try {
      add(await api.failures(rows.children.length));
    } catch (error) {
      toast(reason(error));
    }
  } }, t("more"));
  const add = ({ failures, total }) => {
    rows.append(...failures.map((failure) => h("tr", {}, h("td", {}, failure.path), h("td", {}, failure.reason))));
    more.hidden = !failures.length || rows.children.length >= total;
  };
  add(list);
  return replace(place, h("h2", {}, `${t("failures_title")} (${number(list.total)})`),
    h("table.failures", {}, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, t("failure_file")), h("th", { scope: "col" }, t("failure_reason")))), rows), h("div.row", {}, more));
}

// duplicatesView lists pictures that are there more than once, at three levels.
export function duplicatesView() {
  const levels = ["bytes", "picture", "scene"];
  const list = h("div", {});
  const tabs = h("div.row", { role: "group", "aria-label": t("duplicates") });
  const element = h("div.stack", {}, h("h1", {}, t("duplicates_title")), tabs, list);
  const level = () => (levels.includes(state.get().level) ? state.get().level : "picture");

  async function load(offset = 0) {
    replace(tabs, levels.map((name) => h("button.button", { type: "button", "aria-pressed": String(name === level()), onclick: () => state.go({ level: name }) }, t(`level_${name}`))));
    if (!offset) replace(list, h("div.message", {}, h("span.spinner", { role: "status", "aria-label": t("loading") })));
    try {
      const answer = await api.duplicates(level(), offset);
      if (!offset) replace(list, answer.total ? h("p.note", {}, t("groups", { count: number(answer.total) })) : h("div.message", {}, h("p", {}, t("no_duplicates"))));
      for (const group of answer.groups || []) list.append(groupRow(group));
      const shown = offset + (answer.groups || []).length;
      if (shown < answer.total && answer.groups.length) {
        const more = h("button.button", { type: "button", onclick: () => {
          more.remove();
          load(shown);
        } }, t("more"));
        list.append(more);
      }
    } catch (error) {
      replace(list, problemMessage(error, () => load()));
    }
  }

  const unsubscribe = state.subscribe((now, before) => now.view === "duplicates" && now.level !== before.level && load());
  load();
  return { element, title: () => t("duplicates"), destroy: unsubscribe };
}

function groupRow(group) {
  return h("div.group", {}, group.members.map((member) => h("button", { type: "button", title: member.name || member.path, onclick: () => state.go({ ...state.blank, view: "search", record: member.id, open: member.id }) },
    h("img", { src: api.thumbnail(member.id), alt: (member.name || member.path).split(/[\\/]/).pop(), loading: "lazy" }), h("span", {}, `${member.width} × ${member.height}`))));
}

// Where in a picture the words of the query are: a map laid over the picture, and words for who does not see it.
import { h, icon, toast, announce } from "./dom.js";
import * as i18n from "./i18n.js";
import * as api from "./api.js";
import { reason } from "./messages.js";

const { t } = i18n;

// placeButton is a toggle that lays the map of text over the image in a place that picture() gives. note() is where the
// words go. {id, text, picture, note, shown}
export function placeButton({ id, text, picture, note, shown }) {
  let overlay = null;
  const button = h("button.button", { type: "button", "aria-pressed": "false", onclick: toggle }, icon("target"), t("where_is_it"));

  function clear() {
    overlay?.remove();
    overlay = null;
    button.setAttribute("aria-pressed", "false");
    note().replaceChildren();
  }

  async function toggle() {
    if (overlay) return clear();
    overlay = h("img.map", { alt: "", src: api.mapPicture(id, text) });
    const mine = overlay;
    button.setAttribute("aria-pressed", "true");
    picture().append(overlay);
    try {
      const found = await api.map(id, text);
      if (overlay !== mine || !shown()) return;
      const words = t("where_found", { text: found.clauses.join("; "), place: t(`place_${found.place}`) });
      overlay.alt = words;
      note().replaceChildren(h("p.note", {}, words));
      announce(words);
    } catch (error) {
      if (overlay !== mine) return;
      clear();
      toast(reason(error));
    }
  }
  return button;
}

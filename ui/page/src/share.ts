import { Problem } from "./api";
import { notices, reason } from "./parts";
import { session } from "./session.svelte.ts";
import { lang } from "./words";

const prefix = "#share=";

/** isLinked says whether the address is a link to a collection. */
export const isLinked = (): boolean => location.hash.startsWith(prefix);

/** takeLink takes the secret of a link to a collection out of the address, so that it is not kept in the browser's history. */
function takeLink(): string {
  if (!isLinked()) return "";
  const secret = location.hash.slice(prefix.length); // as it was made: nothing in it is escaped
  history.replaceState(history.state, "", location.pathname + location.search);
  return secret;
}

/** followLinks lets in who comes by a link to a collection, now and later. The session is known by then. */
export async function followLinks(): Promise<void> {
  addEventListener("hashchange", () => void follow());
  await follow();
}

async function follow(): Promise<void> {
  const secret = takeLink();
  if (!secret) return;
  try {
    if (!(await session.enter(secret))) notices.toast(lang.t.visit.signedIn);
  } catch (error) {
    const ended = error instanceof Problem && error.status < 500;
    notices.toast(ended ? lang.t.visit.ended : reason(lang.t, error));
  }
}

// The API key, which lives in this tab alone and goes out in a header alone, never in an address.

const PLACE = "phone_bridge.key";

export const key = {
  get: () => sessionStorage.getItem(PLACE) ?? "",
  set: (text) => (text ? sessionStorage.setItem(PLACE, text) : sessionStorage.removeItem(PLACE)),
};

export function ask(path, options = {}) {
  const shown = key.get();
  const headers = { ...options.headers, ...(shown ? { Authorization: `Bearer ${shown}` } : {}) };
  return fetch(path, { cache: "no-store", credentials: "omit", ...options, headers });
}

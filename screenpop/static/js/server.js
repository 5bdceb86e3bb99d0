// Questions to our own API, for the page's modules.

/** Ask: {status, ok, data}. Status 0 means that the service could not be reached; `data` is null where there is no JSON. */
export async function ask(method, path, body) {
  const headers = { Accept: "application/json" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  try {
    const answer = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body), keepalive: method !== "GET" });
    const json = (answer.headers.get("Content-Type") ?? "").includes("json");
    return { status: answer.status, ok: answer.ok, data: json ? await answer.json() : null };
  } catch (error) {
    if (!(error instanceof TypeError)) throw error; // what fetch throws when there is no answer
    return { status: 0, ok: false, data: null };
  }
}

let desk = null; // the question that is under way

/** How one's own desk stands, `GET /api/desk`. Modules that ask at the same time share the answer. */
export function askDesk() {
  desk ??= ask("GET", "/api/desk").finally(() => { desk = null; });
  return desk;
}

/** The path of a call below the API: its key has a colon, and may have more. */
export const callPath = (call, rest = "") => `/api/calls/${encodeURIComponent(call)}${rest}`;

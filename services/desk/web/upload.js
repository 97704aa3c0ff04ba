/** Sending a file and hearing how far it has come, which `fetch` does not tell. */

/**
 * Posts `file`; the answer is `{status, body}` whatever its status, with `body` as JSON, empty if it is none.
 * `progress` is told a share from 0 to 1; `signal` gives up. Rejects only where there is no answer.
 */
export function upload(url, file, { headers = {}, progress = () => {}, signal = null, XMLHttpRequest = globalThis.XMLHttpRequest } = {}) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", url);
    request.responseType = "json";
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.addEventListener("progress", ({ loaded, total }) => progress(total > 0 ? loaded / total : 0));
    request.addEventListener("load", () => resolve({ status: request.status, body: request.response ?? {} }));
    request.addEventListener("error", () => reject(new Error("no answer")));
    request.addEventListener("abort", () => reject(new Error("given up")));
    signal?.addEventListener("abort", () => request.abort());
    request.send(file);
  });
}

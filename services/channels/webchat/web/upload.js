/** One file on its way to the server, with progress and a way to stop it. `fetch` cannot tell upload progress yet. */

/**
 * @param {{url: string, token: string|null}} target
 * @param {File} file
 * @param {(share: number) => void} onProgress  0 … 1
 * @returns {{done: Promise<{id: string, url: string, name: string, type: string, size: number}>, cancel: () => void}}
 *          `done` rejects with an UploadError
 */
export function upload(target, file, onProgress) {
  const request = new XMLHttpRequest();
  const done = new Promise((resolve, reject) => {
    const url = new URL(target.url);
    url.searchParams.set("name", file.name);
    request.open("POST", url.href);
    request.responseType = "json";
    request.setRequestHeader("Content-Type", file.type || "application/octet-stream");
    if (target.token) request.setRequestHeader("Authorization", `Bearer ${target.token}`);
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable && event.total > 0) onProgress(event.loaded / event.total);
    });
    request.addEventListener("load", () => {
      if (request.status === 201 && request.response?.id) resolve(request.response);
      else reject(new UploadError(reasonOf(request.status)));
    });
    request.addEventListener("error", () => reject(new UploadError("upload_failed")));
    request.addEventListener("abort", () => reject(new UploadError("cancelled")));
  });
  request.send(file);
  return { done, cancel: () => request.abort() };
}

/** `code` is one of the codes the strings know. */
export class UploadError extends Error {
  constructor(code) {
    super(code);
    this.code = code;
  }
}

function reasonOf(status) {
  if (status === 413) return "file_too_large";
  if (status === 415) return "file_type";
  if (status === 429) return "rate_limited";
  return "upload_failed";
}

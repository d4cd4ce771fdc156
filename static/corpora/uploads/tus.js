// Sends a file by the tus protocol. `events`: found(id), progress(sent), interrupted(), done(), failed(text).
import { problem } from "./figures.js";

const CHUNK_BYTES = 16 * 1024 * 1024;
const LONG_WAIT_MS = 20000;
const RETRIES = 200;
const GONE = new Set([404, 410]);
const WORTH_ANOTHER_TRY = new Set([0, 408, 409, 423, 429]);

export class TusSender {
  constructor(file, site, events) {
    this.events = events;
    this.upload = new tus.Upload(file, {
      endpoint: site.endpoint,
      headers: { "X-CSRFToken": site.token },
      metadata: { filename: file.name, ...(site.dataset ? { dataset: site.dataset } : {}) },
      chunkSize: CHUNK_BYTES,
      retryDelays: [0, 1000, 3000, 5000, 10000, ...Array(RETRIES).fill(LONG_WAIT_MS)],
      removeFingerprintOnSuccess: true,
      // Retry even if the browser reports that it is offline: the connection may return at any time.
      onShouldRetry: (error) => {
        const code = error.originalResponse?.getStatus() ?? 0;
        const again = WORTH_ANOTHER_TRY.has(code) || code >= 500;
        if (again) events.interrupted();
        return again;
      },
      onUploadUrlAvailable: () => events.found(this.upload.url.split("/").at(-2)),
      onProgress: (sent) => events.progress(sent),
      onSuccess: () => events.done(),
      onError: (error) => events.failed(problem(error.originalResponse?.getBody())),
    });
  }

  async start() {
    if (!this.upload.url) {
      const [previous] = await this.upload.findPreviousUploads();
      if (previous) this.upload.resumeFromPreviousUpload(previous);
    }
    this.upload.start();
  }

  pause() {
    return this.upload.abort();
  }

  // The connection is back, so do not wait for the next retry.
  async wake() {
    await this.pause();
    this.upload.start();
  }

  // Cancel on the server, where it may already be gone, and forget the stored upload URL.
  async cancel() {
    try {
      await this.upload.abort(true);
    } catch (error) {
      if (!GONE.has(error.originalResponse?.getStatus())) throw error;
    }
  }
}

import { cancelJob, followJob, jobs, startJob, status, upload, type Job, type Status } from "../api";
import { notices, reason } from "../parts";
import { lang } from "../words";

const shownJobs = 5;

export const isRunning = (job: Job): boolean => job.state === "queued" || job.state === "running";

/** What the library page shows: the server's figures, its jobs, and uploads. */
export class Library {
  status = $state.raw<Status | null>(null);
  jobs = $state.raw<Job[]>([]);
  roots = $state.raw<string[]>([]);
  error = $state.raw<unknown>(null);
  /** Counts up when something was added, so that what depends on it is asked for again. */
  changes = $state(0);
  uploading = $state.raw<{ done: number; count: number } | null>(null);
  refused = $state.raw<string[]>([]);
  #controller = new AbortController();
  #followed = new Set<string>();

  async refresh(): Promise<void> {
    try {
      const list = await jobs(); // first, so that what a job that has just ended did is in what follows
      this.roots = list.roots;
      this.jobs = list.jobs.slice(0, shownJobs);
      this.status = await status();
      this.error = null;
      this.changes += 1;
      for (const job of this.jobs) if (isRunning(job)) void this.#follow(job.id);
    } catch (error) {
      this.error = error;
    }
  }

  async start(path: string): Promise<void> {
    await this.#try(() => startJob(path ? { paths: [path] } : {}));
    await this.refresh();
  }

  async stopJob(id: string): Promise<void> {
    await this.#try(() => cancelJob(id));
  }

  async upload(files: File[]): Promise<void> {
    let added = 0;
    const refused: string[] = [];
    for (const [done, file] of files.entries()) {
      this.uploading = { done, count: files.length };
      try {
        await upload(file);
        added += 1;
      } catch (error) {
        refused.push(`${file.name}: ${reason(lang.t, error)}`);
      }
    }
    this.uploading = null;
    this.refused = refused;
    if (added) notices.toast(lang.t.uploaded(added));
    await this.refresh();
  }

  /** close ends what follows jobs. */
  close(): void {
    this.#controller.abort();
  }

  async #follow(id: string): Promise<void> {
    if (this.#followed.has(id)) return;
    this.#followed.add(id);
    const { signal } = this.#controller;
    let last: Job["state"] = "failed";
    try {
      await followJob(id, signal, (job) => {
        last = job.state;
        this.jobs = this.jobs.map((each) => (each.id === id ? job : each));
      });
    } catch {
      // The page was left, or the server stopped: the next visit shows what it says then.
    }
    this.#followed.delete(id);
    if (signal.aborted) return;
    notices.announce(lang.t.job(lang.t.jobStates[last]));
    await this.refresh();
  }

  async #try(action: () => Promise<unknown>): Promise<void> {
    try {
      await action();
    } catch (error) {
      notices.toast(reason(lang.t, error));
    }
  }
}

import { untrack } from "svelte";
import { cancelJob, jobs, startJob, type Job, type JobRequest } from "../api";
import { notices, reason } from "../parts";
import { session } from "../session.svelte.ts";
import { lang } from "../words";

const busy = 1000; // milliseconds between two looks at jobs, while one runs
const idle = 10000;

export const isRunning = (job: Job): boolean => job.state === "queued" || job.state === "running";

/** The jobs of the server, followed on every page. */
class Work {
  list = $state.raw<Job[]>([]);
  roots = $state.raw<string[]>([]);
  /** Counts up when a job has ended, so that what depends on the library's contents is asked for again. */
  changes = $state(0);
  #timer: ReturnType<typeof setTimeout> | undefined;
  #running = new Set<string>();
  #stopping = $state.raw<ReadonlySet<string>>(new Set());

  readonly running = $derived(this.list.filter(isRunning));

  /** follow looks at the jobs now and then, oftener while one runs, and not while nobody sees the page. */
  follow(): () => void {
    const seen = () => void (document.visibilityState === "visible" && this.look());
    document.addEventListener("visibilitychange", seen);
    untrack(() => void this.look());
    return () => {
      document.removeEventListener("visibilitychange", seen);
      clearTimeout(this.#timer);
    };
  }

  async look(): Promise<void> {
    clearTimeout(this.#timer);
    try {
      if (!session.needsToken) this.#take(await jobs());
    } catch {
      // The page says elsewhere that the server is gone, and when it is back.
    }
    if (document.visibilityState !== "visible") return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.look(), this.running.length ? busy : idle);
  }

  async start(asked: Partial<JobRequest>): Promise<boolean> {
    try {
      await startJob(asked);
      await this.look();
      return true;
    } catch (error) {
      notices.toast(reason(lang.t, error));
      return false;
    }
  }

  async stop(id: string): Promise<void> {
    this.#stopping = new Set([...this.#stopping, id]);
    try {
      await cancelJob(id);
    } catch (error) {
      notices.toast(reason(lang.t, error));
    }
    await this.look();
  }

  /** Whether somebody pressed Stop, and the job has not ended yet. */
  isStopping(id: string): boolean {
    return this.#stopping.has(id);
  }

  #take(answer: { jobs: Job[]; roots: string[] }): void {
    this.list = answer.jobs;
    this.roots = answer.roots;
    const now = new Set(this.running.map(({ id }) => id));
    const ended = [...this.#running].filter((id) => !now.has(id));
    this.#running = now;
    if (!ended.length) return;
    this.changes += 1;
    for (const job of answer.jobs.filter(({ id }) => ended.includes(id)))
      notices.announce(lang.t.job(lang.t.jobKinds[job.kind], lang.t.jobStates[job.state]));
  }
}

export const work = new Work();

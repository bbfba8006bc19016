import { Problem, session as fetchSession, signIn, signOut, type Session as Answer } from "./api";

/** Who asks, and what they may do. Until the server has answered, nothing may be changed. */
class Session {
  #answer = $state.raw<Answer | null>(null);
  #failed = $state.raw<unknown>(null);
  #refused = $state(false);

  /** Whether the server asks for a token. */
  get needsToken(): boolean {
    return this.#refused || (this.#answer !== null && this.#answer.scopes.length === 0);
  }
  /** Why the server could not be asked. */
  get failed(): unknown {
    return this.#failed;
  }
  get mayWrite(): boolean {
    return this.#may("write");
  }
  get mayAdmin(): boolean {
    return this.#may("admin");
  }
  /** What a visitor is shown, who came by a link to a collection; null for everyone else. */
  get visit(): Answer["share"] | null {
    return this.#answer?.share ?? null;
  }
  /** Whether files themselves may be fetched. */
  get mayOpen(): boolean {
    return !this.visit || this.visit.shows.includes("originals");
  }
  /** Whether links to collections can be made. */
  get mayShare(): boolean {
    return this.mayWrite && this.#answer?.authentication === "token";
  }
  get maySignOut(): boolean {
    return this.#answer?.authentication === "token" && this.#answer.scopes.length > 0;
  }

  /** start asks the server who asks, and what they may do. */
  async start(): Promise<void> {
    await this.#take(fetchSession);
  }
  async signIn(token: string): Promise<void> {
    const answer = await signIn(token);
    this.#refused = false;
    this.#answer = answer;
  }
  /** enter signs in with the secret of a link to a collection, but for those who see everything anyway. It tells whether it did. */
  async enter(secret: string): Promise<boolean> {
    if (this.#answer?.scopes.includes("read")) return false;
    await this.signIn(secret);
    return true;
  }
  async signOut(): Promise<void> {
    await signOut();
    await this.start();
  }

  #may(scope: Answer["scopes"][number]): boolean {
    return !this.#answer?.read_only && (this.#answer?.scopes.includes(scope) ?? false);
  }

  async #take(ask: () => Promise<Answer>): Promise<void> {
    try {
      this.#answer = await ask();
      this.#failed = null;
      this.#refused = false;
    } catch (error) {
      this.#refused = error instanceof Problem && error.status === 401;
      this.#failed = this.#refused ? null : error;
    }
  }
}

export const session = new Session();

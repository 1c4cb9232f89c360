import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { describeProcess, isAlive } from "../../../bin/lock";
import { writeAtomically } from "../../../src/lib/files";
import { waitFor } from "../../../src/lib/retry";

/** What a process noted before it began to make something. */
interface Note {
  /** The process, as `describeProcess` writes it. */
  readonly holder: string;
  /** Milliseconds since 1970, by this machine's clock. */
  readonly since: number;
  /** The engine's id of what was made; absent as long as that isn't known. */
  readonly id?: string;
}

/** What exists under the name that is to be made. */
export interface Existing {
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly created: number;
  /** It has never been used: whatever it is, nothing is lost with it. */
  readonly unused: boolean;
}

/** Milliseconds that Pulumi's engine has for writing down what it was told of a creation. */
const writingMs = 10_000;

/**
 * Notes, one file a resource, of what is being made at this moment. When Pulumi is killed while a container is made,
 * its state doesn't know the container, and the next update would fail because the name is taken. A note from a
 * process that is gone tells that what holds the name is the rest of that creation, and may be removed; anything
 * else that holds it is somebody's. A label would be seen in `docker inspect`, and official plugins set none.
 */
export class Unfinished {
  /** Those that Pulumi was told of just now. */
  private readonly toldOf = new Set<string>();

  constructor(private readonly folder: string) {}

  /** To be called before the thing is made. */
  begin(urn: string): void {
    this.write(urn, { holder: describeProcess(process.pid), since: Date.now() });
  }

  /** It is there, but not yet all that it shall be, or Pulumi doesn't know of it yet. */
  made(urn: string, id: string): void {
    const note = this.read(urn);
    if (note !== undefined) this.write(urn, { ...note, id });
  }

  /** Pulumi is being told. It may be killed before it has written that down: the note outlives this by a little. */
  told(urn: string): void {
    this.toldOf.add(urn);
    setTimeout(() => {
      try {
        this.forget(urn);
      } catch {
        // Nobody is there to be told, and an error here would end the plugin; Pulumi's next look forgets it, too.
      }
    }, writingMs).unref();
  }

  /** Pulumi has it in its state. */
  isStored(urn: string, id: string): void {
    if (this.read(urn)?.id === id) this.forget(urn);
  }

  /** Nothing of it is left, or Pulumi knows it. */
  forget(urn: string): void {
    this.toldOf.delete(urn);
    fs.rmSync(this.file(urn), { force: true });
  }

  /** Pulumi ends in good order: it has written down all that it was told. */
  end(): void {
    for (const urn of this.toldOf) this.forget(urn);
  }

  /** Whether what holds the name is the rest of a creation of this resource that nobody is at any more. */
  async isRestOf(urn: string, existing: Existing): Promise<boolean> {
    const note = this.read(urn);
    if (note === undefined || !(await hasEnded(note.holder))) return false;
    if (note.id !== undefined) return note.id === existing.id;
    return existing.unused && existing.created >= note.since;
  }

  private read(urn: string): Note | undefined {
    try {
      return JSON.parse(fs.readFileSync(this.file(urn), "utf8"));
    } catch {
      return undefined;
    }
  }

  private write(urn: string, note: Note): void {
    // In one step: a half-written note says nothing.
    writeAtomically(this.file(urn), JSON.stringify(note));
  }

  private file(urn: string): string {
    return path.join(this.folder, createHash("sha256").update(urn).digest("hex").slice(0, 32));
  }
}

/** A plugin outlives a killed Pulumi by a moment. */
async function hasEnded(holder: string): Promise<boolean> {
  try {
    return await waitFor(() => !isAlive(holder), { what: `end of ${holder}`, timeoutMs: 3000 });
  } catch {
    return false;
  }
}

/** Making something that has a name of its own. */
interface Making {
  readonly urn: string;
  /** What holds the name already, if anything does. */
  readonly find: () => Promise<Existing | undefined>;
  readonly remove: (id: string) => Promise<unknown>;
  /** Makes it, and returns its id. */
  readonly make: () => Promise<string>;
}

/** Makes it; the rest of an earlier creation that was cut short goes first. */
export async function makeNamed(unfinished: Unfinished, making: Making): Promise<string> {
  const { urn } = making;
  const existing = await making.find();
  if (existing !== undefined && (await unfinished.isRestOf(urn, existing))) await making.remove(existing.id);
  unfinished.begin(urn);
  try {
    const id = await making.make();
    unfinished.made(urn, id);
    return id;
  } catch (error) {
    unfinished.forget(urn);
    throw error;
  }
}

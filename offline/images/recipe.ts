import type { RunOptions, RunResult } from "../../src/lib/process";

/** Images that others stand on. They are shared, so their layers are on disk once. */
export type BaseName = "base" | "java" | "kafka-libs" | "node";

/** Programs of the host that a recipe may need; ./tools.ts knows the Debian package of each. */
export type HostTool = "apt-get" | "debootstrap" | "dpkg" | "go" | "java" | "mvn" | "npm" | "python3";

/**
 * How one image is made from what package registries serve.
 *
 * `folder` holds a `Dockerfile` and whatever it copies; it is the build context. It begins with
 *
 *     ARG BASE
 *     FROM $BASE
 *
 * (`FROM scratch` in a recipe without `from`). Nothing may be downloaded by a RUN line: a build container may
 * have no network. What comes from a registry is put into the context by `prepare`, on the host.
 * The classic builder must do: no `COPY --chmod`, no `RUN --mount`, no here-documents.
 */
export interface Recipe {
  /** The image becomes `cdc-local/<name>:<hash>`. */
  readonly name: string;
  /** The image that it stands on; its hash is part of this one's. */
  readonly from?: BaseName;
  /** Absolute path of the recipe's folder. Every file in it counts for the hash. */
  readonly folder: string;
  /** What is downloaded, by name and pinned version. Counts for the hash. */
  readonly versions: Readonly<Record<string, string>>;
  /** Files or folders elsewhere in the project that end up in the image, absolute. They count for the hash. */
  readonly inputs?: readonly string[];
  /** What `prepare` needs on the host; checked, and installed where possible, before anything is built. */
  readonly tools?: readonly HostTool[];
  /** Downloads and compiles on the host; puts the results into `stage.dir`. */
  readonly prepare?: (stage: Stage) => Promise<void>;
}

/** Where and with what a recipe is prepared. */
export interface Stage {
  /** The build context: an own, empty-at-first folder into which the recipe's folder was copied. */
  readonly dir: string;
  /** Kept between builds, shared by all recipes and checkouts: what clients have downloaded. */
  readonly downloads: string;
  /** Debian's and Docker's name of the machine's architecture. */
  readonly arch: "amd64" | "arm64";
  /** Tells the user what is being done, e.g. "PostgreSQL 16.14 from PyPI". */
  readonly step: (text: string) => void;
  /** Runs a program of the host; its output goes to the build's log file. */
  readonly run: (command: string, args: readonly string[], options?: RunOptions) => Promise<RunResult>;
}

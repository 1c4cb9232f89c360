import * as fs from "node:fs";
import * as path from "node:path";
import Docker from "dockerode";
import type { TestProject } from "vitest/node";
import { serviceNames } from "../../src/images";
import { inState } from "../../src/lib/paths";
import { type Checkout, checkoutIn, copyCheckout, newFolder } from "../support/checkout";
import { clients, stackEnv } from "../support/clients";

declare module "vitest" {
  interface ProvidedContext {
    /** Folder of the checkout whose stack the end-to-end tests bring up. */
    e2eFolder: string;
    /** Its stack was left up by an earlier run with --keep. */
    e2eKept: boolean;
    /** When this run began, milliseconds since 1970. */
    e2eStartedAt: number;
    /** Names of the volumes that were on the machine before: containers have some without a name of their own, too. */
    e2eVolumesBefore: string[];
  }
}

/** Notes the folder of the tests' stack, from before it is brought up: a run that is killed leaves it behind too. */
const keptFile = () => inState("e2e-kept");

/** With --keep the stack stays up, and the next run with --keep goes on with it. */
const keep = process.env.CDC_E2E_KEEP === "1";

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const startedAt = Date.now();
  const kept = readKept();
  if (kept && !keep) await takeDown(kept);
  const goesOn = kept !== undefined && keep;
  if (!goesOn) await refuseToCollide();
  const folder = goesOn ? kept : newFolder();
  await copyCheckout(folder);
  fs.mkdirSync(path.dirname(keptFile()), { recursive: true });
  fs.writeFileSync(keptFile(), folder);
  if (goesOn) await makeReady(checkoutIn(folder));
  project.provide("e2eFolder", folder);
  project.provide("e2eKept", goesOn);
  project.provide("e2eStartedAt", startedAt);
  const { Volumes } = await new Docker().listVolumes();
  project.provide(
    "e2eVolumesBefore",
    (Volumes ?? []).map(({ Name }) => Name),
  );
  return async () => {
    if (!keep) await takeDown(folder);
  };
}

function readKept(): string | undefined {
  try {
    const folder = fs.readFileSync(keptFile(), "utf8").trim();
    return fs.existsSync(folder) ? folder : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Brings a stack that was kept to what the settings say, which are those of this checkout again, and takes away the
 * table that a chapter adds to them. What an earlier run that was cut short has stopped is started again.
 */
async function makeReady(checkout: Checkout): Promise<void> {
  console.log(`going on with the stack that was kept, in ${checkout.folder}`);
  const { code, stdout, stderr } = await checkout.cdc(["up", "--refresh"], { timeoutMs: 14 * 60_000 });
  if (code !== 0)
    throw new Error(
      `the stack that was kept, in ${checkout.folder}, could not be brought up; without --keep the tests take it down ` +
        `and begin anew\n${stdout}${stderr}`,
    );
  const { postgres } = clients(await stackEnv(checkout));
  await postgres("DROP TABLE IF EXISTS inventory.suppliers");
}

async function takeDown(folder: string): Promise<void> {
  const { code, stdout, stderr } = await checkoutIn(folder).cdc(["down", "--yes"]);
  if (code !== 0)
    throw new Error(`the stack of the tests, in ${folder}, could not be taken down\n${stdout}${stderr}`);
  fs.rmSync(folder, { recursive: true, force: true });
  fs.rmSync(keptFile(), { force: true });
}

/** There can be one stack on a machine: its containers have the services' names, and publish fixed ports. */
async function refuseToCollide(): Promise<void> {
  const containers = await new Docker().listContainers({ all: true });
  const taken = containers.flatMap(({ Names }) => Names.map((name) => name.slice(1)));
  const ours = taken.filter((name) => (serviceNames as readonly string[]).includes(name));
  if (ours.length > 0)
    throw new Error(
      `containers of a stack are on this machine already (${ours.join(", ")}), and the tests bring up one of their own; ` +
        "take that one down first: npx cdc down",
    );
}

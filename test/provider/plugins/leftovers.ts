import type Docker from "dockerode";

const prefix = "cdc-test-plugins";

/** Names of this run begin so: with the process, so that the next run can tell what a killed one has left. */
export const ours = `${prefix}-${process.pid}`;

/** Removes what this run has made, and what is left of runs whose process is gone. */
export async function removeLeftovers(docker: Docker): Promise<void> {
  const filters = { name: [prefix] };
  const containers = await docker.listContainers({ all: true, filters });
  const doomed = containers.filter(({ Names }) => isDoomed(Names[0]?.slice(1)));
  await Promise.all(doomed.map(({ Id }) => docker.getContainer(Id).remove({ force: true, v: true })));
  const networks = await docker.listNetworks({ filters });
  await Promise.all(
    networks.filter(({ Name }) => isDoomed(Name)).map(({ Id }) => docker.getNetwork(Id).remove()),
  );
  const { Volumes: volumes } = await docker.listVolumes({ filters });
  await Promise.all(
    volumes.filter(({ Name }) => isDoomed(Name)).map(({ Name }) => docker.getVolume(Name).remove()),
  );
}

function isDoomed(name = ""): boolean {
  const pid = Number(new RegExp(`^${prefix}-(\\d+)`).exec(name)?.[1]);
  return pid === process.pid || !isRunning(pid);
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

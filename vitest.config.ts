import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** By name: the files of the end-to-end tests are chapters of one story on one stack. */
class ByName extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return [...files].sort((a, b) => a.moduleId.localeCompare(b.moduleId, "en"));
  }
}

const minutes = 60_000;

/** What runs without an engine must not find one by chance on the machine of whoever wrote it. */
const noEngine = { DOCKER_HOST: "unix:///no-engine-in-these-tests.sock" };

/** Real servers: one test file at a time, so that a small machine has memory for them. */
const oneAfterTheOther = { forks: { singleFork: true } };

/** The tiers of tests, from fast to real; test/run.ts runs them in this order. */
export default defineConfig({
  test: {
    sequence: { sequencer: ByName },
    projects: [
      { test: { name: "unit", include: ["test/unit/**/*.test.ts"], env: noEngine } },
      {
        test: {
          name: "component",
          include: ["test/component/**/*.test.ts"],
          env: noEngine,
          testTimeout: 20_000,
        },
      },
      {
        test: {
          name: "provider",
          include: ["test/provider/**/*.test.ts"],
          globalSetup: "test/support/servers-setup.ts",
          testTimeout: 2 * minutes,
          // The first that asks for a server pulls its image, where that is an official one.
          hookTimeout: 10 * minutes,
          poolOptions: oneAfterTheOther,
        },
      },
      {
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          globalSetup: "test/e2e/setup.ts",
          testTimeout: 3 * minutes,
          hookTimeout: 10 * minutes,
          poolOptions: oneAfterTheOther,
        },
      },
    ],
  },
});

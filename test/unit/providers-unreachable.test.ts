import { expect, test, vi } from "vitest";
import { UnreachableError } from "../../src/lib/unreachable";
import { withDefaults } from "../../src/providers/check";
import { driftIfUnreachable, goneIfManaged } from "../../src/providers/unreachable";

const away = () => Promise.reject(new UnreachableError("Kafka at a:1: no answer"));
const removal = { what: "topic t", gone: "Kafka is away; it goes with it", left: "It still holds topic t" };

test("to a refresh, a server that does not answer is drift; what it says is not", async () => {
  expect(await driftIfUnreachable("t", { topic: "t", drift: [] }, away)).toEqual({
    id: "t",
    props: { topic: "t", drift: ["Kafka at a:1: no answer"] },
  });
  const refused = driftIfUnreachable("t", {}, () => Promise.reject(new Error("no such role")));
  await expect(refused).rejects.toThrow("no such role");
});

test("what lives on a server of ours that is away is gone; on another it is an error with the way out", async () => {
  const log = vi.spyOn(console, "log").mockImplementation(() => {});
  await goneIfManaged({ ...removal, managed: true }, away);
  expect(log).toHaveBeenCalledWith("topic t: Kafka is away; it goes with it");
  log.mockRestore();
  await expect(goneIfManaged({ ...removal, managed: false }, away)).rejects.toThrow(
    "Kafka at a:1: no answer\nIt still holds topic t. Start it and run this again; if it is gone for good, run: " +
      "pulumi state delete <URN of this resource>",
  );
  const refused = goneIfManaged({ ...removal, managed: true }, () => Promise.reject(new Error("in use")));
  await expect(refused).rejects.toThrow("in use");
});

test("what is left out, or null, has its default", () => {
  expect(withDefaults({ a: 1, b: null, c: undefined, d: "" }, { b: 2, c: 3, d: 4 })).toEqual({
    a: 1,
    b: 2,
    c: 3,
    d: "",
  });
});

import { expect, test } from "vitest";
import { filled } from "../../src/lib/template";

test("a template is filled in, and says which word nothing is known for", () => {
  expect(filled("<a>{{ONE}}</a>{{ONE}} {{…}}", { ONE: "1", TWO: "2" }, "a.xml")).toBe("<a>1</a>1 {{…}}");
  expect(() => filled("{{ONE}}{{TWO}}", { ONE: "1" }, "src/a.xml")).toThrow(
    "src/a.xml: nothing is known for {{TWO}}",
  );
});

import lodging from "../../../kb/starter/tables/lodging.yaml?raw";
import { expect, test } from "vitest";
import { LODGING, travelDays } from "../src/model/standards";

test.each(Object.entries(LODGING))("the form's lodging limit of %s is the published one", (city, limit) => {
  expect(lodging).toContain(`{city: ${city}, level: 其他人员, season: 平季, value: ${limit}}`);
});

test("the day of leaving and the day of coming back both count", () => {
  expect(travelDays("2026-11-12", "2026-11-14")).toBe(3);
  expect(travelDays("2026-11-12", "2026-11-12")).toBe(1);
  expect(travelDays("2026-11-14", "2026-11-12")).toBe(0);
});

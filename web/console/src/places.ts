import type { RouteLocationRaw } from "vue-router";

/** Where an entry is read: a passage (`travel@2026.1#3.2`) at its article of the policy. */
export function placeOfEntry(id: string): RouteLocationRaw {
  const [policy = "", part] = id.split("#");
  if (part === undefined) return { name: "entry", params: { id } };
  return { name: "policies", params: { id: policy.split("@")[0] }, hash: `#article-${parseInt(part, 10)}` };
}

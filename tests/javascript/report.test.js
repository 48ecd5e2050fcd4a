// @vitest-environment happy-dom

import { beforeAll, expect, test } from "vitest";

const ROWS = [
  ["road", "0.9"],
  ["Curb", ""],
  ["mark 10", "0.25"],
  ["mark 9", "0.5"],
];

beforeAll(async () => {
  const rows = ROWS.map(
    ([name, value]) => `<tr><td>${name}</td><td data-value="${value}">x</td></tr>`,
  );
  document.body.innerHTML = `
    <table data-sortable><thead><tr><th>class</th><th>IoU</th></tr></thead>
    <tbody>${rows.join("")}</tbody></table>
    <table id="other"><thead><tr><th>class</th></tr></thead><tbody></tbody></table>
    <section id="part-2"><details><summary>folded</summary></details></section>`;
  location.hash = "#part-2";
  await import("../../wasinn_nb/render/page_files/report.js");
});

const names = () =>
  [...document.querySelectorAll("tbody td:first-child")].map((td) => td.textContent);
const headings = () => [...document.querySelectorAll("[data-sortable] th")];

test("numbers sort by their value, those without one last in both orders", () => {
  const [, iou] = headings();
  iou.querySelector("button").click();
  expect(names()).toEqual(["mark 10", "mark 9", "road", "Curb"]);
  expect(iou.getAttribute("aria-sort")).toBe("ascending");
  iou.querySelector("button").click();
  expect(names()).toEqual(["road", "mark 9", "mark 10", "Curb"]);
  expect(iou.getAttribute("aria-sort")).toBe("descending");
});

test("texts sort as a reader would, and one heading is marked", () => {
  const [name, iou] = headings();
  name.querySelector("button").click();
  expect(names()).toEqual(["Curb", "mark 9", "mark 10", "road"]);
  expect([name, iou].map((one) => one.getAttribute("aria-sort"))).toEqual(["ascending", null]);
});

test("other tables stay as they are, and a link opens what is folded", () => {
  expect(document.querySelectorAll("#other button").length).toBe(0);
  expect(document.querySelector("details").open).toBe(true);
});

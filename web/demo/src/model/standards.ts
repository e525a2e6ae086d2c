/** Lodging limit of 其他人员 in the low season, yuan a night; a copy of a few rows of kb/starter/tables/lodging.yaml. */
export const LODGING: Record<string, number> = {
  北京: 500,
  上海: 500,
  广州: 450,
  深圳: 450,
  杭州: 400,
  南京: 380,
  成都: 370,
  重庆: 370,
  西安: 350,
  武汉: 350,
};

/** Yuan a calendar day; kb/starter/tables/allowance.yaml, 其他地区. */
export const MEALS = 100;
export const LOCAL_TRANSPORT = 80;

/** Calendar days from the day of leaving to the day of coming back, both counted. */
export function travelDays(from: string, to: string): number {
  const days = (Date.parse(to) - Date.parse(from)) / 86_400_000;
  return Number.isFinite(days) && days >= 0 ? Math.round(days) + 1 : 0;
}

import type { Dimension, PolicyTable, TableCell, TableRow } from './api/types'

/** How a table is laid out: one dimension down, one across, the rest chosen by switches. */
export interface Layout {
  rows: Dimension
  columns: Dimension | null
  switches: Dimension[]
}

/** The longest dimension goes down. Of the others a two- or three-valued one named 季 (season) is a switch, the longest goes across. */
export function layoutOf(table: PolicyTable): Layout {
  const byLength = [...table.dimensions].sort((a, b) => b.values.length - a.values.length)
  const [rows, ...others] = byLength
  if (!rows) throw new Error(`table ${table.id} has no dimension`)
  const seasonal = (one: Dimension) => /季|season/i.test(`${one.name}${one.label ?? ''}`)
  const columns = others.find((one) => !seasonal(one)) ?? others[0] ?? null
  return { rows, columns, switches: others.filter((one) => one !== columns) }
}

/** The value at the given coordinates. A row that leaves a dimension out holds for all its values; the most exact row wins. */
export function cellAt(table: PolicyTable, at: Record<string, string>): TableCell {
  let best: TableRow | null = null
  let exactness = -1
  for (const row of table.rows) {
    let exact = 0
    const fits = Object.entries(at).every(([name, value]) => {
      const own = row[name]
      if (own === undefined || own === null || own === '') return true
      exact += 1
      return String(own) === value
    })
    if (fits && exact > exactness) {
      best = row
      exactness = exact
    }
  }
  return best?.value ?? null
}

/** 1200 → 1,200; words stay words; nothing is —. */
export function showCell(value: TableCell): string {
  if (value === null || value === '') return '—'
  return typeof value === 'number' ? value.toLocaleString('zh-CN') : String(value)
}

import type { Message } from "../api/types";
import type { DeskEvent } from "../api/types-desk";
import { parseTime } from "../time";

export type Line = { at: string; message: Message; note?: undefined } | { at: string; note: DeskEvent; message?: undefined };

/** What was said and what was noted, in the order in which it happened. */
export function threadOf(transcript: Message[], events: DeskEvent[]): Line[] {
  const lines: Line[] = [
    ...transcript.map((message): Line => ({ at: message.at, message })),
    ...events.filter((event) => event.kind === "noted").map((note): Line => ({ at: note.at, note })),
  ];
  return lines
    .map((line, index) => ({ line, index, at: parseTime(line.at).getTime() }))
    .sort((a, b) => a.at - b.at || a.index - b.index)
    .map(({ line }) => line);
}

/** What the console speaks about quality. Days are `YYYY-MM-DD`, periods `2026-W47` or `2026-11`. */

import type { Message } from "./types";

export interface Person {
  username: string;
  name: string;
}

export interface Unit {
  id: string;
  name: string;
}

export interface Settings<Body> {
  kind: string;
  label: string;
  version: number;
  body: Body;
  history: { version: number; author: Person | null; at: string; body: Body }[];
}

export type Side = "low" | "high";
export type Reasons = Record<string, string[]>;

export interface SatisfactionRules {
  remind_after_hours: number;
  expires_days: number;
  low_score: number;
  review_days: number;
  reasons: Record<Side, Reasons>;
}

export interface ReasonClass {
  class: string;
  count: number;
  reasons: { text: string; count: number }[];
}

export interface SatisfactionReport {
  asked: number;
  rated: number;
  mean: number | null;
  satisfied: number | null;
  by_score: { score: number; label: string; count: number }[];
  reasons: Record<Side, ReasonClass[]>;
  by_week: { week: string; mean: number; rated: number }[];
  by_group: { group: string | null; name: string; mean: number; rated: number }[];
  groups: Unit[];
}

export interface Rating {
  id: number;
  ticket: string;
  resolution: number;
  agent: Person | null;
  group: Unit | null;
  score: number;
  reasons: string[];
  words: string;
  rated_at: string | null;
}

export type ReviewState = "open" | "overdue" | "closed" | "all";

export interface Review {
  id: number;
  ticket: string;
  opened_at: string;
  due_at: string;
  overdue: boolean;
  closed_at: string | null;
  closed_by: Person | null;
  cause: string | null;
  finding: string;
  action: string;
  rating: Rating;
  may_close: boolean;
}

export interface ReviewPage {
  items: Review[];
  total: number;
  counts: Record<ReviewState, number>;
  causes: string[];
}

export interface RubricItem {
  id: string;
  name: string;
  weight: number;
  guide: string;
}

export interface Rubric {
  pass: number;
  appeal_days: number;
  items: RubricItem[];
  vetoes: { id: string; name: string; guide: string }[];
}

export interface SamplingRules {
  weekly: boolean;
  low_rating: boolean;
  reopened: boolean;
  breached: boolean;
  per_agent: number;
  random: number;
  most: number;
}

export type InspectionState = "waiting" | "scored" | "appealed" | "decided";
export type Points = Record<string, { points: number; comment: string }>;

export interface InspectionRow {
  id: number;
  ticket: string;
  business_type: string;
  agent: Person;
  group: Unit | null;
  rules: { id: string; label: string }[];
  state: InspectionState;
  state_label: string;
  solved_at: string;
  sampled_at: string;
  inspector: Person | null;
  points: Points;
  vetoes: string[];
  total: number | null;
  first_total: number | null;
  comment: string;
  scored_at: string | null;
  appeal_until: string | null;
  appeal: string;
  appealed_at: string | null;
  decision: "upheld" | "changed" | null;
  decision_label: string | null;
  decision_words: string;
  decided_by: Person | null;
  decided_at: string | null;
  may: ("score" | "appeal" | "decide")[];
}

export interface InspectionPage {
  items: InspectionRow[];
  total: number;
  counts: Record<InspectionState | "all", number>;
  states: Record<InspectionState, string>;
}

export interface Inspection extends InspectionRow {
  rubric: Rubric;
  subject: {
    number: string;
    description: string;
    urgency: string;
    document_no: string | null;
    requester_name: string | null;
    company: string | null;
    resolution: string;
    rating: number | null;
    reopenings: number;
    created_at: string;
    first_response_at: string | null;
    resolved_at: string | null;
    transcript: Message[];
    events: { id: number; at: string; kind: string; actor: string; actor_name: string; text: string; public: boolean }[];
  };
}

export interface InspectionLine {
  name: string;
  agent?: string;
  group_id?: string | null;
  scored: number;
  mean: number;
  passed: number;
  vetoed: number;
}

export interface InspectionReport {
  drawn: number;
  scored: number;
  appealed: number;
  changed: number;
  mean: number | null;
  passed: number;
  by_agent: InspectionLine[];
  by_group: InspectionLine[];
  by_item: { id: string; name: string; weight: number; mean: number | null }[];
  vetoes: { id: string; name: string; count: number }[];
}

export interface Sample {
  start: string;
  end: string;
  seed: number;
  rules: SamplingRules;
}

export interface Run {
  id: number;
  candidates: number;
  picked: number;
}

export type QuestionKind = "score" | "choice" | "text";

export interface Question {
  id: string;
  kind: QuestionKind;
  text: string;
  options: string[];
  many: boolean;
  required: boolean;
}

export interface Questionnaire {
  title: string;
  intro: string;
  questions: Question[];
}

export interface Whom {
  start: string;
  end: string;
  companies: string[];
  departments: string[];
  business_types: string[];
}

export interface PopulationFound {
  people: number;
  companies: string[];
  departments: string[];
  business_types: string[];
}

export interface SurveyRow extends Questionnaire {
  id: number;
  population: Whom;
  reached: number;
  size: number;
  seed: number;
  state: "draft" | "sending" | "closed";
  state_label: string;
  author: Person;
  created_at: string;
  started_at: string | null;
  expires_at: string;
  drawn: number;
  sent: number;
  answered: number;
}

export type Answer = number | string | string[];

export interface QuestionResult {
  id: string;
  kind: QuestionKind;
  text: string;
  answered: number;
  counts: { option: string; count: number }[];
  mean: number | null;
  words: string[];
}

export interface Survey extends SurveyRow {
  results: QuestionResult[];
  people: {
    employee_no: string;
    name: string;
    company: string | null;
    department: string | null;
    ticket: string;
    sent_at: string | null;
    answered_at: string | null;
    answers: Record<string, Answer> | null;
  }[];
}

export type Figure = "volume" | "timeliness" | "first_contact" | "satisfaction" | "quality";
export type ListName = "reward" | "warning";

export interface ScoreRules {
  weights: Record<Figure, number>;
  least_volume: number;
  reward: { total: number; most: number };
  warning: { total: number; timeliness: number; satisfaction: number; quality: number };
}

export interface ScoreLine {
  rank: number;
  agent: string;
  name: string;
  group: string | null;
  total: number | null;
  scores: Partial<Record<Figure, number>>;
  basis: Record<Figure, string>;
  lists: Partial<Record<ListName, string[]>>;
}

export interface Scoreboard {
  period: string;
  start: string;
  end: string;
  over: boolean;
  now: { week: string; month: string };
  rules: ScoreRules;
  rules_version: number;
  sets_up: boolean;
  definitions: { id: Figure; label: string; means: string }[];
  lists: Record<ListName, string>;
  lines: ScoreLine[];
}

export interface ScoreTicket {
  number: string;
  business_type: string;
  solved_at: string;
  timeliness: boolean | null;
  first_contact: boolean;
  satisfaction: number | null;
  quality: number | null;
}

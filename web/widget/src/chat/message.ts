/** What the chat API says; one type for every kind of message that the gateway sends. */

export interface Option {
  label: string;
  /** Opaque; sent back unchanged. */
  choice: string;
}

export interface Source {
  label: string;
}

export interface SummaryField {
  field: string;
  label: string;
  value: string | null;
  /** The choice that reopens this field, when the server names one. */
  choice?: string;
}

export interface Attachment {
  id: string;
  name: string;
  /** Bytes. */
  size: number;
  mine?: boolean;
}

interface MessageBase {
  id: string;
  seq: number;
  from: "user" | "bot" | "agent";
  /** ISO 8601, UTC. */
  at: string;
  /** Markdown; always there, whatever the type. */
  text: string;
  options?: Option[] | null;
  /** The agent's name: of an agent's message, and of a notice that one talks from now on. */
  agent_name?: string | null;
  /** The ticket that it is about. */
  number?: string | null;
  attachments?: Attachment[] | null;
  /** Of a user's message: the id that the client sent it with. */
  client_message_id?: string | null;
}

export interface TextMessage extends MessageBase {
  type: "text";
}

export interface AnswerMessage extends MessageBase {
  type: "answer";
  entry_id?: string;
  title?: string;
  sources?: Source[];
  /** ISO date. */
  effective_from?: string | null;
  feedback?: { helpful: boolean; reason?: FeedbackReason | null } | null;
}

export interface ChoicesMessage extends MessageBase {
  type: "choices";
}

export interface QuestionMessage extends MessageBase {
  type: "question";
  field?: string;
}

export interface SummaryMessage extends MessageBase {
  type: "summary";
  /** What stands above the card; `text` has the fields as well. */
  heading?: string;
  fields?: SummaryField[];
}

export interface TicketMessage extends MessageBase {
  type: "ticket";
  number: string;
  status: string;
  status_label: string;
  business_type?: string;
  description?: string;
  created_at?: string;
}

/** Who talks from now on, or how a ticket stands. */
export interface NoticeMessage extends MessageBase {
  type: "notice";
}

export interface Satisfaction {
  state: "open" | "rated" | "expired" | "withdrawn";
  score: number | null;
  reasons: string[];
  words: string;
}

export interface RatingMessage extends MessageBase {
  type: "rating";
  number: string;
  /** Scores up to this one are low. */
  low: number;
  /** `class:words` each. */
  reasons: { low: string[]; high: string[] };
  given?: Satisfaction | null;
}

export interface SurveyQuestion {
  id: string;
  kind: "score" | "choice" | "text";
  text: string;
  options: string[];
  many: boolean;
  required: boolean;
}

export type SurveyAnswers = Record<string, number | string | string[]>;

export interface SurveyMessage extends MessageBase {
  type: "survey";
  /** What it is answered under. */
  survey: string;
  questions: SurveyQuestion[];
  /** ISO 8601, UTC. */
  expires_at: string;
  answers?: SurveyAnswers | null;
}

export type Message =
  | TextMessage
  | AnswerMessage
  | ChoicesMessage
  | QuestionMessage
  | SummaryMessage
  | TicketMessage
  | NoticeMessage
  | RatingMessage
  | SurveyMessage;

export type FeedbackReason = "incorrect" | "incomplete" | "outdated" | "unclear" | "impolite" | "other";

/** Where the employee stands; goes with each message. */
export interface PageContext {
  page?: string;
  node?: string;
  document_no?: string;
}

/** What the employee says: typed text, or the choice behind a button. `label` is what their bubble shows. */
export interface Utterance {
  label: string;
  text?: string;
  choice?: string;
}

export interface Suggestions {
  greeting: string;
  items: { entry_id: string; title: string }[];
  page_label?: string | null;
  node_label?: string | null;
}

/** Who talks in a conversation, and how far this person has read it, on whatever device. */
export interface Standing {
  id: string;
  mode: "bot" | "agent";
  /** The ticket that an agent talks about. */
  number: string | null;
  agent: string | null;
  read_seq: number;
  unread: number;
  open_tickets: number;
}

export interface History {
  messages: Message[];
  conversation: Standing;
  /** Where this person goes on; the same conversation, unless something newer was said in another. */
  current: string;
}

export interface SendResult {
  conversation_id: string;
  messages: Message[];
}

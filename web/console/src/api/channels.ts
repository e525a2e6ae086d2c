import { call } from "./transport";

const ROOT = "/api/v1/console/channels";

export interface ChannelField {
  name: string;
  label: string;
  help: string;
  secret: boolean;
  required: boolean;
  placeholder: string;
  /** Always empty for a secret; `set` says whether there is one. */
  value: string;
  set: boolean;
  from_environment: boolean;
}

export interface ChannelState {
  last_in: string | null;
  last_out: string | null;
  waiting_in: number;
  waiting_out: number;
  failed_in: number;
  failed_out: number;
  last_error: string;
}

export interface Channel {
  name: string;
  label: string;
  enabled: boolean;
  connected: boolean;
  problem: string;
  callback_url: string;
  fields: ChannelField[];
  state: ChannelState;
  updated_by: string;
  updated_at: string | null;
}

export interface ChannelValues {
  values: Record<string, string>;
  enabled: boolean;
}

const one = (name: string) => `${ROOT}/${encodeURIComponent(name)}`;

export const channels = {
  list: (signal?: AbortSignal) => call<Channel[]>(ROOT, { signal }),
  save: (name: string, body: ChannelValues) => call<Channel>(one(name), { method: "PUT", body }),
  check: (name: string, body: ChannelValues) =>
    call<{ problems: string[] }>(`${one(name)}/check`, { method: "POST", body }),
};

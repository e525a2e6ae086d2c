import { defineStore } from "pinia";
import { computed, ref } from "vue";

import { session as api } from "../api/client";
import { ApiError } from "../api/transport";
import type { User } from "../api/types";

const ROLE_NAMES: Record<string, string> = {
  admin: "管理员",
  supervisor: "主管",
  leader: "组长",
  agent: "坐席",
  expert: "专家",
  inspector: "质检员",
  auditor: "审计员",
  editor: "知识编辑",
  reviewer: "知识审核",
  publisher: "知识发布",
};

export const useSession = defineStore("session", () => {
  const user = ref<User | null>(null);
  const known = ref(false);
  const unreachable = ref<string | null>(null);

  const roles = computed(() => (user.value?.roles ?? []).map((role) => ROLE_NAMES[role] ?? role).join("、"));

  /** Asks the gateway once who is signed in; a gateway that cannot be reached is told apart from nobody. */
  async function restore(): Promise<void> {
    unreachable.value = null;
    try {
      user.value = (await api.current()).user;
      known.value = true;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      user.value = null;
      if (error.unauthorized) known.value = true;
      else unreachable.value = error.message;
    }
  }

  async function signIn(username: string, password: string): Promise<void> {
    user.value = (await api.open(username, password)).user;
    known.value = true;
  }

  async function signOut(): Promise<void> {
    await api.close();
    forget();
  }

  function forget(): void {
    user.value = null;
    known.value = true;
  }

  return { user, known, unreachable, roles, restore, signIn, signOut, forget };
});

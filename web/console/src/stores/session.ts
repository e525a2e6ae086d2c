import { defineStore } from "pinia";
import { computed, ref } from "vue";

import { session as api } from "../api/client";
import { ApiError } from "../api/transport";
import type { User } from "../api/types";
import { mayAs, roleName } from "../roles";

export const useSession = defineStore("session", () => {
  const user = ref<User | null>(null);
  const known = ref(false);
  const unreachable = ref<string | null>(null);

  const roles = computed(() => (user.value?.roles ?? []).map(roleName).join("、"));

  /** Whether the user holds this role, or is an administrator. */
  const may = (role: string) => mayAs(user.value?.roles ?? [], role);

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

  return { user, known, unreachable, roles, may, restore, signIn, signOut, forget };
});

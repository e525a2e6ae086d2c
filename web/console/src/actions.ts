import { ElMessage } from "element-plus";
import { ref, type Ref } from "vue";

import { ApiError } from "./api/transport";

export interface Acting {
  busy: Ref<boolean>;
  /** Does it, one thing at a time; false when the gateway refused, and then its words were shown. */
  act: (doing: () => Promise<unknown>) => Promise<boolean>;
}

/** What a button sets going: busy while it runs, a refusal shown as a message. */
export function useActing(): Acting {
  const busy = ref(false);

  async function act(doing: () => Promise<unknown>): Promise<boolean> {
    if (busy.value) return false;
    busy.value = true;
    try {
      await doing();
      return true;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (!error.unauthorized) ElMessage.error({ message: error.message, duration: 6000, showClose: true });
      return false;
    } finally {
      busy.value = false;
    }
  }

  return { busy, act };
}

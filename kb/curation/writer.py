"""A language model behind an OpenAI-compatible URL, if one is configured: it drafts, a person decides. It never speaks to an
employee, and what it reads is masked."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import httpx

from core.errors import Unavailable
from core.privacy import mask_people

_TIMEOUT_S = 60.0
_MOST_CHARACTERS = 8000

_DRAFT = (
    "你是企业财务共享中心的知识编辑。根据坐席的回复和制度条款，起草一条知识的答案。只写材料里有的内容，不补充、不猜测；"
    "材料互相矛盾或不够时直接说明缺什么。用简洁的中文 Markdown：先给结论，再列步骤，金额、日期、条款号照抄原文。不写问候语，不出现人名。"
)
_NAME = "下面是员工对同一件事的不同问法。用一句不超过 25 个字的中文问句概括他们想知道什么，只输出这句话。"
_SUMMARY = "把下面这张工单的经过概括成不超过 120 个字的中文：员工要什么、做了什么、结果如何。不出现人名，只输出概括。"


@dataclass(frozen=True)
class Writer:
    """`url` is the base of the API, up to `/v1`; `key` may be empty for a server of one's own."""

    url: str
    key: str
    model: str
    timeout: float = _TIMEOUT_S

    def draft(self, question: str, replies: Sequence[str], passages: Sequence[str]) -> str:
        """An answer in Markdown from these materials. Raises Unavailable."""
        told = [f"问题：{question}", *(f"坐席回复 {n}：{text}" for n, text in enumerate(replies, 1))]
        told += [f"制度条款 {n}：{text}" for n, text in enumerate(passages, 1)]
        return self._ask(_DRAFT, "\n\n".join(told))

    def name(self, questions: Sequence[str]) -> str:
        """One question that says what these ask; at most 60 characters. Raises Unavailable."""
        found = self._ask(_NAME, "\n".join(questions[:30]))
        return next(iter(found.splitlines()), "").strip(' "“”')[:60]

    def summary(self, lines: Sequence[str]) -> str:
        """What became of a ticket, from its conversation and timeline. Raises Unavailable."""
        return self._ask(_SUMMARY, "\n".join(lines))

    def _ask(self, task: str, material: str) -> str:
        messages = [
            {"role": "system", "content": task},
            {"role": "user", "content": mask_people(material[:_MOST_CHARACTERS])},
        ]
        headers = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        try:
            answer = httpx.post(
                f"{self.url.rstrip('/')}/chat/completions",
                json={"model": self.model, "messages": messages, "temperature": 0.2},
                headers=headers,
                timeout=self.timeout,
            )
            answer.raise_for_status()
            return mask_people(str(answer.json()["choices"][0]["message"]["content"])).strip()
        except (httpx.HTTPError, json.JSONDecodeError, KeyError, IndexError, TypeError, ValueError) as error:
            raise Unavailable("大模型暂时不可用，请直接编辑草稿，或稍后再试。", code="writer_unavailable") from error

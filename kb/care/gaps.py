"""Days without an answer: what is answered today, but by its next version only from a later day on."""

from __future__ import annotations

from datetime import date, timedelta


def gap(begins: date | None, stored: tuple[date | None, date | None], today: date) -> str:
    """What to tell whoever lets a version begin on `begins` of an entry that is `stored` with a first and a last day, in
    Chinese; empty where nothing that is answered today goes.

    An approved version takes away at once what it no longer allows, and it allows nothing before its first day.
    """
    was, until = stored
    if begins is None or begins <= today or (was and was > today) or (until and until < today):
        return ""
    return (
        f"这条知识现在有效，改成 {begins} 生效后，一经批准，线上的答案几秒内就会撤下，到 {begins} 之前没有答案。"
        f"要让现在的答案用到那一天：请保留这一条，只把失效日期改为 {begins - timedelta(days=1)}，批准后另建一条写新答案，"
        f"生效日期填 {begins}。"
    )

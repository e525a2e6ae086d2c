"""Insight: what the desk's work comes to, counted by day, for its leaders and the policies' owners.

Facts (a visit, a question, a ticket) are made from the rooms' own records and can be made again from them at any time;
roll-ups are sums of facts. Pages read roll-ups where they hold what is asked, and facts where they do not.
"""

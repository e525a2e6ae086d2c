"""Service level agreements: clocks on business calendars, which follow what happens to a ticket."""

from handoff.clocks.checking import Checked, check
from handoff.clocks.clock import kept, summary
from handoff.clocks.following import follow
from handoff.clocks.timetable import calendar_of, rules_changed

__all__ = ["Checked", "calendar_of", "check", "follow", "kept", "rules_changed", "summary"]

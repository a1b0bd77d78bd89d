import json
from datetime import UTC, datetime
from typing import Any

import pytest

from phone_bridge.call.events import Action, Affected
from phone_bridge.errors import Refused, Unavailable
from phone_bridge.offers import Effect
from phone_bridge.runtime.calendar_toolbox import MOST_AFFECTED, CalendarToolbox
from phone_bridge.runtime.toolbox import CallFacts
from phone_bridge.tools.calendar import CALENDAR_TOOLS, CalendarTools
from phone_bridge.tools.keeper import Event
from tests.clock import run_virtual
from tests.tools.shelf import NOW, Shelf

FACTS = CallFacts(call_id="call_1", user_id="usr_1")

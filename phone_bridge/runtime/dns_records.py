"""Questions to the DNS that the system's own look-up cannot ask: SRV and NAPTR.

It imports dnspython, which takes a quarter of a second; ``sip_names`` does so when the first name has to be looked up.
"""

from typing import Any

import dns.asyncresolver
import dns.exception
import dns.name
import dns.rdtypes.IN.NAPTR
import dns.rdtypes.IN.SRV
import dns.resolver

from phone_bridge.errors import Unavailable
from phone_bridge.legs.sip.dialog import Place
from phone_bridge.legs.sip.locating import Naptr, Question, Record, Srv

TRY_S = 1.0
"""How long one name server may take before the next one is asked."""
ANSWER_S = 2.5
"""How long an answer may take in all: a call waits for it."""
NOTHING_S = 60
"""How long it is believed that there is nothing."""
PAYLOAD_BYTES = 1_232
"""What an answer by UDP may have (DNS flag day 2020); more comes by TCP."""


class Dns:
    """The name servers of the system, as far as they are known at this moment, or ``nameserver``."""

    def __init__(self, nameserver: Place | None = None) -> None:
        """Raises Unavailable ``dns_silent`` where the system names none."""
        try:
            self._resolver = dns.asyncresolver.Resolver(configure=nameserver is None)
        except (dns.resolver.NoResolverConfiguration, OSError):
            raise Unavailable("This machine names no DNS server.", code="dns_silent") from None
        if nameserver is not None:
            self._resolver.nameservers, self._resolver.port = [nameserver[0]], nameserver[1]
        self._resolver.timeout, self._resolver.lifetime = TRY_S, ANSWER_S
        self._resolver.use_edns(0, 0, PAYLOAD_BYTES)

    async def ask(self, question: Question) -> tuple[tuple[Record, ...], float]:
        """Give the records that a name has, perhaps none, and for how many seconds that holds.

        Raises Unavailable ``dns_silent`` when no server answers, or none can.
        """
        try:
            answer = await self._resolver.resolve(
                dns.name.from_text(question.name), question.type, raise_on_no_answer=False, search=False
            )
        except (dns.exception.Timeout, dns.resolver.NoNameservers):
            raise Unavailable(f"The DNS does not answer about {question.name}.", code="dns_silent") from None
        except (dns.exception.DNSException, UnicodeError):  # there is no such name, or there cannot be
            return (), NOTHING_S
        found = tuple(_record(each) for each in answer.rrset or ())
        return found, answer.chaining_result.minimum_ttl if found else NOTHING_S


def _record(data: Any) -> Record:
    if isinstance(data, dns.rdtypes.IN.SRV.SRV):
        return Srv(data.priority, data.weight, data.port, data.target.to_text())
    flags, service = (bytes(text).decode("ascii", "replace") for text in (data.flags, data.service))
    return Naptr(data.order, data.preference, flags, service, data.replacement.to_text())

"""Tokens for blocking calls: fetched once for all threads that wait, renewed beside the calls."""

import threading
from typing import Self

from databricks_serving._core.access import Pass
from databricks_serving._core.logs import logger
from databricks_serving._http.sender import Sender
from databricks_serving._shell.credentials import BaseCredentials
from databricks_serving._sync.steps import Clocks, Performer
from databricks_serving.auth._access import Access, Resolved
from databricks_serving.auth._keeper import Flight
from databricks_serving.auth._passes import renewal_failed
from databricks_serving.auth._token import Token
from databricks_serving.errors import ClientClosedError, ServingError


class Credentials(BaseCredentials[Performer]):
    """Gives each try what authorises it."""

    @classmethod
    def of(cls, access: Access, sender: Sender) -> Self:
        """Return those of a client that sends over this."""
        return cls(access, Performer(sender))

    @property
    def clocks(self) -> Clocks:
        """Time and chance."""
        return self._performer.clocks

    def resolved(self, until: float | None) -> Resolved:
        """Return where the client calls and as whom, having read the profile if need be.

        Args:
            until: The monotonic time at which whoever needs it gives up.

        Raises:
            ServingError: When there is no workspace or no credential.
        """
        while self.access.resolved is None:
            flight, leads = self.access.board(self.clocks.monotonic())
            if not leads:
                self._wait(flight, until)
                continue
            try:
                self._performer.perform(self.access.resolve(), until)
            except ServingError as error:
                flight.settle(error=error)
                raise
            finally:
                flight.settle()
        return self.access.resolved

    def take(self, until: float | None) -> Pass:
        """Return what authorises a try.

        Args:
            until: The monotonic time at which the call is over.

        Raises:
            ServingError: When there is no token.
        """
        keeper = self.access.keeper
        while True:
            look = keeper.look(self.clocks.now())
            token = look.token
            if look.flight is not None and token is None:
                token = self._fetch_or_wait(look.flight, until, leads=look.leads)
            elif look.flight is not None and look.leads:
                self._fetch_beside(look.flight)
            if token is not None:
                return self._pass(token)

    def _fetch_or_wait(self, flight: Flight, until: float | None, *, leads: bool) -> Token | None:
        try:
            return self._fetch(flight, until) if leads else self._wait(flight, until)
        except ServingError as error:
            return self._spare(error)

    def _wait(self, flight: Flight, until: float | None) -> Token | None:
        over = threading.Event()
        flight.join(over.set)
        seconds = self._patience(until)
        over.wait(seconds)
        return self._outcome(flight, seconds)

    def _fetch(self, flight: Flight, until: float | None) -> Token:
        keeper = self.access.keeper
        try:
            token = self._performer.perform(self.access.renew(), until)
            keeper.land(flight, token, self.clocks.now())
        except ServingError as error:
            self._failed(flight, error, until)
            raise
        finally:
            keeper.abandon(flight)
        return token

    def _fetch_beside(self, flight: Flight) -> None:
        thread = threading.Thread(
            target=self._fetch_quietly, args=[flight], name="databricks-serving token", daemon=True
        )
        try:
            thread.start()
        except RuntimeError:
            # No more threads, or the end of the program: the token at hand is still good.
            self.access.keeper.abandon(flight)

    def _fetch_quietly(self, flight: Flight) -> None:
        try:
            self._fetch(flight, None)
        except ClientClosedError:
            return
        except Exception as error:  # noqa: BLE001 - whoever needs a token then will see it
            logger.warning(renewal_failed(error))

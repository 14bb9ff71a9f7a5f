"""Tokens for asynchronous calls: fetched once for all tasks, and renewed beside the calls."""

from functools import partial
from typing import Self

import anyio

from databricks_serving._async.steps import AsyncClocks, AsyncPerformer
from databricks_serving._core.access import Pass
from databricks_serving._core.logs import logger
from databricks_serving._http.async_sender import AsyncSender
from databricks_serving._http.loops import call_soon, run_soon, running_loop
from databricks_serving._shell.credentials import BaseCredentials
from databricks_serving.auth._access import Access, Resolved
from databricks_serving.auth._keeper import Flight
from databricks_serving.auth._passes import renewal_failed
from databricks_serving.auth._token import Token
from databricks_serving.errors import ClientClosedError, ServingError


class AsyncCredentials(BaseCredentials[AsyncPerformer]):
    """Gives each try what authorises it."""

    @classmethod
    def of(cls, access: Access, sender: AsyncSender) -> Self:
        """Return those of a client that sends over this."""
        return cls(access, AsyncPerformer(sender))

    @property
    def clocks(self) -> AsyncClocks:
        """Time and chance."""
        return self._performer.clocks

    async def resolved(self, until: float | None) -> Resolved:
        """Return where the client calls and as whom, having read the profile if need be.

        Args:
            until: The monotonic time at which whoever needs it gives up.

        Raises:
            ServingError: When there is no workspace or no credential.
        """
        while self.access.resolved is None:
            flight, leads = self.access.board(self.clocks.monotonic())
            if not leads:
                await self._wait(flight, until)
                continue
            try:
                await self._performer.perform(self.access.resolve(), until)
            except ServingError as error:
                flight.settle(error=error)
                raise
            finally:
                flight.settle()
        return self.access.resolved

    async def take(self, until: float | None) -> Pass:
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
                token = await self._fetch_or_wait(look.flight, until, leads=look.leads)
            elif look.flight is not None and look.leads:
                self._fetch_beside(look.flight)
            if token is not None:
                return self._pass(token)

    async def _fetch_or_wait(
        self, flight: Flight, until: float | None, *, leads: bool
    ) -> Token | None:
        try:
            return await self._fetch(flight, until) if leads else await self._wait(flight, until)
        except ServingError as error:
            return self._spare(error)

    async def _wait(self, flight: Flight, until: float | None) -> Token | None:
        over, loop = anyio.Event(), running_loop()
        flight.join(lambda: call_soon(loop, over.set))
        seconds = self._patience(until)
        with anyio.move_on_after(seconds):
            await over.wait()
        return self._outcome(flight, seconds)

    async def _fetch(self, flight: Flight, until: float | None) -> Token:
        keeper = self.access.keeper
        try:
            token = await self._performer.perform(self.access.renew(), until)
            keeper.land(flight, token, self.clocks.now())
        except ServingError as error:
            self._failed(flight, error, until)
            raise
        finally:
            keeper.abandon(flight)
        return token

    def _fetch_beside(self, flight: Flight) -> None:
        run_soon(running_loop(), partial(self._fetch_quietly, flight))

    async def _fetch_quietly(self, flight: Flight) -> None:
        try:
            await self._fetch(flight, None)
        except ClientClosedError:
            return
        except Exception as error:  # noqa: BLE001 - whoever needs a token then will see it
            logger.warning(renewal_failed(error))

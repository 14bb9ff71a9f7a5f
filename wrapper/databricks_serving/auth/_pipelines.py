"""Tokens of another issuer, which the workspace exchanges for one of its own: those of pipelines.

fact: GitHub gives one at ACTIONS_ID_TOKEN_REQUEST_URL, for an audience that is added to its query,
as `value`; Azure DevOps gives one for a fixed audience below the address of the running job, as
`oidcToken`. Both want the job's own token for that.
"""

from collections.abc import Generator, Mapping
from http import HTTPStatus
from typing import Any, ClassVar
from urllib.parse import quote

from databricks_serving._core.replies import Response
from databricks_serving._core.scrub import scrubbing
from databricks_serving._core.secret import Secret
from databricks_serving.auth._json import object_in
from databricks_serving.auth._oauth import origin_of, unreachable
from databricks_serving.auth._source import Site
from databricks_serving.auth._steps import Ask, Step
from databricks_serving.auth._subjects import Subject
from databricks_serving.auth._values import Variable
from databricks_serving.errors import ServingError, TokenError


class Pipeline(Subject):
    """The token of a job that runs in a pipeline."""

    place: ClassVar[str]
    variables: ClassVar[tuple[str, ...]]
    """What is set in a job that may have one."""
    wish: ClassVar[str]
    """What makes it one that may."""

    def lacking(self, variable: Variable) -> str | None:
        """Return what is missing, in words; None where nothing is."""
        names = [name for name in self.variables if variable(name) is None]
        if not names:
            return None
        if len(names) == len(self.variables):
            return f"this is no job of {self.place} with `{self.wish}`"
        return f"{' and '.join(names)} not set: does the job have `{self.wish}`?"

    def _given(self, variable: Variable, source: str) -> list[str]:
        lacking = self.lacking(variable)
        if lacking is not None:
            raise TokenError(f"{source}: {lacking}", source=source)
        return [(variable(name) or "").strip() for name in self.variables]


class GitHub(Pipeline):
    """The token of a job of GitHub Actions."""

    place = "GitHub Actions"
    variables = ("ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN")
    wish = "id-token: write"
    remedy = "GitHub made it for this job"

    def fetch(self, site: Site, source: str, audience: str) -> Generator[Step, Any, object]:
        """Ask GitHub."""
        address, token = self._given(site.variable, source)
        address = f"{address}{'&' if '?' in address else '?'}audience={quote(audience, safe='')}"
        headers = {"authorization": f"Bearer {token}", "accept": "application/json"}
        ask = Ask(url=address, headers=headers)
        with scrubbing((Secret(token),)):
            return (yield from _answer(ask, source, "value"))


class AzureDevOps(Pipeline):
    """The token of a job of Azure DevOps."""

    place = "Azure DevOps"
    variables = (
        "SYSTEM_ACCESSTOKEN",
        "SYSTEM_TEAMFOUNDATIONCOLLECTIONURI",
        "SYSTEM_TEAMPROJECTID",
        "SYSTEM_HOSTTYPE",
        "SYSTEM_PLANID",
        "SYSTEM_JOBID",
    )
    wish = "env: SYSTEM_ACCESSTOKEN: $(System.AccessToken)"
    remedy = "Azure DevOps made it for this job"

    def fetch(self, site: Site, source: str, audience: str) -> Generator[Step, Any, object]:  # noqa: ARG002 - as every subject
        """Ask Azure DevOps."""
        token, root, *names = self._given(site.variable, source)
        project, hub, plan, job = (quote(name, safe="") for name in names)
        job_address = f"{root.rstrip('/')}/{project}/_apis/distributedtask/hubs/{hub}"
        ask = Ask(
            method="POST",
            url=f"{job_address}/plans/{plan}/jobs/{job}/oidctoken?api-version=7.2-preview.1",
            headers={"authorization": f"Bearer {token}", "content-type": "application/json"},
        )
        with scrubbing((Secret(token),)):
            return (yield from _answer(ask, source, "oidcToken"))


def _answer(ask: Ask, source: str, key: str) -> Generator[Step, Any, object]:
    where = origin_of(ask.url)
    if not where:
        text = f"{source}: the address that the pipeline gives for its token is not https"
        raise TokenError(text, source=source)
    try:
        response: Response = yield ask
    except ServingError as error:
        raise unreachable(source, ask.url, error) from None
    status = response.meta.status_code
    data: Mapping[str, Any] = object_in(response.body)
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES and isinstance(data.get(key), str):
        return data[key]
    what = f"status {status}" if status != HTTPStatus.OK else f"no JSON with {key}"
    raise TokenError(
        f"{source}: {where} gave no token for this job: {what}", source=source, status_code=status
    )

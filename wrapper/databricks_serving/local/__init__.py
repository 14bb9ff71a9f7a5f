"""A workspace on loopback: the routes of model serving, answered on this machine.

It decodes requests as strictly as foundation-model endpoints do and asks for a token, so what
works here has the right shape for a real workspace. It gives tokens by OAuth, too::

    with LocalEndpoint() as local:
        client = ServingClient(host=local.host, token=local.token)

It serves endpoints for each task, told apart by their names, such as `local-chat` and
`local-embedding`; a name that begins with one of these, such as `local-chat-small`, is served too.
Other endpoints, what they answer, how much they take and what goes wrong with them is set by
`config`, while it runs by methods, and from other processes by the routes under `/_local`.
"""

from databricks_serving.local.config import (
    ColdStartDict,
    ConfigDict,
    EndpointDict,
    OAuthDict,
    RateLimitDict,
)
from databricks_serving.local.endpoint import LocalEndpoint
from databricks_serving.local.errors import ModelUnavailableError
from databricks_serving.local.faults import FaultKind
from databricks_serving.local.log import LoggedRequest, RequestLog
from databricks_serving.local.oauth import TokenService
from databricks_serving.local.states import EndpointState
from databricks_serving.local.tasks import Task

__all__ = [
    "ColdStartDict",
    "ConfigDict",
    "EndpointDict",
    "EndpointState",
    "FaultKind",
    "LocalEndpoint",
    "LoggedRequest",
    "ModelUnavailableError",
    "OAuthDict",
    "RateLimitDict",
    "RequestLog",
    "Task",
    "TokenService",
]

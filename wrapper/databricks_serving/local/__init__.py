"""A workspace on loopback: the routes of model serving, answered on this machine.

It decodes requests as strictly as foundation-model endpoints do and asks for a token, so what
works here has the right shape for a real workspace. It gives tokens by OAuth, too::

    with LocalEndpoint() as local:
        client = ServingClient(host=local.host, token=local.token)

It serves three endpoints, told apart by their names: `local-chat`, `local-completion` and
`local-embedding`. A name that begins with one of these, such as `local-chat-small`, is served too.
"""

from databricks_serving.local.endpoint import LocalEndpoint
from databricks_serving.local.errors import ModelUnavailableError
from databricks_serving.local.oauth import TokenService
from databricks_serving.local.tasks import Task

__all__ = ["LocalEndpoint", "ModelUnavailableError", "Task", "TokenService"]

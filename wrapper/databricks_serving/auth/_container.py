"""The token that the serving container of a model is given.

fact: in a container of model serving one of two variables is "true", and a file holds JSON whose
first element of OAUTH_TOKEN has the token as oauthTokenValue. The platform replaces the file now
and then, so the token is good for five minutes.
"""

from typing import ClassVar, Final

from databricks_serving._core.json_codec import is_list, is_object
from databricks_serving.auth._json import object_in
from databricks_serving.auth._source import Site, Source, UnavailableError
from databricks_serving.auth._steps import Content, Fetch, Read
from databricks_serving.auth._token import Token, checked
from databricks_serving.auth._values import Values
from databricks_serving.errors import TokenError

_MARKS: Final = ("IS_IN_DB_MODEL_SERVING_ENV", "IS_IN_DATABRICKS_MODEL_SERVING_ENV")
_FOLDER: Final = "SERVING_CREDENTIALS_DIR"
_USUAL_FOLDER: Final = "/var/credentials-secret"
_FILE: Final = "model-dependencies-oauth-token"
_SECONDS: Final = 300.0


class ServingContainer(Source):
    """The token of a model that is served, for the endpoints that it was logged to depend on."""

    auth_type: ClassVar[str] = "model-serving"
    certain: ClassVar[bool] = False

    @classmethod
    def configured(cls, values: Values) -> Source | str:
        """Return the source inside a serving container."""
        mark = next((text for name in _MARKS if (text := values.variable(name))), "")
        return cls() if mark.strip().lower() == "true" else "this is no serving container"

    def fetch(self, site: Site) -> Fetch:
        """Read the file."""
        folder = (site.variable(_FOLDER) or _USUAL_FOLDER).strip().rstrip("/")
        path = f"{folder}/{_FILE}"
        try:
            content: Content = yield Read(path)
        except FileNotFoundError:
            text = f"there is no file {path}; were the endpoints named as the model's resources?"
            raise UnavailableError(f"{self.auth_type}: {text}", source=self.auth_type) from None
        except OSError as error:
            why = error.strerror or type(error).__name__
            text = f"{self.auth_type}: {path} cannot be read: {why}"
            raise TokenError(text, source=self.auth_type, transient=True) from None
        value = _value_in(content.data.reveal())
        if value is None:
            text = f"{self.auth_type}: {path} has no OAUTH_TOKEN with an oauthTokenValue"
            raise TokenError(text, source=self.auth_type, transient=True)
        return checked(Token(value, _SECONDS), self.auth_type)


def _value_in(data: bytes) -> str | None:
    listed: object = object_in(data).get("OAUTH_TOKEN")
    first = next(iter(listed), None) if is_list(listed) else None
    value = first.get("oauthTokenValue") if is_object(first) else None
    return value if isinstance(value, str) else None

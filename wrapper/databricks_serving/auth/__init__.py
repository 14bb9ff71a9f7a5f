"""Where tokens come from: values for `ServingClient(auth=...)`."""

from databricks_serving.auth._callback import Callback
from databricks_serving.auth._client_credentials import OAuthClientCredentials
from databricks_serving.auth._source import Source
from databricks_serving.auth._static import AccessToken
from databricks_serving.auth._token import Token

__all__ = ["AccessToken", "Callback", "OAuthClientCredentials", "Source", "Token"]

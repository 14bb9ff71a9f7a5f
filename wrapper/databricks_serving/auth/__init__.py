"""Where tokens come from: values for `ServingClient(auth=...)`."""

from databricks_serving.auth._azure_cli import AzureCli
from databricks_serving.auth._azure_client_secret import AzureClientSecret
from databricks_serving.auth._borrowed import HttpxAuth, SdkConfig
from databricks_serving.auth._callback import Callback
from databricks_serving.auth._client_credentials import OAuthClientCredentials
from databricks_serving.auth._container import ServingContainer
from databricks_serving.auth._databricks_cli import DatabricksCli
from databricks_serving.auth._disk import OnDisk
from databricks_serving.auth._federation import OAuthTokenFederation
from databricks_serving.auth._forwarded import forwarded_token
from databricks_serving.auth._given import AuthLike, HasAuthenticate, HasConfig, HasFlow
from databricks_serving.auth._notebook import Notebook
from databricks_serving.auth._source import Source
from databricks_serving.auth._static import AccessToken
from databricks_serving.auth._token import Token

__all__ = [
    "AccessToken",
    "AuthLike",
    "AzureCli",
    "AzureClientSecret",
    "Callback",
    "DatabricksCli",
    "HasAuthenticate",
    "HasConfig",
    "HasFlow",
    "HttpxAuth",
    "Notebook",
    "OAuthClientCredentials",
    "OAuthTokenFederation",
    "OnDisk",
    "SdkConfig",
    "ServingContainer",
    "Source",
    "Token",
    "forwarded_token",
]

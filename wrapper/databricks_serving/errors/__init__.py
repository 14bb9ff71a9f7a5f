"""Everything that a call can raise.

::

    ServingError
    ├── ConfigError (ValueError)               host, token or options cannot work
    ├── InvalidRequestError (ValueError)       refused before a byte was sent
    ├── TokenError                             no token could be had for the request
    ├── ClientClosedError                      the client was closed
    ├── StreamUseError                         a stream was read twice, or outside its block
    ├── APIConnectionError                     no answer came
    │   └── APITimeoutError                    ... in time; `phase` says where
    ├── APIStatusError                         the server answered with an error
    │   ├── BadRequestError                    400
    │   ├── AuthenticationError                401
    │   ├── PermissionDeniedError              403
    │   ├── NotFoundError                      404
    │   ├── ConflictError                      409
    │   ├── PayloadTooLargeError               413
    │   ├── UnprocessableEntityError           422
    │   ├── RateLimitError                     429
    │   └── InternalServerError                500 and above
    │       └── EndpointNotReadyError          503: the endpoint is scaling up from zero
    ├── EndpointWaitError                      an endpoint did not become ready
    ├── InvalidResponseError                   the answer is not what the contract says
    │   └── ResponseTooLargeError              ... or larger than the client takes in
    ├── StreamError                            a stream broke; `partial` keeps what had come
    │   ├── StreamInterruptedError             it ended without an end
    │   │   └── StreamTimeoutError             ... in time; also an APITimeoutError
    │   └── StreamServerError                  the server reported an error inside it
    ├── StructuredOutputError                  an answer without the object that was asked for
    │   ├── LengthFinishReasonError            it was cut off
    │   ├── ContentFilterFinishReasonError     a filter stopped it
    │   ├── RefusalError                       the model refused
    │   └── ParseError                         it is no JSON, or does not fit the type
    └── ToolLoopError                          a run of tools came to no end; `run` keeps it

Errors pickle and copy, and hold neither the token nor the prompt. What a server says about a
request is passed on, shortened. The one exception is asked for: `run` of an error in a run of tools
holds its conversation; no message and no repr shows it.
"""

from databricks_serving._trail import (
    Attempt,
    SentRequest,
)
from databricks_serving.errors._answers import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    EndpointNotReadyError,
    InternalServerError,
    InvalidResponseError,
    NotFoundError,
    PayloadTooLargeError,
    PermissionDeniedError,
    RateLimitError,
    ResponseTooLargeError,
    UnprocessableEntityError,
)
from databricks_serving.errors._endpoints import EndpointWaitError
from databricks_serving.errors._results import (
    ContentFilterFinishReasonError,
    LengthFinishReasonError,
    ParseError,
    RefusalError,
    StructuredOutputError,
    ToolLoopError,
)
from databricks_serving.errors._root import (
    ClientClosedError,
    ConfigError,
    InvalidRequestError,
    PartialReply,
    ServingError,
    StreamUseError,
    TokenError,
)
from databricks_serving.errors._streams import (
    StreamError,
    StreamInterruptedError,
    StreamServerError,
    StreamTimeoutError,
)

__all__ = [
    "APIConnectionError",
    "APIStatusError",
    "APITimeoutError",
    "Attempt",
    "AuthenticationError",
    "BadRequestError",
    "ClientClosedError",
    "ConfigError",
    "ConflictError",
    "ContentFilterFinishReasonError",
    "EndpointNotReadyError",
    "EndpointWaitError",
    "InternalServerError",
    "InvalidRequestError",
    "InvalidResponseError",
    "LengthFinishReasonError",
    "NotFoundError",
    "ParseError",
    "PartialReply",
    "PayloadTooLargeError",
    "PermissionDeniedError",
    "RateLimitError",
    "RefusalError",
    "ResponseTooLargeError",
    "SentRequest",
    "ServingError",
    "StreamError",
    "StreamInterruptedError",
    "StreamServerError",
    "StreamTimeoutError",
    "StreamUseError",
    "StructuredOutputError",
    "TokenError",
    "ToolLoopError",
    "UnprocessableEntityError",
]

# Tracebacks and pickles name errors by the place that users import them from.
for _name in __all__:
    globals()[_name].__module__ = __name__

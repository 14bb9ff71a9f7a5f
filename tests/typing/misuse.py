"""Mistakes that the types must catch. Never run: each line is an error to mypy and to pyright.

An error that is no longer reported is itself one: unused ignores are errors to both checkers.
"""

# pyright: reportUnnecessaryTypeIgnoreComment=true

import databricks_serving
from databricks_serving import ServingClient, models, params

print(databricks_serving.servingclient)  # type: ignore[attr-defined] # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownArgumentType]
client = ServingClient(hots="https://example.com")  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]
ask: params.MessageDict = {"role": "user", "content": "Hello?"}
create = client.chat.completions.create

create(messages=[ask])  # type: ignore[call-overload] # pyright: ignore[reportCallIssue]
create(model="e")  # type: ignore[call-overload] # pyright: ignore[reportCallIssue]
create(model="e", messages=[ask], temprature=1.0)  # type: ignore[call-overload] # pyright: ignore[reportCallIssue]
create(model="e", messages=[ask], max_tokens="7")  # type: ignore[call-overload] # pyright: ignore[reportArgumentType]
create(model="e", messages=[{"role": "user", "contents": "a"}])  # type: ignore[list-item] # pyright: ignore[reportArgumentType]
create(model="e", messages="Hello?")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
client.embeddings.create(model="e", input=[1, 2])  # type: ignore[list-item] # pyright: ignore[reportArgumentType]
print(models.Usagee)  # type: ignore[attr-defined] # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownArgumentType]

"""What the tests of the test kit share."""

from databricks_serving.testing import FakeServing

HI = [{"role": "user", "content": "Name a river."}]


def client_of(shell, fake: FakeServing, **options):
    """Return the shell's client, answered by a fake."""
    return (fake.client if shell.name == "sync" else fake.async_client)(**options)


def ask(shell, client, **arguments):
    """Make a call of a chat and return its reply."""
    given = {"model": "rivers", "messages": HI, **arguments}
    return shell.wait(client.chat.completions.create(**given))


def read(shell, client, **arguments):
    """Make a call of a chat and return the chunks of its stream."""
    stream = ask(shell, client, stream=True, **arguments)
    return shell.items(stream)

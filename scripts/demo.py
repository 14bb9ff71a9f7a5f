"""Shows typed calls against a model endpoint on this machine."""

import argparse
import math

from databricks_serving import ServingClient, errors
from databricks_serving.local import LocalEndpoint

QUESTION = "What is the capital of France? Answer in one sentence."


def main() -> None:
    """Start the local endpoint, make one call of each kind, and stop."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--offline-model",
        action="store_true",
        help="use the deterministic backend instead of the real language model",
    )
    model = "deterministic" if parser.parse_args().offline_model else "smollm2"
    with LocalEndpoint(model=model) as local, ServingClient(local.host, local.token) as client:
        print(f"local endpoint at {local.host}, model {model}\n")
        chat(client)
        streamed_chat(client)
        completion(client)
        embedding(client)
        agent(client)
        custom_model(client)
        error(client)


def chat(client: ServingClient) -> None:
    """Ask once and read the whole answer."""
    reply = client.chat.completions.create(
        model="local-chat",
        messages=[{"role": "user", "content": QUESTION}],
        max_tokens=40,
        temperature=0.0,
    )
    print(f"chat: {reply.text!r} ({reply.finish_reason}, request {reply.request_id})")


def streamed_chat(client: ServingClient) -> None:
    """Ask again and print the answer as it comes."""
    print("stream: ", end="")
    with client.chat.completions.stream(
        model="local-chat",
        messages=[
            {"role": "system", "content": "You are a helpful assistant."},
            {"role": "user", "content": "Tell me one fact about the sea."},
        ],
        max_tokens=60,
        temperature=0.0,
    ) as stream:
        for text in stream.text_stream:
            print(text, end="", flush=True)
        usage = stream.get_final_completion().usage
    if usage is not None:
        print(f"\nusage: {usage.prompt_tokens} + {usage.completion_tokens} tokens")


def completion(client: ServingClient) -> None:
    """Continue a prompt."""
    reply = client.completions.create(
        model="local-completion", prompt="Once upon a time", max_tokens=20, temperature=0.0
    )
    print(f"completion: {reply.text!r}")


def embedding(client: ServingClient) -> None:
    """Embed a text."""
    reply = client.embeddings.create(model="local-embedding", input="the sea at night")
    vector = reply.vectors[0]
    print(f"embedding: {len(vector)} numbers, norm {math.hypot(*vector):.3f}")


def agent(client: ServingClient) -> None:
    """Have an agent answer, which uses a tool of its own."""
    reply = client.responses.create(model="local-responses", input=QUESTION)
    print(f"agent: {reply.text!r} (after {len(reply.function_calls)} tool call)")


def custom_model(client: ServingClient) -> None:
    """Have a custom model predict from two rows: it adds up their numbers."""
    rows = [{"depth": 3, "width": 40}, {"depth": 5, "width": 90}]
    reply = client.predict("local-custom", dataframe_records=rows)
    print(f"custom model: {reply.predictions}")


def error(client: ServingClient) -> None:
    """Send a key that the endpoint does not know, and see the error."""
    try:
        client.chat.completions.create(
            model="local-chat",
            messages=[{"role": "user", "content": QUESTION}],
            extra_body={"temprature": 0.5},
        )
    except errors.BadRequestError as refused:
        print(f"error: {type(refused).__name__}: {refused}")


if __name__ == "__main__":
    main()

"""Answers by rule, with no model: the same request always gets the same answer.

- Chat: one of three openings, then the text of the last user message. Seed and choice number pick
  the opening. A JSON response format gets JSON of that shape instead; `tool_choice` `required` or
  by name gets a call of that tool, or else the first, with arguments after its schema.
- Completions: the same rule on the prompt; `suffix` is appended.
- Embeddings: words and their letter triples hashed into a vector of length 1, so texts that share
  words are near each other. 64 dimensions unless asked otherwise.
- Custom models: the sum of the numbers of each row, times the parameter `scale`; one event a row.
- A token is a word with the white space before it. An answer has at most 4,096.
"""

from databricks_serving.local.backends.deterministic.backend import DeterministicBackend, stamp

__all__ = ["DeterministicBackend", "stamp"]

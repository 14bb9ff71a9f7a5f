"""The transport: requests out, bytes in, and whatever is raised on the way turned into our errors.

The only place that knows httpx. Any transport of httpx's kind can be used, and is called directly:
no cookies, no redirects, no netrc, no hooks. The default is a pool of our own, which speaks by
`_core/http1.py`; ARCHITECTURE.md says why.
"""

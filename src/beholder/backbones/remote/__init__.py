"""remote: a model that somebody else runs, behind an OpenAI-compatible server.

vLLM, SGLang and llama.cpp answer a chat request with the log-probabilities of the next token; that
is all a score needs. Which pictures leave this machine is thus plain: those that are scored.
"""

from beholder.backbones.remote.model import OPTIONS, Remote, load

__all__ = ["OPTIONS", "Remote", "load"]
